"""Token buckets in Redis: `bot.ports.RateLimiter`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.scripts import Argument, Script
from bot.chat.place import GuildId, UserId
from bot.chat.turn import TurnId
from bot.ports import Bucket, BucketScope, Rate, Waiting

ONCE_S: Final = 60
"""Seconds for which a turn that was let in is known: other processes hear of its message at the
same time, or when a session is resumed."""
TAKE: Final = Script("take")


class RedisLimiter:
    """One bucket a person, over all guilds, and one a guild; and those that a guild asks for.

    All lie in one Cluster slot, so that a turn takes from all of them, or from none, in one
    script: one round trip, and nothing to give back.
    """

    def __init__(self, redis: Client, *, person_rate: Rate, guild_rate: Rate) -> None:
        self._redis = redis
        self._person_rate = person_rate
        self._guild_rate = guild_rate

    async def take(
        self, turn: TurnId, person: UserId, guild: GuildId | None, more: Sequence[Bucket] = ()
    ) -> Waiting | None:
        """Take a turn's worth of each bucket, or of none; for the same turn once only.

        Return None when granted, else how long the slowest of them needs.

        Raises:
            StoreError: Redis is away.
        """
        asked = [Bucket(f"u{person}", self._person_rate, BucketScope.PERSON)]
        if guild is not None:
            asked.append(Bucket(f"g{guild}", self._guild_rate, BucketScope.GUILD))
        asked += more
        args: list[Argument] = [ONCE_S]
        for bucket in asked:
            args += [bucket.rate.burst, bucket.rate.per_minute / 60]
        names = [keys.limit(f"t{turn}"), *(keys.limit(bucket.name) for bucket in asked)]
        wait, which = await TAKE.run(self._redis, names, args)
        return Waiting(int(wait) / 1000, asked[int(which) - 1].scope) if wait else None

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """A bucket holds a count and a time, gone within minutes: there is nothing to tell."""
        return {}

    async def delete_person(self, person: UserId) -> int:
        """Remove the person's bucket; those they have in guilds are gone within minutes."""
        with store_errors(self._redis):
            return int(await self._redis.delete(keys.limit(f"u{person}")))

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove the guild's bucket; those that its admins asked for are gone within minutes."""
        with store_errors(self._redis):
            return int(await self._redis.delete(keys.limit(f"g{guild}")))
