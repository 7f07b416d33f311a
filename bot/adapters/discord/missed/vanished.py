"""Servers, channels and threads that went while nobody listened, or without an event.

Discord tells of a server that removes the bot, and of a channel that is deleted, once, to whoever
listens; of the archived threads of a deleted channel it never tells. So what is kept is held
against what is there: after each fresh session, and after each deletion of a channel.

Nothing is taken for gone because it is not seen. Discord has to say that it is unknown, or, of a
server, that we have no access, and it has to say so to the application that wrote what is kept. In
an outage it may say so of what is there, and may leave servers out: so it has to say so at each
look for a whole day, be it over restarts. A server in an outage is mostly announced as
unavailable; nothing in it is looked at until it is back.

Of a channel whose deletion was heard it is enough that Discord says it twice of its threads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import discord
import structlog
from discord.ext import commands

from bot.adapters.discord.calling.pacing import priority_of
from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.place import ChannelId, GuildId, Place
from bot.delivery.pacing import Priority
from bot.errors import StoreError
from bot.recent import Recent

log = structlog.get_logger(__name__)

ASKED_AGAIN_AFTER: Final = 60.0
"""Seconds after which Discord is asked once more about the threads of a deleted channel."""
FOR_SO_LONG: Final = 86_400.0
"""Seconds for which Discord has to say of what nobody heard of that it is gone: no outage of its
has lasted so long."""
LOOK_EVERY: Final = 3_600.0
"""Seconds between two looks while there is something of which it says so."""
PAUSES: Final = (10.0, 60.0, 300.0, 900.0)
"""Seconds between tries while Redis or Discord is away; after the last one the next session looks.
"""
_SEEN: Final = 5_000
_APPLICATION: Final = "application"
_UNKNOWN_CHANNEL: Final = frozenset({10003})
_NO_MEMBER: Final = frozenset({10004, 50001})
"""Discord answers about the servers of others with either."""


class KeptPlaces(Protocol):
    """Knows of what anything is kept; all of it may raise `StoreError`."""

    async def servers(self) -> Sequence[GuildId]: ...

    async def channels(self, server: GuildId) -> Sequence[ChannelId]: ...

    async def strike(self, place: Place) -> None: ...


class Forgets(Protocol):
    """Ends what runs there, and forgets the rest."""

    async def left(self, guild: GuildId) -> None: ...

    async def closed(self, place: Place) -> None: ...


class Remembered(Protocol):
    """Keeps a small value by name across restarts; it may raise `StoreError`."""

    async def get(self, name: str) -> Any: ...

    async def set(self, name: str, value: Any) -> None: ...


class Vanished(commands.Cog):
    """Finds out what is gone, and has it forgotten."""

    def __init__(
        self,
        client: commands.Bot,
        desk: Desk,
        kept: KeptPlaces,
        forgets: Forgets,
        remembered: Remembered,
    ) -> None:
        self._client = client
        self._desk = desk
        self._kept = kept
        self._forgets = forgets
        self._remembered = remembered
        self._parents = Recent[int, int | None](_SEEN)
        """The channels above archived threads that were asked about, by thread."""
        self._looking = asyncio.Lock()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Look at everything that is kept of the client's servers, after a fresh session."""
        if not self._looking.locked():
            # Nobody who waits for the end of the program waits for this.
            self._desk.own(self._look_patiently(), "tidy")

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Look at the threads that a channel may have had."""
        self._desk.own(self._threads_of(channel), "tidy")

    async def _threads_of(self, channel: discord.abc.GuildChannel) -> None:
        guild = channel.guild
        try:
            unseen = await self._unseen(guild)
            perhaps = [each for each in unseen if self._parents.get(each, channel.id) == channel.id]
            if gone := await self._denied(perhaps, self._unknown):
                await asyncio.sleep(ASKED_AGAIN_AFTER)
            for each in await self._denied(gone, self._unknown):
                await self._close(guild.id, each)
        except (StoreError, *FAILED) as error:
            log.info("threads not looked at", reason=type(error).__name__)

    async def _look_patiently(self) -> None:
        async with self._looking:
            while True:
                if not await self._look_in_the_end():
                    return
                await asyncio.sleep(LOOK_EVERY)

    async def _look_in_the_end(self) -> bool:
        """Look, over an outage of Redis or Discord; return whether to look again."""
        for pause in PAUSES:
            try:
                return await self._look()
            except (StoreError, *FAILED) as error:
                log.info("vanished places not looked at", reason=type(error).__name__)
            await asyncio.sleep(pause)
        return False

    async def _look(self) -> bool:
        """Forget what Discord has said to be gone for long enough; return whether there is more
        of which it says so."""
        if not await self._is_ours():
            return False
        servers = await self._kept.servers()
        missing = [each for each in servers if self._serves(each) and not self._is_in(each)]
        known, denied = frozenset(servers), await self._denied(missing, self._no_member)
        homes: dict[int, int] = {}
        for guild in tuple(self._client.guilds):
            if guild.id in known and not guild.unavailable:
                unseen = await self._unseen(guild)
                homes |= dict.fromkeys(await self._denied(unseen, self._unknown), guild.id)
        since = await self._said_since([*denied, *homes])
        await self._note(since)
        due = {each for each, at in since.items() if time.time() - at >= FOR_SO_LONG}
        for server in due.intersection(denied):
            if not self._is_in(server):  # nor was it joined meanwhile
                log.info("server left unheard", guild=server)
                await self._forgets.left(GuildId(server))
        for channel in due.intersection(homes):
            await self._close(homes[channel], channel)
        left = {each: at for each, at in since.items() if each not in due}
        await self._note(left)
        return bool(left)

    async def _said_since(self, gone: Sequence[int]) -> dict[int, float]:
        """Return since when Discord has said of each of these, at each look, that it is gone; in
        unix seconds."""
        before, now = await self._remembered.get(self._said_gone) or {}, time.time()
        return {each: float(before.get(str(each), now)) for each in gone}

    async def _note(self, since: Mapping[int, float]) -> None:
        """Note it; what Discord does not say so of any more begins anew the next time."""
        await self._remembered.set(self._said_gone, {str(k): at for k, at in since.items()})

    @property
    def _said_gone(self) -> str:
        return f"said_gone:{self._client.shard_id or 0}"

    async def _is_ours(self) -> bool:
        """Whether this application wrote what is kept: another one is in other servers."""
        wrote, ours = await self._remembered.get(_APPLICATION), self._client.application_id
        if wrote is None:
            await self._remembered.set(_APPLICATION, ours)
        elif wrote != ours:
            log.warning("another application's database: nothing is taken for gone", wrote=wrote)
        return bool(wrote == ours)

    def _serves(self, server: int) -> bool:
        """Whether Discord tells this client of a server."""
        client = self._client
        return (server >> 22) % (client.shard_count or 1) == (client.shard_id or 0)

    def _is_in(self, server: int) -> bool:
        """Whether the session has told of a server, be it only that it is unavailable."""
        return self._client.get_guild(server) is not None

    async def _unseen(self, guild: discord.Guild) -> list[ChannelId]:
        """Return what is kept of channels and threads that Discord has not told us of: archived
        threads, what we may not see, and what is gone."""
        kept, seen = await self._kept.channels(GuildId(guild.id)), _seen(guild)
        return [each for each in kept if each not in seen]

    async def _close(self, server: int, channel: int) -> None:
        guild = self._client.get_guild(server)
        if guild is None or guild.unavailable or channel in _seen(guild):
            return  # an outage began, or ended, since Discord was asked
        place = Place(ChannelId(channel), GuildId(server))
        log.info("channel deleted unheard", channel=channel)
        await self._forgets.closed(place)
        await self._kept.strike(place)

    async def _denied(
        self, perhaps: Sequence[int], is_gone: Callable[[int], Awaitable[bool]]
    ) -> list[int]:
        """Return what Discord says is gone."""
        with priority_of(Priority.TIDY):
            return [each for each in perhaps if await is_gone(each)]

    async def _no_member(self, server: int) -> bool:
        try:
            await self._desk.calls.guild(server)
        except (discord.NotFound, discord.Forbidden) as error:
            return error.code in _NO_MEMBER
        return False

    async def _unknown(self, channel: int) -> bool:
        try:
            found = await self._desk.calls.channel(channel)
        except (discord.NotFound, discord.Forbidden) as error:
            return error.code in _UNKNOWN_CHANNEL
        parent = found.get("parent_id")
        self._parents[channel] = int(parent) if parent else None
        return False


def _seen(guild: discord.Guild) -> set[int]:
    """Return the channels and threads that Discord has told us of."""
    channels = {each.id for each in guild.channels}
    return channels | {each.id for each in guild.threads if each.parent_id in channels}
