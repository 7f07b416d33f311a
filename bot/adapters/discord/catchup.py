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
from bot.chat.place import DISCORD_EPOCH_MS, ChannelId, MessageId, snowflake_seconds
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
PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, *([60.0] * 14))
"""Seconds between tries while Redis or Discord is away: `MAX_AGE` in all."""
_AWAY: Final = (
    discord.DiscordServerError,
    discord.RateLimited,
    aiohttp.ClientError,
    OSError,
    StoreError,
)
"""What passes by itself; TimeoutError is an OSError."""


class CatchUp:
    """Reads gaps, one at a time for each client."""

    def __init__(self, last_seen: LastSeen, prepare: Callable[[int], None]) -> None:
        """`prepare` is told each guild channel (a thread's parent) that is likely to be used."""
        self._last_seen = last_seen
        self._prepare = prepare
        self._running: set[int] = set()
        self._anew: set[int] = set()
        """Clients with another fresh session since their reading began."""
        self._from: dict[ChannelId, MessageId] = {}

    async def mark(self) -> None:
        """Remember where gaps begin, before a fresh session hears anything. Never raises.

        A message that comes while the session begins would else hide what came before it.
        """
        try:
            for channel, message in await self._last_seen.recent():
                self._from.setdefault(channel, message)
        except StoreError as error:
            log.info("gaps not marked", reason=str(error))

    async def run(self, client: TroupeBot) -> int:
        """Take what was missed, trying again while Redis or Discord is away.

        Return how many messages were for us.
        """
        if id(client) in self._running:
            self._anew.add(id(client))
            return 0
        self._running.add(id(client))
        try:
            return await self._run(client)
        finally:
            self._running.discard(id(client))
            self._anew.discard(id(client))

    async def _run(self, client: TroupeBot) -> int:
        taken, missed = 0, None
        for pause in PAUSES:
            if id(client) in self._anew:
                self._anew.discard(id(client))
                missed = None
            more, missed = await self._read(client, missed)
            taken += more
            if missed is not None and not missed and id(client) not in self._anew:
                break
            await asyncio.sleep(pause)
            if client.is_closed():
                break
        if taken:
            log.info("caught up", shard=client.shard_id, messages=taken)
        return taken

    async def _read(
        self, client: TroupeBot, only: frozenset[ChannelId] | None
    ) -> tuple[int, frozenset[ChannelId] | None]:
        """Read channels once; `only` those, or None for all that were used lately.

        Return how many messages were for us, and what is to be read again.
        """
        try:
            recent = (await self._last_seen.recent())[:MAX_CHANNELS]
        except StoreError as error:
            log.warning("not caught up yet", reason=str(error))
            return 0, only
        taken, missed, oldest = 0, set(), time.time() - MAX_AGE
        for channel, message in recent:
            if only is not None and channel not in only:
                continue
            begins = min(message, self._from.get(channel, message))
            since = max(oldest, snowflake_seconds(begins) - SLACK)
            try:
                async with asyncio.timeout(_CHANNEL_TIMEOUT):
                    taken += await self._channel(client, channel, since)
            except _AWAY as error:
                log.info("channel not caught up yet", reason=type(error).__name__)
                missed.add(channel)
            except (discord.HTTPException, discord.InvalidData) as error:
                log.info("channel not caught up", reason=type(error).__name__)
        return taken, frozenset(missed)

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
        self._from.pop(ident, None)
        return taken


def _ours(client: TroupeBot, channel: Any) -> bool:
    """Whether a channel belongs to this client's shard, and can be read."""
    if not isinstance(channel, discord.abc.Messageable):
        return False
    guild = getattr(channel, "guild", None)
    shard = (guild.id >> 22) % (client.shard_count or 1) if guild is not None else 0
    return shard == client.shard_id
