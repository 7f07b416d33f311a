"""One wish about a reply at a time."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from bot.chat.place import MessageId, Place
from bot.chat.turn import TurnId


class Claim(Enum):
    """What became of a wish to be the only one."""

    OURS = "ours"
    TWICE = "twice"
    """The same wish came by way of another process, which fulfils it."""
    TAKEN = "taken"
    """Another wish about the reply is being fulfilled."""


class ReplyClaims(Protocol):
    """Says who may change a reply. Every method raises `StoreError`."""

    async def claim(self, place: Place, turn: TurnId, wish: MessageId) -> Claim:
        """Let a wish be the only one about a turn's reply, for a few minutes."""
        ...

    async def release(self, place: Place, turn: TurnId, wish: MessageId) -> None:
        """The wish is fulfilled, or can't be."""
        ...
