"""Risk trends in Redis: `bot.guardrails.caring.risk.TrendStore`. Numbers only, and those sealed:
what they say is about a person's health."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.crypto import Sealer
from bot.chat.place import GuildId, UserId
from bot.errors import RecordCorrupt
from bot.guardrails.caring.risk import CLAIMED_FOR, ELSEWHERE, LIFETIME, MINOR_FOR, seen_from

log = structlog.get_logger(__name__)

TRENDS: Final = "trends"
LASTING: Final = "minor_until"
"""The one number that outlives `LIFETIME`: a minor is no adult after a week of silence."""
NUMBERS: Final = 40


class RedisTrends:
    """One hash a person: guild id, or `dm` → sealed numbers and when they were written."""

    def __init__(self, redis: Client, sealer: Sealer) -> None:
        self._redis = redis
        self._sealer = sealer

    async def load(self, person: UserId, where: str) -> Mapping[str, float]:
        """Return the numbers, as they are `seen_from` this place; empty for a person not seen for
        `LIFETIME` seconds.

        Raises:
            StoreError: Redis is away.
        """
        name = keys.person(person, TRENDS)
        with store_errors(self._redis):
            stored: Any = await self._redis.hgetall(name)
        places = {w.decode(): self._read(name, w.decode(), sealed) for w, sealed in stored.items()}
        numbers = places.pop(where, {})
        return seen_from(numbers, places.values())

    async def save(self, person: UserId, where: str, numbers: Mapping[str, float]) -> None:
        """Replace the numbers.

        Raises:
            StoreError: Redis is away.
        """
        name, now = keys.person(person, TRENDS), time.time()
        own = {name: value for name, value in numbers.items() if name != ELSEWHERE}
        record = json.dumps({"at": now, "n": own}, separators=(",", ":"))
        lasts = max(LIFETIME, int(numbers.get(LASTING, 0.0) - now))
        with store_errors(self._redis):
            batch = self._redis.pipeline(transaction=False)
            batch.hset(name, where, self._sealer.seal(record.encode(), name, where))
            batch.expire(name, lasts, gt=True)  # a flag in another place may last longer
            batch.expire(name, lasts, nx=True)
            fresh, *_ = await batch.execute()
        if fresh and where.isdecimal():
            people = keys.guild(GuildId(int(where)), TRENDS)
            with store_errors(self._redis):
                await self._redis.sadd(people, str(person))
                await self._redis.expire(people, int(MINOR_FOR))

    async def claim(self, person: UserId, where: str, turn: str) -> bool:
        """Whether this turn may tell the person what speaks to them; see `TrendStore`.

        Raises:
            StoreError: Redis is away.
        """
        with store_errors(self._redis):
            held: Any = await self._redis.set(
                keys.telling(person, where), turn, nx=True, get=True, ex=CLAIMED_FOR
            )
        return held is None or held.decode() == turn

    def _read(self, name: str, where: str, sealed: bytes) -> dict[str, float]:
        try:
            record = json.loads(self._sealer.open(sealed, name, where))
            age = time.time() - float(record["at"])
            numbers = {str(k): float(v) for k, v in record["n"].items()}
            if len(numbers) > NUMBERS or not all(map(math.isfinite, numbers.values())):
                raise ValueError("out of bounds")
        except (RecordCorrupt, ValueError, TypeError, KeyError, AttributeError) as error:
            # Care goes on with an empty state rather than not at all.
            log.warning("trend unreadable", reason=type(error).__name__)
            return {}
        if age <= LIFETIME:
            return numbers
        return {k: v for k, v in numbers.items() if k == LASTING}

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return the person's numbers by place."""
        name = keys.person(person, TRENDS)
        with store_errors(self._redis):
            stored: Any = await self._redis.hgetall(name)
        trends = {w.decode(): self._read(name, w.decode(), s) for w, s in stored.items()}
        return {"trends": trends} if trends else {}

    async def delete_person(self, person: UserId) -> int:
        """Remove the person's numbers, also those that no key opens any more."""
        name = keys.person(person, TRENDS)
        with store_errors(self._redis):
            places: Any = await self._redis.hkeys(name)
            await self._redis.unlink(name, *(keys.telling(person, p.decode()) for p in places))
        for where in (place.decode() for place in places):
            if where.isdecimal():
                with store_errors(self._redis):
                    people = keys.guild(GuildId(int(where)), TRENDS)
                    await self._redis.srem(people, str(person))
        return len(places)

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove what is known of people in the guild."""
        index, count = keys.guild(guild, TRENDS), 0
        with store_errors(self._redis):
            people: Any = await self._redis.smembers(index)
            for person in people:
                name = keys.person(UserId(int(person)), TRENDS)
                count += int(await self._redis.hdel(name, str(guild)))
            await self._redis.unlink(index)
        return count
