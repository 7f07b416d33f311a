"""What the commands call. Cogs parse an interaction, call one of these, render the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import discord
from discord.ext import commands

from bot.adapters.discord.greeter import Greeter
from bot.chat.accounts import Accounts
from bot.chat.first_words import FirstWords
from bot.chat.intake import Intake
from bot.personas import PersonaLibrary
from bot.personas.casting import Casting
from bot.personas.imported import ImportedCards
from bot.ports import Clock, ConversationStore, SubjectAccess
from bot.routing import Router


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
    intake: Intake
    router: Router
    clock: Clock
    model: str
    rehearsal: bool
    auto_mode_allowed: bool
    """The message content intent is on, so that auto mode can see messages."""
    leaving: tuple[SubjectAccess, ...] = ()
    """Stores that forget a guild when it removes the bot."""


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
