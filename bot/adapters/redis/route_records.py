"""How a correction of the router is written down, and counts of its decisions by the hour."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.fields import Fields, dump, ident, read
from bot.chat.place import GuildId, MessageId, UserId
from bot.errors import RecordCorrupt
from bot.routing.corrections import SKETCH, TEXT_CHARACTERS, Correction
from bot.routing.route import Route

HOURS: Final = 24
_LIFE_S: Final = (HOURS + 1) * 3600
_NAMES: Final = 64
"""Names of counts that are read of one hour; there are about twenty."""
_MESSAGES: Final = 100


def correction_record(correction: Correction) -> bytes:
    """Return a correction as bytes, to be sealed."""
    text = correction.text
    return dump(
        {
            "m": list(correction.messages[:_MESSAGES]),
            "a": correction.author,
            "b": correction.by,
            "l": correction.label.value,
            "i": correction.instead_of.value,
            "at": correction.at,
            "f": list(correction.features[:SKETCH]),
            "v": correction.version,
            "p": correction.follows.value if correction.follows else None,
            "c": correction.continues,
            "t": text[:TEXT_CHARACTERS] if text is not None else None,
        }
    )


def correction_of(data: bytes) -> Correction:
    """Read a correction.

    Raises:
        RecordCorrupt: it is none.
    """
    record = read(data)
    fields = Fields(record)
    text, follows = record.get("t"), record.get("p")
    if text is not None and not isinstance(text, str):
        raise RecordCorrupt("a correction's text is no text")
    messages = tuple(MessageId(ident(each)) for each in _list(record, "m", _MESSAGES))
    if not messages:
        raise RecordCorrupt("a correction is about no message")
    return Correction(
        messages=messages,
        author=UserId(fields.ident("a")),
        by=UserId(fields.ident("b")),
        label=_route(record.get("l")),
        instead_of=_route(record.get("i")),
        at=fields.seconds("at"),
        features=tuple(sorted(ident(each) for each in _list(record, "f", SKETCH))),
        version=ident(record.get("v")),
        follows=_route(follows) if follows is not None else None,
        continues=record.get("c") is True,
        text=text,
    )


def _list(record: Mapping[str, Any], name: str, most: int) -> list[Any]:
    found = record.get(name)
    if not isinstance(found, list) or len(found) > most:
        raise RecordCorrupt(f"a correction's {name} is no list, or too long")
    return found


def _route(value: Any) -> Route:
    try:
        return Route(value)
    except ValueError as error:
        raise RecordCorrupt("a correction names no route") from error


class RedisRouteCounts:
    """Counts of decisions by guild and hour: `bot.routing.tally.CountStore`."""

    def __init__(self, redis: Client, *, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._now = now

    async def add(self, counts: Mapping[GuildId, Mapping[str, int]]) -> None:
        """Add counts to those of the present hour, in one round trip.

        Raises:
            StoreError: Redis is away. Counts may have arrived all the same: they are no accounts.
        """
        hour = int(self._now()) // 3600
        with store_errors(self._redis):
            batch = self._redis.pipeline(transaction=False)
            for guild, by_name in counts.items():
                name = _key(guild, hour)
                for each, count in by_name.items():
                    batch.hincrby(name, each, count)
                batch.expire(name, _LIFE_S)
            await batch.execute()

    async def last_day(self, guild: GuildId) -> Mapping[str, int]:
        """Return the counts of the last 24 hours, this one included.

        Raises:
            StoreError: Redis is away.
        """
        hour = int(self._now()) // 3600
        with store_errors(self._redis):
            batch = self._redis.pipeline(transaction=False)
            for each in range(hour - HOURS + 1, hour + 1):
                batch.hgetall(_key(guild, each))
            hours: list[Mapping[bytes, bytes]] = await batch.execute()
        total: Counter[str] = Counter()
        for counts in hours:
            for field, count in list(counts.items())[:_NAMES]:
                if count.isdigit():
                    total[field.decode("ascii", "replace")] += int(count)
        return dict(total)

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove a guild's counts."""
        hour = int(self._now()) // 3600
        names = [_key(guild, each) for each in range(hour - HOURS, hour + 1)]
        with store_errors(self._redis):
            return int(await self._redis.delete(*names))


def _key(guild: GuildId, hour: int) -> str:
    return keys.guild(guild, f"routed:{hour}")
