"""Of which servers, and of which of their channels, anything is kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.chat.place import ChannelId, GuildId, Place

_SERVER: Final = re.compile(rb"\{g:([1-9]\d{4,19})\}")


class RedisKeptPlaces:
    """Reads what the other stores have written; keeps nothing itself."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis

    async def servers(self) -> Sequence[GuildId]:
        """Return the servers of which there is any key. Walks through all keys.

        Raises:
            StoreError: Redis is away.
        """
        found: set[int] = set()
        with store_errors(self._redis):
            async for name in self._redis.scan_iter(keys.EVERY_SERVER, count=1_000):
                if server := _SERVER.search(name):
                    found.add(int(server[1]))
        return [GuildId(each) for each in sorted(found)]

    async def channels(self, server: GuildId) -> Sequence[ChannelId]:
        """Return the channels and threads of a server in which there is a conversation.

        Raises:
            StoreError: Redis is away.
        """
        with store_errors(self._redis):
            found: Any = await self._redis.smembers(keys.guild(server, "places"))
        return sorted(ChannelId(int(each)) for each in found)

    async def strike(self, place: Place) -> None:
        """Take a channel that is gone off its server's list, once nothing said there is left.

        Raises:
            StoreError: Redis is away.
        """
        if place.guild is None:
            return
        parts = dict(zip(keys.CONVERSATION_PARTS, keys.conversation(place.channel), strict=True))
        with store_errors(self._redis):
            if not await self._redis.exists(parts["rows"], parts["lines"]):
                await self._redis.srem(keys.guild(place.guild, "places"), str(place.channel))
