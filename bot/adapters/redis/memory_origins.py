"""Which messages and guilds people's memories came from: what a deletion there must find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.memory_records import origins
from bot.chat.place import ChannelId, GuildId, MessageId, UserId
from bot.memory.item import Item

AT_ONCE: Final = 500
"""Messages that one command names."""


class MemoryOrigins:
    """Hashes of message → person by channel, and sets of people by guild."""

    def __init__(self, redis: Client, lifetime_s: int) -> None:
        """`lifetime_s`: seconds for which an origin is kept after the last note of its place."""
        self._redis = redis
        self._lifetime = lifetime_s

    async def note(self, person: UserId, items: Sequence[Item]) -> None:
        """Note where items come from."""
        with store_errors(self._redis):
            for channel, messages in origins(items).items():
                key = keys.sources(ChannelId(channel))
                await self._redis.hset(key, mapping=dict.fromkeys(messages, str(person)))
                await self._redis.expire(key, self._lifetime)
            for guild in {item.guild for item in items if item.guild}:
                key = keys.guild(GuildId(guild), "memory")
                await self._redis.sadd(key, str(person))
                await self._redis.expire(key, self._lifetime)

    async def forget(self, person: UserId, items: Sequence[Item]) -> None:
        """Take a note back."""
        with store_errors(self._redis):
            for channel, messages in origins(items).items():
                await self._redis.hdel(keys.sources(ChannelId(channel)), *messages)
            for guild in {item.guild for item in items if item.guild}:
                await self._redis.srem(keys.guild(GuildId(guild), "memory"), str(person))

    async def forget_person(self, person: UserId, places: Iterable[bytes]) -> None:
        """Leave no mention of a person in places of the form `guild:channel`."""
        for place in places:
            guild, _, channel = place.decode().partition(":")
            await self._forget_mentions(person, keys.sources(ChannelId(int(channel))))
            if guild != "0":
                with store_errors(self._redis):
                    index = keys.guild(GuildId(int(guild)), "memory")
                    await self._redis.srem(index, str(person))

    async def _forget_mentions(self, person: UserId, sources: str) -> None:
        with store_errors(self._redis):
            messages = [
                message
                async for message, owner in self._redis.hscan_iter(sources, count=500)
                if owner == str(person).encode()
            ]
            for start in range(0, len(messages), AT_ONCE):
                await self._redis.hdel(sources, *messages[start : start + AT_ONCE])

    async def forget_guild(self, guild: GuildId) -> None:
        """Forget who had memories learned in a guild."""
        with store_errors(self._redis):
            await self._redis.delete(keys.guild(guild, "memory"))

    async def owners(
        self, channel: ChannelId, messages: Sequence[MessageId]
    ) -> dict[MessageId, UserId]:
        """Return whose memories came from these messages."""
        found: dict[MessageId, UserId] = {}
        for start in range(0, len(messages), AT_ONCE):
            part = messages[start : start + AT_ONCE]
            with store_errors(self._redis):
                users: Any = await self._redis.hmget(
                    keys.sources(channel), [str(message) for message in part]
                )
            found |= {m: UserId(int(u)) for m, u in zip(part, users, strict=True) if u is not None}
        return found

    async def members(self, guild: GuildId) -> Sequence[UserId]:
        """Return the people with memories learned in a guild."""
        with store_errors(self._redis):
            members: Any = await self._redis.smembers(keys.guild(guild, "memory"))
        return [UserId(int(member)) for member in members]
