"""What keeps accepted messages until their turn is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.chat.place import MessageId
from bot.chat.turn import Message, Trigger


class Outcome(StrEnum):
    """How a turn ended; a metric label."""

    ANSWERED = "answered"
    REFUSED = "refused"
    SUPPORTED = "supported"
    FAILED = "failed"
    BUSY = "busy"
    BARRED = "barred"
    """An admin's list or quiet hours keep the bot silent."""
    CANCELLED = "cancelled"
    """The question was deleted, or somebody pressed stop."""
    MERGED = "merged"
    """Answered together with a later message of the same burst."""
    LEFT = "left"
    """Left unfinished to the process that takes over, which counts it again when it has ended."""
    EXPIRED = "expired"
    """Found unfinished, too old to answer or begun too often; its person was told."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What of a turn's reply is already visible."""

    reply_ids: tuple[MessageId, ...] = ()
    webhook: int | None = None
    """Id of the webhook that spoke, if one did."""
    final: bool = False
    """The final text stands there; only the record is missing."""
    text: str | None = None
    """What stands in the messages, where that is known. Never journalled."""
    whole: bool = False
    """Nothing stands there that is not noted: nobody worked on it before. Never journalled."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An accepted message whose turn is not settled. `accepted_at` is unix seconds."""

    message: Message
    trigger: Trigger
    accepted_at: float
    progress: Progress = Progress()
    attempts: int = 0


class TurnJournal(Protocol):
    """Accepted messages until they are answered; survives kill -9."""

    @property
    def shared(self) -> bool:
        """Whether another process may hear of the same messages, as far as the store told."""
        ...

    async def accept(self, message: Message, trigger: Trigger) -> bool:
        """Claim the message and write it down, in one step. False when it is claimed already."""
        ...

    async def progress(self, message: MessageId, progress: Progress) -> None:
        """Note what of the reply is visible.

        Raises:
            OwnershipLost: another process has taken the turn over, or has settled it.
        """
        ...

    def holds(self, message: MessageId) -> bool:
        """Whether a message that was accepted is surely ours still; if not, `progress` tells."""
        ...

    async def is_open(self, message: MessageId) -> bool:
        """Whether a turn that began with a message is not settled yet, whoever works on it."""
        ...

    async def settle(self, messages: Sequence[MessageId], outcome: Outcome) -> None:
        """The turn is done: remove its messages. Their claims stay for a day."""
        ...

    async def take_up(self) -> Sequence[JournalEntry]:
        """Return, and own from now on, unsettled entries of processes that are gone."""
        ...
