"""What is done when people take back what they said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.chat.place import MessageId, Place


class TakesBack(Protocol):
    """Does what the events of edits and deletions ask for; `bot.chat.intake.Intake` fulfils it."""

    async def edited(self, place: Place, message: MessageId, text: str) -> None:
        """Rewrite what was said; an empty text takes it back."""
        ...

    async def deleted(self, place: Place, messages: Sequence[MessageId]) -> None:
        """Remove what was said, and stop the turns whose question or reply is gone."""
        ...
