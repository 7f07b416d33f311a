"""What the commands call. Cogs parse an interaction, call one of these, render the result."""

from __future__ import annotations

from dataclasses import dataclass

from bot.chat.accounts import Accounts
from bot.chat.intake import Intake
from bot.personas import PersonaLibrary
from bot.personas.casting import Casting
from bot.ports import Clock, ConversationStore
from bot.routing import Router


@dataclass(frozen=True, slots=True)
class Services:
    """Made once by the composition root, shared by all cogs."""

    casting: Casting
    library: PersonaLibrary
    conversations: ConversationStore
    accounts: Accounts
    intake: Intake
    router: Router
    clock: Clock
    model: str
    rehearsal: bool
    auto_mode_allowed: bool
    """The message content intent is on, so that auto mode can see messages."""
