"""Messages that came while nobody listened: after a restart, or a RESUME that failed.

Discord replays events only when a session is resumed. After a fresh IDENTIFY the gap is read from
the channels in which the bot was addressed lately. Reading too much does no harm: every message
is claimed before anything is done for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

import aiohttp
import discord
import structlog

from bot.adapters.discord.client import LastSeen, TroupeBot
from bot.adapters.discord.pacing import priority_of
from bot.chat.place import DISCORD_EPOCH_MS, ChannelId, snowflake_seconds
from bot.delivery.pacing import Priority
from bot.errors import StoreError

log = structlog.get_logger(__name__)

MAX_AGE: Final = 900.0
"""Seconds; an older question has found its answer elsewhere."""
MAX_CHANNELS: Final = 20
MAX_MESSAGES: Final = 50
SLACK: Final = 30.0
"""Seconds read again before the last seen message: events are handled side by side, so that a
later message may have been noted before an earlier one was claimed."""
_CHANNEL_TIMEOUT: Final = 20.0


class CatchUp:
    """Reads gaps, one at a time for each client."""

    def __init__(self, last_seen: LastSeen, prepare: Callable[[int], None]) -> None:
        """`prepare` is told each guild channel (a thread's parent) that is likely to be used."""
        self._last_seen = last_seen
        self._prepare = prepare
        self._running: set[int] = set()

    async def run(self, client: TroupeBot) -> int:
        """Take what was missed. Return how many messages were for us."""
        if id(client) in self._running:
            return 0
        self._running.add(id(client))
        try:
            return await self._run(client)
        finally:
            self._running.discard(id(client))

    async def _run(self, client: TroupeBot) -> int:
        taken = 0
        try:
            recent = await self._last_seen.recent()
        except StoreError as error:
            log.warning("not caught up", reason=str(error))
            return 0
        oldest = time.time() - MAX_AGE
        for channel, message in recent[:MAX_CHANNELS]:
            since = max(oldest, snowflake_seconds(message) - SLACK)
            try:
                async with asyncio.timeout(_CHANNEL_TIMEOUT):
                    taken += await self._channel(client, channel, since)
            except (
                discord.HTTPException,
                discord.InvalidData,
                discord.RateLimited,
                aiohttp.ClientError,
                OSError,
                StoreError,
            ) as error:
                log.info("channel not caught up", reason=type(error).__name__)
        if taken:
            log.info("caught up", shard=client.shard_id, messages=taken)
        return taken

    async def _channel(self, client: TroupeBot, ident: ChannelId, since: float) -> int:
        """Take one channel's messages, oldest first."""
        taken = 0
        with priority_of(Priority.LOOKUP):
            channel: Any = client.get_channel(ident) or await client.fetch_channel(ident)
            if not _ours(client, channel):
                return 0
            if getattr(channel, "guild", None) is not None:
                self._prepare(getattr(channel, "parent_id", None) or channel.id)
            after = discord.Object(int(since * 1000 - DISCORD_EPOCH_MS) << 22)
            newest = channel.history(limit=MAX_MESSAGES, after=after, oldest_first=False)
            found = [message async for message in newest]
        for message in reversed(found):
            taken += await client.take(message) is not None
        return taken


def _ours(client: TroupeBot, channel: Any) -> bool:
    """Whether a channel belongs to this client's shard, and can be read."""
    if not isinstance(channel, discord.abc.Messageable):
        return False
    guild = getattr(channel, "guild", None)
    shard = (guild.id >> 22) % (client.shard_count or 1) if guild is not None else 0
    return shard == client.shard_id
