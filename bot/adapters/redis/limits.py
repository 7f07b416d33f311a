"""Token buckets in Redis: `bot.ports.RateLimiter`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.scripts import Script
from bot.chat.place import GuildId, UserId

TAKE: Final = Script("take")


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket: `burst` turns at once, refilled with `per_minute` turns a minute."""

    burst: int
    per_minute: float

    def __post_init__(self) -> None:
        if self.burst < 1 or self.per_minute <= 0:
            raise ValueError("a rate needs a burst of 1 or more, and more than 0 a minute")


class RedisLimiter:
    """One bucket a person, over all guilds, and one a guild. Shared by all processes."""

    def __init__(self, redis: Client, *, person_rate: Rate, guild_rate: Rate) -> None:
        self._redis = redis
        self._person_rate = person_rate
        self._guild_rate = guild_rate

    async def take(self, person: UserId, guild: GuildId | None) -> float:
        """Take one turn's worth of both, or of neither.

        Return 0.0 when granted, else the seconds after which both may grant it. The buckets lie
        in different Cluster slots: they are asked at once, and one that granted alone gets its
        token back.

        Raises:
            StoreError: Redis is away.
        """
        buckets = [(keys.person(person, "limit"), self._person_rate)]
        if guild is not None:
            buckets.append((keys.guild(guild, "limit"), self._guild_rate))
        if len(buckets) == 1:
            return await self._take(*buckets[0], 1)
        waits = await asyncio.gather(*(self._take(name, rate, 1) for name, rate in buckets))
        wait = max(waits)
        if wait > 0:
            for (name, rate), refused in zip(buckets, waits, strict=True):
                if not refused:
                    await self._take(name, rate, -1)
        return wait

    async def _take(self, name: str, rate: Rate, tokens: int) -> float:
        args = [rate.burst, rate.per_minute / 60, tokens]
        return int(await TAKE.run(self._redis, [name], args)) / 1000

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """A bucket holds a count and a time, gone within minutes: there is nothing to tell."""
        return {}

    async def delete_person(self, person: UserId) -> int:
        """Remove the person's bucket."""
        with store_errors(self._redis):
            return int(await self._redis.delete(keys.person(person, "limit")))

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove the guild's bucket."""
        with store_errors(self._redis):
            return int(await self._redis.delete(keys.guild(guild, "limit")))
