"""How far each channel was read, and until when: written rarely, read once after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.write_behind import WriteBehind
from bot.chat.place import DISCORD_EPOCH_MS, ChannelId, MessageId
from bot.scheduling.afterwards import A_MOMENT

WRITE_EVERY: Final = 2.0
"""Seconds between two writes: one for all that was noted meanwhile. The first comes in a moment."""
KEPT: Final = 200
"""Channels that are remembered, by their last message."""
_LIFETIME: Final = 31 * 86_400
"""Seconds: as long as conversations are kept, which are held against these channels after a gap."""


class RedisLastSeen:
    """Last messages by channel, in one sorted set scored by the message's time.

    Milliseconds, not message ids: a score is a double, which can't hold an id.
    """

    def __init__(self, redis: Client, *, owner: str = "0-1") -> None:
        """`owner` keeps apart what processes with other shards note."""
        self._redis = redis
        self._key = keys.state(f"seen:{owner}")
        self._listening = keys.state(f"listened:{owner}")
        self._listened: dict[int, float] = {}
        self._noted: dict[ChannelId, int] = {}
        self._writing = asyncio.Lock()
        # The first in a moment: whoever is killed within seconds of a start leaves a gap, too.
        self._later = WriteBehind("last seen", self.flush, every=WRITE_EVERY, first=A_MOMENT)

    def note(self, channel: ChannelId, message: MessageId) -> None:
        """Remember that a message was read; written within `WRITE_EVERY` seconds."""
        milliseconds = (message >> 22) + DISCORD_EPOCH_MS
        self._noted[channel] = max(milliseconds, self._noted.get(channel, 0))
        self._later.soon()

    def listened(self, shard: int, at: float) -> None:
        """Remember when a shard's gateway was last heard; written in the same way."""
        self._listened[shard] = at
        self._later.soon()

    async def listened_until(self, shard: int) -> float | None:
        """Return the unix time at which a shard's gateway was last heard; None if never.

        Raises:
            StoreError: Redis is away.
        """
        if shard in self._listened:
            return self._listened[shard]
        with store_errors(self._redis):
            found: Any = await self._redis.hget(self._listening, str(shard))
        return None if found is None else float(found)

    async def recent(self) -> Sequence[tuple[ChannelId, MessageId]]:
        """Return channels and the first id of their last message's millisecond, newest first.

        What was noted a moment ago is written first: a session may end right after it.

        Raises:
            StoreError: Redis is away.
        """
        await self.flush()
        with store_errors(self._redis):
            rows: Any = await self._redis.zrevrange(self._key, 0, KEPT - 1, withscores=True)
        return [
            (ChannelId(int(channel)), MessageId((int(score) - DISCORD_EPOCH_MS) << 22))
            for channel, score in rows
        ]

    async def flush(self) -> None:
        """Write what was noted.

        Raises:
            StoreError: Redis is away; the notes are kept.
        """
        async with self._writing:
            noted, self._noted = self._noted, {}
            if not noted and not self._listened:
                return
            try:
                await self._write(noted)
            except BaseException:  # also when it is cancelled
                self._later.soon()
                for channel, at in noted.items():
                    self._noted[channel] = max(at, self._noted.get(channel, 0))
                raise

    async def close(self) -> None:
        """Write the rest."""
        await self._later.close()

    async def _write(self, noted: Mapping[ChannelId, int]) -> None:
        with store_errors(self._redis):
            batch = self._redis.pipeline(transaction=False)
            if noted:
                batch.zadd(self._key, {str(c): at for c, at in noted.items()}, gt=True)
                batch.zremrangebyrank(self._key, 0, -KEPT - 1)
                batch.expire(self._key, _LIFETIME)
            if self._listened:
                batch.hset(
                    self._listening, mapping={str(s): at for s, at in self._listened.items()}
                )
                batch.expire(self._listening, _LIFETIME)
            await batch.execute()
