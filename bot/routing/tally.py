"""Counts of decisions by guild, for `/route stats`. Written to the store in batches."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Protocol

import structlog

from bot.chat.place import GuildId
from bot.errors import StoreError
from bot.routing.route import RouteDecision

log = structlog.get_logger(__name__)

FLUSH_S = 10.0
"""Seconds between two writes."""
_GUILDS = 5_000
"""Guilds counted since the start; the one silent for longest goes first."""

Counts = Mapping[str, int]
"""By name: `decisions`, `route:…`, `source:…`, `abstained`, `flips`, `corrections`."""


class CountStore(Protocol):
    """Where counts of the last day are kept."""

    async def add(self, counts: Mapping[GuildId, Counts]) -> None:
        """Add counts to those of the present hour.

        Raises:
            StoreError: the store is away.
        """
        ...


class Tally:
    """Counts since the start, and what of them is not written yet."""

    def __init__(self) -> None:
        self._since_start: OrderedDict[GuildId, Counter[str]] = OrderedDict()
        self._unwritten: dict[GuildId, Counter[str]] = {}

    def count(
        self,
        guild: GuildId | None,
        decision: RouteDecision,
        *,
        abstained: str | None,
        flipped: bool,
    ) -> None:
        """Count one decision. Direct messages belong to no guild and are not counted."""
        names = ["decisions", f"route:{decision.route}", f"source:{decision.source}"]
        names += ["abstained"] if abstained else []
        names += ["flips"] if flipped else []
        self._add(guild, names)

    def corrected(self, guild: GuildId | None) -> None:
        """Count one correction."""
        self._add(guild, ["corrections"])

    def since_start(self, guild: GuildId) -> Counts:
        """Return a guild's counts since this process began."""
        return dict(self._since_start.get(guild, Counter()))

    async def flush(self, store: CountStore) -> None:
        """Write what is not written yet; what the store misses is tried again next time."""
        unwritten, self._unwritten = self._unwritten, {}
        if not unwritten:
            return
        try:
            await store.add(unwritten)
        except StoreError as error:
            log.info("route counts not written yet", reason=str(error))
            self._put_back(unwritten)
        except asyncio.CancelledError:
            self._put_back(unwritten)
            raise

    async def delete_guild(self, guild: GuildId) -> int:
        """Forget a guild's counts."""
        self._unwritten.pop(guild, None)
        return sum((self._since_start.pop(guild, None) or Counter()).values())

    async def keep_flushing(self, store: CountStore) -> None:
        """Write every few seconds. Endless."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush(store)

    def _add(self, guild: GuildId | None, names: list[str]) -> None:
        if guild is None:
            return
        self._since_start.setdefault(guild, Counter()).update(names)
        self._since_start.move_to_end(guild)
        while len(self._since_start) > _GUILDS:
            self._since_start.popitem(last=False)
        self._unwritten.setdefault(guild, Counter()).update(names)

    def _put_back(self, counts: Mapping[GuildId, Counts]) -> None:
        for guild, each in list(counts.items())[:_GUILDS]:
            self._unwritten.setdefault(guild, Counter()).update(each)
