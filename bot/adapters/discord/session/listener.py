"""Whom a client tells what it hears, and what it asks before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.chat.place import ChannelId, MessageId, Place, UserId
from bot.chat.turn import Message, Trigger


class Listener(Protocol):
    """What becomes of events; `bot.chat.intake.Intake` fulfils it."""

    async def concerns(self, message: Message, *, own_thread: bool = False) -> Trigger | None:
        """Return why a message is for us, or None. Its attachments are not read yet."""
        ...

    async def receive(self, message: Message, trigger: Trigger) -> None:
        """Take a message that is for us."""
        ...

    async def edited(self, place: Place, message: MessageId, text: str) -> None:
        """A person rewrote a message; the text is empty where there is none that we may read."""
        ...

    async def deleted(self, place: Place, messages: Sequence[MessageId]) -> None:
        """Messages, of whomever, are gone."""
        ...

    async def closed(self, place: Place) -> None:
        """A channel or thread is gone, with all that was said there."""
        ...

    async def hidden(
        self, place: Place, message: MessageId, by: UserId, author: UserId | None = None
    ) -> None:
        """Somebody hides a message from us; it counts if it is theirs."""
        ...


class LastSeen(Protocol):
    """The channels in which the bot was addressed, how far each was read, and until when each
    shard listened."""

    def note(self, channel: ChannelId, message: MessageId) -> None:
        """A message was read. Never waits."""
        ...

    async def recent(self) -> Sequence[tuple[ChannelId, MessageId]]:
        """Return the channels by their last message, newest first."""
        ...

    def listened(self, shard: int, at: float) -> None:
        """A shard's gateway was heard at this unix time. Never waits."""
        ...

    async def listened_until(self, shard: int) -> float | None:
        """Return the unix time at which a shard's gateway was last heard; None if never."""
        ...
