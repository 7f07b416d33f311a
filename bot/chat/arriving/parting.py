"""Servers, channels and threads that are gone: their turns end, then what is kept of them goes.

What a store misses, because it is away, is tried again by the upkeep.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from bot.chat.arriving.running_turns import RunningTurns
from bot.chat.arriving.unsaying import Unsaying
from bot.chat.place import ChannelId, GuildId, Place
from bot.chat.running import Ending, Running
from bot.errors import StoreError
from bot.recent import Recent

log = structlog.get_logger(__name__)

KEPT: Final = 1000
"""Places and servers that are known to be gone: what was said there may still be on its way."""
ENDING_AT_MOST: Final = 5.0
"""Seconds that their turns have to end."""


class KeepsServers(Protocol):
    """Keeps something of servers. It raises `StoreError` when it is away."""

    async def delete_guild(self, guild: GuildId) -> int: ...


class KeepsPlaces(Protocol):
    """Keeps something of places. It raises `StoreError` when it is away."""

    async def reset(self, place: Place) -> int: ...


class Parting:
    """Knows what is gone of late, and sees to it that nothing of it is left, or comes after."""

    def __init__(
        self,
        turns: RunningTurns,
        unsaying: Unsaying,
        servers: Sequence[KeepsServers],
        places: Sequence[KeepsPlaces],
    ) -> None:
        """Those that keep something forget it in this order."""
        self._turns = turns
        self._unsaying = unsaying
        self._servers = tuple(servers)
        self._places = tuple(places)
        self._gone = Recent[ChannelId | GuildId, None](KEPT)
        self._due: list[GuildId | Place] = []

    def __contains__(self, place: Place) -> bool:
        """Whether a place is gone: nothing that was said there is to be answered any more."""
        return any(each in self._gone for each in (place.guild, place.channel, place.parent))

    async def left(self, guild: GuildId) -> None:
        """We are no member of a server any more: end what runs there, and forget it."""
        self._gone[guild] = None
        await self._end(lambda run: run.turn.place.guild == guild)
        await self._forget([guild])

    def back(self, guild: GuildId) -> None:
        """We are a member of a server, perhaps again: what is not forgotten yet by then is not, or
        what people set and say from now on would go along."""
        self._gone.pop(guild, None)
        with contextlib.suppress(ValueError):
            self._due.remove(guild)

    async def closed(self, place: Place) -> None:
        """A channel or thread was deleted: end what runs there and in its threads, and forget
        what was said. What people let us remember stays theirs."""
        self._gone[place.channel] = None
        ended = await self._end(
            lambda run: place.channel in (run.turn.place.channel, run.turn.place.parent)
        )
        threads = [run.turn.place for run in ended if run.turn.place.channel != place.channel]
        await self._forget([place, *dict.fromkeys(threads)])

    async def catch_up(self) -> None:
        """Forget what is still to be forgotten.

        Raises:
            StoreError: a store is away.
        """
        for due in tuple(self._due):
            if isinstance(due, Place):
                for kept in self._places:
                    await kept.reset(due)
            else:
                for store in self._servers:
                    await store.delete_guild(due)
            if due in self._due:
                self._due.remove(due)

    async def _forget(self, due: Sequence[GuildId | Place]) -> None:
        self._due += due
        try:
            await self.catch_up()
        except StoreError as error:
            log.warning("not forgotten yet", reason=str(error))

    async def _end(self, concerned: Callable[[Running], bool]) -> list[Running]:
        """End turns; what they may have written, and what is on its way, is never stored."""
        ended = [run for run in self._turns if concerned(run)]
        for run in ended:
            self._turns.stop(run, Ending.CLOSED)
        for run in ended:
            try:
                await self._unsaying.remove(run.turn.place, {*run.concerns, *run.turn.message_ids})
            except StoreError as error:
                log.warning("turn not taken back yet", turn=run.turn.id, reason=str(error))
        if tasks := [run.task for run in ended if run.task is not None]:
            await asyncio.wait(tasks, timeout=ENDING_AT_MOST)
        return ended
