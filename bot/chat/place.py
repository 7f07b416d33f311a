"""Ids, and the place where a conversation happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NewType

UserId = NewType("UserId", int)
GuildId = NewType("GuildId", int)
ChannelId = NewType("ChannelId", int)
MessageId = NewType("MessageId", int)

DISCORD_EPOCH_MS = 1_420_070_400_000
"""Snowflakes count milliseconds from here (Discord API reference, "Snowflakes")."""


def snowflake_seconds(snowflake: int) -> float:
    """Return the unix time, in seconds, at which a Discord id was made."""
    return ((snowflake >> 22) + DISCORD_EPOCH_MS) / 1000


def snowflake_at(seconds: float) -> int:
    """Return the first Discord id that could be made at a unix time, to the millisecond."""
    return (round(seconds * 1000) - DISCORD_EPOCH_MS) << 22


def made_up_snowflake(digest: bytes) -> int:
    """Return an id that looks like Discord's, and is none, from the first 8 bytes of a digest.

    Ids are below 2**63, and no real one is this young.
    """
    return int.from_bytes(digest[:8]) >> 1 | 1 << 62


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation happens: a guild's channel or thread, or a DM.

    Two places are equal when guild and channel are; the other fields describe the place as it
    was when the message came, and are used for the binding cascade and for scopes.
    """

    channel: ChannelId
    guild: GuildId | None = None
    parent: ChannelId | None = field(default=None, compare=False)
    """The channel a thread belongs to."""
    category: ChannelId | None = field(default=None, compare=False)
    age_restricted: bool = field(default=False, compare=False)
    restricted: bool = field(default=False, compare=False)
    """Not visible to @everyone: a private thread, or a channel closed by an overwrite."""

    @property
    def is_dm(self) -> bool:
        """Whether this is a direct message channel."""
        return self.guild is None
