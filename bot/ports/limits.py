"""What counts who asked how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.chat.place import GuildId, UserId
from bot.chat.turn import TurnId


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket's size: `burst` turns at once, refilled with `per_minute` turns a minute."""

    burst: int
    per_minute: float

    def __post_init__(self) -> None:
        if self.burst < 1 or self.per_minute <= 0:
            raise ValueError("a rate needs a burst of 1 or more, and more than 0 a minute")


class BucketScope(StrEnum):
    """Whose turns a bucket counts."""

    PERSON = "person"
    ROLE = "role"
    GUILD = "guild"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket that is asked for one turn's worth. `name` is unique to it."""

    name: str
    rate: Rate
    scope: BucketScope


@dataclass(frozen=True, slots=True)
class Waiting:
    """Too many turns: `seconds` until the bucket of this scope may grant another."""

    seconds: float
    scope: BucketScope


class RateLimiter(Protocol):
    """Token buckets of people, roles and guilds, shared by all processes."""

    async def take(
        self, turn: TurnId, person: UserId, guild: GuildId | None, more: Sequence[Bucket] = ()
    ) -> Waiting | None:
        """Take a turn's worth of the operator's buckets and of `more`; of all or of none.

        For the same turn once only: each process that hears of a message may ask.

        Return None when granted.
        """
        ...
