"""Messages that came while nobody listened: after a restart, or a RESUME that failed.

Discord replays events only when a session is resumed. After a fresh IDENTIFY the gap is read from
the channels in which the bot was addressed lately, and from those in which, as Discord tells with
a guild, something was said since the bot listened last. Reading too much does no harm: every
message is claimed before anything is done for it.

The same pages show what became of messages that were heard before: see `looking_back`. For that
alone the channels are read, too, that were used before those.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import aiohttp
import discord
import structlog

from bot.adapters.discord.calling.pacing import priority_of
from bot.adapters.discord.missed.looking_back import PAGE, Past, page_of
from bot.adapters.discord.reading.mapping import Us, answered_by, is_by_us, place_of_channel
from bot.adapters.discord.session.client import TroupeBot
from bot.adapters.discord.session.listener import LastSeen
from bot.adapters.discord.speaking.rows import is_stop
from bot.adapters.discord.unclaimed import shown_on
from bot.chat.place import ChannelId, MessageId, Place, snowflake_at, snowflake_seconds
from bot.delivery.pacing import Priority
from bot.errors import StoreError
from bot.personas.binding import TriggerMode

log = structlog.get_logger(__name__)

MAX_AGE: Final = 900.0
"""Seconds; an older question has found its answer elsewhere."""
MAX_CHANNELS: Final = 20
"""Channels that were used lately; and as many in which something was said meanwhile."""
LOOKED_AT: Final = 200
"""Channels with something new, of which those in mode `auto` are read first."""
MAX_MESSAGES: Final = 50
MAX_THREADS: Final = 5
"""Threads of ours of a channel that are compared with what is stored, the newest ones."""
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

    def __init__(
        self,
        last_seen: LastSeen,
        prepare: Callable[[int, int], None],
        mode_at: Callable[[Place], Awaitable[TriggerMode]],
        past: Past,
    ) -> None:
        """`prepare` is told each channel (a thread's parent) that is likely to be used, and its
        guild; `mode_at` says when the bot answers at a place, and may raise `StoreError`."""
        self._last_seen = last_seen
        self._prepare = prepare
        self._mode_at = mode_at
        self._past = past
        self._running: set[int] = set()
        self._anew: set[int] = set()
        """Clients with another fresh session since their reading began."""
        self._from: dict[ChannelId, MessageId] = {}
        self._listened: dict[int, float] = {}

    async def mark(self, shard: int) -> None:
        """Remember where gaps begin, before a fresh session hears anything. Never raises.

        A message that comes while the session begins would else hide what came before it.
        """
        try:
            for channel, message in await self._last_seen.recent():
                self._from.setdefault(channel, message)
            listened = await self._last_seen.listened_until(shard)
            if listened is not None:
                self._listened.setdefault(shard, listened)
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
        await self._listens(client.shard_id or 0)
        taken, missed = 0, None
        unmarked: Mapping[ChannelId, MessageId] = {}
        for pause in PAUSES:
            if id(client) in self._anew:
                self._anew.discard(id(client))
                missed = None
            if missed is None:
                unmarked = {**unmarked, **await self._unmarked(client)}
            more, missed = await self._read(client, missed, unmarked)
            taken += more
            if missed is not None and not missed and id(client) not in self._anew:
                break
            await asyncio.sleep(pause)
            if client.is_closed():
                break
        if not client.is_closed():
            self._listened.pop(client.shard_id or 0, None)
        if taken:
            log.info("caught up", shard=client.shard_id, messages=taken)
        return taken

    async def _listens(self, shard: int) -> None:
        """Note that a shard listens, as soon as it does so for the first time."""
        try:
            if await self._last_seen.listened_until(shard) is None:
                self._last_seen.listened(shard, time.time())
        except StoreError as error:
            log.info("first session not noted yet", reason=str(error))

    async def _unmarked(self, client: TroupeBot) -> Mapping[ChannelId, MessageId]:
        """Return guild channels in which something was said since the shard listened last, though
        perhaps never to us before, and where to begin with them. Nothing before a first start."""
        listened = self._listened.get(client.shard_id or 0)
        if listened is None:
            return {}
        since = max(listened - SLACK, time.time() - MAX_AGE)
        auto: list[ChannelId] = []
        others: list[ChannelId] = []
        for channel in await _spoken_in(client, since):
            try:
                mode = await self._mode_at(place_of_channel(channel, channel.guild.id))
            except StoreError as error:
                log.info("channel not caught up", reason=str(error))
                continue
            if mode is not TriggerMode.OFF:
                (auto if mode is TriggerMode.AUTO else others).append(ChannelId(channel.id))
        begins = MessageId(snowflake_at(listened))
        return dict.fromkeys((auto + others)[:MAX_CHANNELS], begins)

    async def _read(
        self,
        client: TroupeBot,
        only: frozenset[ChannelId] | None,
        unmarked: Mapping[ChannelId, MessageId],
    ) -> tuple[int, frozenset[ChannelId] | None]:
        """Read channels once; `only` those, or None for all: `unmarked`, and those used lately.

        Return how many messages were for us, and what is to be read again.
        """
        try:
            recent = await self._last_seen.recent()
        except StoreError as error:
            log.warning("not caught up yet", reason=str(error))
            return 0, only
        lately = recent[:MAX_CHANNELS]
        gaps = {c: min(m, self._from.get(c, m), unmarked.get(c, m)) for c, m in lately}
        gaps |= {c: m for c, m in unmarked.items() if c not in gaps}
        begins = {**gaps, **{c: None for c, _ in recent if c not in gaps}}
        taken, missed = 0, set()
        for channel in begins:
            if only is not None and channel not in only:
                continue
            try:
                async with asyncio.timeout(_CHANNEL_TIMEOUT):
                    taken += await self._channel(client, channel, begins[channel])
            except _AWAY as error:
                log.info("channel not caught up yet", reason=type(error).__name__)
                missed.add(channel)
            except (discord.HTTPException, discord.InvalidData) as error:
                log.info("channel not caught up", reason=type(error).__name__)
        return taken, frozenset(missed)

    async def _channel(self, client: TroupeBot, ident: ChannelId, begins: MessageId | None) -> int:
        """Take one channel's messages, oldest first; without `begins` only look back at it."""
        taken, since = 0, time.time() - MAX_AGE
        if begins is not None:
            since = max(since, snowflake_seconds(begins) - SLACK)
        with priority_of(Priority.LOOKUP):
            channel: Any = client.get_channel(ident) or await client.fetch_channel(ident)
            if not _ours(client, channel):
                return 0
            if begins is not None and (guild := getattr(channel, "guild", None)) is not None:
                self._prepare(getattr(channel, "parent_id", None) or channel.id, guild.id)
            latest = await self._look_back(client, channel, since, at_any_rate=begins is not None)
        if begins is None:
            return 0
        done = _answered_in(latest, client.us) if client.us is not None else frozenset()
        found = [message for message in latest if message.id > snowflake_at(since)]
        for message in reversed(found[:MAX_MESSAGES]):
            if message.id in done:
                continue
            taken += await client.take(message) is not None
        self._from.pop(ident, None)
        with priority_of(Priority.LOOKUP):
            await self._threads(client, channel, since)
        return taken

    async def _look_back(
        self, client: TroupeBot, channel: Any, since: float, *, at_any_rate: bool = True
    ) -> Sequence[discord.Message]:
        """Return a channel's latest messages, newest first, once what is stored of it was held
        against them. Without `at_any_rate` they are read only for that."""
        guild = getattr(channel, "guild", None)
        place = place_of_channel(channel, guild.id if guild is not None else None)
        kept = await self._past.kept(place)  # first: what is said later is not missed
        if not (kept or at_any_rate):
            return ()
        latest = [message async for message in channel.history(limit=PAGE)]
        if kept and client.us is not None and (guild is None or _readable(channel)):
            listened = self._listened.get(client.shard_id or 0)
            if listened is not None:
                since = listened - SLACK  # edits of old messages count, too
            wanted = frozenset(each.message for each in kept)
            page = await page_of(latest, client.us, wanted, since)
            if page is not None:
                await self._past.look(place, kept, page)
        return latest

    async def _threads(self, client: TroupeBot, channel: Any, since: float) -> None:
        """Look back at the threads that began with questions of a channel: what was asked there
        is stored with the thread."""
        us = client.user
        threads: Sequence[discord.Thread] = getattr(channel, "threads", ())
        ours = [each for each in threads if us is not None and each.owner_id == us.id]
        for thread in sorted(ours, key=lambda each: -each.id)[:MAX_THREADS]:
            await self._look_back(client, thread, since, at_any_rate=False)


def _answered_in(latest: Iterable[discord.Message], us: Us) -> frozenset[int]:
    """Return the messages to which we have replied as ourselves, in full: among them are those
    whose people read that they can't be answered, which may be noted nowhere else."""
    ours = (each for each in latest if is_by_us(each, us) and not any(map(is_stop, shown_on(each))))
    return frozenset(answers for each in ours if (answers := answered_by(each)) is not None)


async def _spoken_in(client: TroupeBot, since: float) -> list[Any]:
    """Return the channels and threads that have a message since then, the newest first."""
    found: list[tuple[int, Any]] = []
    for guild in client.guilds:
        for channel in (*guild.channels, *guild.threads):
            last = getattr(channel, "last_message_id", None)
            if last is not None and snowflake_seconds(last) >= since and _readable(channel):
                found.append((last, channel))
        await asyncio.sleep(0)  # there may be thousands
    found.sort(key=lambda pair: -pair[0])
    return [channel for _, channel in found[:LOOKED_AT]]


def _readable(channel: Any) -> bool:
    """Whether we may read what was said; Discord tells of channels that we can't see, too."""
    if channel.guild.me is None:
        return False
    try:
        mine: discord.Permissions = channel.permissions_for(channel.guild.me)
    except discord.ClientException:  # a thread whose parent we don't know
        return False
    return mine.view_channel and mine.read_message_history


def _ours(client: TroupeBot, channel: Any) -> bool:
    """Whether a channel belongs to this client's shard, and can be read."""
    if not isinstance(channel, discord.abc.Messageable):
        return False
    guild = getattr(channel, "guild", None)
    shard = (guild.id >> 22) % (client.shard_count or 1) if guild is not None else 0
    return shard == client.shard_id
