"""What the commands call. Cogs parse an interaction, call one of these, render the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import discord
from discord.ext import commands

from bot.adapters.discord.calling.refusals import Mutes
from bot.adapters.discord.moderation import Moderation
from bot.adapters.discord.speaking.greeter import Greeter
from bot.adapters.discord.speaking.removing import Remover
from bot.chat.accounts import Accounts, AccountStore
from bot.chat.intake import Intake
from bot.chat.place import GuildId, Place, UserId
from bot.chat.wishes.correcting import RouteFixes
from bot.chat.wishes.first_words import FirstWords
from bot.chat.wishing import Wishes
from bot.memory import Memory
from bot.observability.replies import ReplyMetrics
from bot.observability.tools import ToolMetrics
from bot.personas import PersonaLibrary
from bot.personas.casting import Casting
from bot.personas.house_rules import HouseRules
from bot.personas.imported import ImportedCards
from bot.ports import Clock, ConversationStore
from bot.routing.dispatch import Dispatcher, Overrides
from bot.routing.route import Route


class Routes(Protocol):
    """Pins, and whether texts of corrections are kept. Every method raises `StoreError`."""

    async def in_force(self, place: Place, person: UserId) -> Overrides: ...

    async def pin(self, place: Place, route: Route, person: UserId | None = None) -> None: ...

    async def unpin(self, place: Place, person: UserId | None = None) -> bool: ...

    async def keep_text(self, place: Place, keep: bool) -> int: ...


class RouteCounts(Protocol):
    """Counts of decisions."""

    async def last_day(self, guild: GuildId) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Made once by the composition root, shared by all cogs."""

    casting: Casting
    library: PersonaLibrary
    imported: ImportedCards
    first_words: FirstWords
    greeter: Greeter
    conversations: ConversationStore
    accounts: Accounts
    replies: AccountStore
    wishes: Wishes
    remover: Remover
    counted: ReplyMetrics
    orders: ToolMetrics
    memory: Memory | None
    intake: Intake
    dispatcher: Dispatcher
    routes: Routes
    route_fixes: RouteFixes
    route_counts: RouteCounts
    clock: Clock
    model: str
    rehearsal: bool
    moderation: Moderation
    rules: HouseRules
    mutes: Mutes


class Serving(commands.Cog):
    """A cog with the services; buttons, which Discord makes anew, find them by it."""

    def __init__(self, services: Services) -> None:
        self.services = services


def services_of(interaction: discord.Interaction[Any]) -> Services:
    """Return the services of the client that got an interaction."""
    for cog in cast("commands.Bot", interaction.client).cogs.values():
        if isinstance(cog, Serving):
            return cog.services
    raise LookupError("no cog with services was installed")
