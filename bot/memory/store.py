"""What the memory needs of its store. `bot.adapters.redis.memories` fulfils it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.chat.place import ChannelId, GuildId, MessageId, UserId
from bot.memory.item import Item
from bot.memory.shelf import Shelf


class Consent(StrEnum):
    """What a person decided."""

    UNDECIDED = "undecided"
    ON = "on"
    PAUSED = "paused"
    """What is stored stays; nothing is used and nothing is added."""
    DECLINED = "declined"
    """Asked, and said no: never ask again."""


@dataclass(frozen=True, slots=True)
class Put:
    """Write an item. With `only_if` it is written only while all those items still exist."""

    item: Item
    vector: Sequence[float] | None = None
    space: str = ""
    """`model@dimensions` of the vector."""
    used: float = 0.0
    only_if: tuple[str, ...] = ()
    counted: bool = False
    """Counts against the day's limit of what is learned by itself."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one write does, all of it or nothing."""

    put: tuple[Put, ...] = ()
    remove: tuple[str, ...] = ()
    used: tuple[tuple[str, float], ...] = ()
    """New retention scores by id."""
    values: tuple[tuple[str, str], ...] = ()
    """Small values of the person by name; an empty one is removed."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write."""

    stored: tuple[str, ...] = ()
    evicted: tuple[str, ...] = field(default=())
    stale: bool = False
    """Nothing was written: the memory had changed."""


class MemoryStore(Protocol):
    """The memories of people, sealed with a key for each. Every method raises `StoreError`."""

    def move_to(self, space: str) -> None:
        """Use vectors of this space (`model@dimensions`) from now on."""
        ...

    async def expect(self) -> None:
        """Make ready what opening a memory takes, if anybody has one, so that no turn waits."""
        ...

    async def load(self, person: UserId) -> Shelf | None:
        """Return a person's memory; None without consent. One round trip."""
        ...

    def last_change(self, person: UserId) -> int:
        """Return a number that is another one after each change this process made to a memory."""
        ...

    async def consent(self, person: UserId) -> Consent: ...

    async def agree(self, person: UserId, at: float) -> None:
        """Note the person's yes, and make their key. An earlier memory stays as it is."""
        ...

    async def pause(self, person: UserId, paused: bool) -> None: ...

    async def decline(self, person: UserId) -> None:
        """Forget everything, and note that the person wants no memory; `forget_all` keeps that."""
        ...

    async def apply(
        self,
        person: UserId,
        shelf: Shelf,
        changes: Changes,
        *,
        by_person: bool = False,
        if_unchanged: bool = False,
    ) -> Written:
        """Write atomically. `by_person`: also while paused, and never counted. `if_unchanged`:
        only while the memory is as it was loaded.

        Raises:
            ConsentRequired: off, paused, or all was forgotten since `shelf` was loaded.
        """
        ...

    async def pack(self, person: UserId) -> None:
        """Make the next reading of a large memory quick; nothing is to change for a while."""
        ...

    async def forget_all(self, person: UserId) -> int:
        """Leave no key of the person's memory. Return how many items there were."""
        ...

    async def offer_once(self, person: UserId) -> bool:
        """Whether a memory was never offered to this undecided person; from now on it was."""
        ...

    async def owners(
        self, channel: ChannelId, messages: Sequence[MessageId]
    ) -> dict[MessageId, UserId]:
        """Return whose memories came from these messages."""
        ...

    async def members(self, guild: GuildId) -> Sequence[UserId]:
        """Return the people with memories learned in a guild."""
        ...

    async def schedule(self, person: UserId, due: float) -> None:
        """Set when the person's new messages are to be read, in place of an earlier time."""
        ...

    async def take_due(self, now: float, lease: float) -> UserId | None:
        """Return a person who is due, and put them off by `lease` seconds."""
        ...

    async def done(self, person: UserId, leased_until: float) -> None:
        """Take the person out of the queue, unless they were scheduled anew meanwhile."""
        ...
