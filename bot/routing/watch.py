"""Hot reload of the route table: a new file is tried on canary messages, then takes over.

The file is read and tried in a thread, as an object of its own; messages go on being routed by
the old one. Putting it into service is one assignment on the event loop, between two messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import structlog

from bot.errors import SettingsRejected
from bot.routing.promotion import checked_router
from bot.routing.router import SHIPPED, Router
from bot.routing.table import RouteTable

log = structlog.get_logger(__name__)

EVERY_S = 2.0
"""Seconds between two looks."""

_Stamp: TypeAlias = "tuple[Path, int, int, int]"


class TableWatch:
    """Keeps a router on the operator's newest good table. The first file that exists counts."""

    def __init__(
        self,
        router: Router,
        places: Sequence[Path],
        *,
        every_s: float = EVERY_S,
        on_reload: Callable[[str, Router], None] = lambda outcome, router: None,
    ) -> None:
        """Take where operators put tables, most important first; the shipped one comes last.

        `on_reload` is told `loaded` or `refused`, and the router.
        """
        self._router = router
        self._places = (*places, SHIPPED)
        self._every = every_s
        self._on_reload = on_reload
        # A router with a table has the shipped one: it is not read twice.
        self._tried: _Stamp | None = _stamp(SHIPPED) if router.table is not None else None

    async def run(self) -> None:
        """Look for a new file every few seconds. Endless."""
        while True:
            await self.look()
            await asyncio.sleep(self._every)

    async def look(self) -> bool:
        """Put a new table into service if there is one that is good. Return whether it did."""
        stamp = await asyncio.to_thread(self._newest)
        if stamp is None or stamp == self._tried:
            return False
        self._tried = stamp
        file = stamp[0]
        try:
            table = (await asyncio.to_thread(checked_router, file)).table
        except (SettingsRejected, OSError, ValueError) as error:
            log.warning("route table refused", file=str(file), reason=str(error))
            self._on_reload("refused", self._router)
            return False
        if table is None or self._same(table):
            return False
        self._router.adopt(table)
        log.info("route table loaded", file=str(file), sha256=table.header.digest[:12])
        self._on_reload("loaded", self._router)
        return True

    def _same(self, table: RouteTable) -> bool:
        serving = self._router.table
        return serving is not None and serving.header == table.header

    def _newest(self) -> _Stamp | None:
        return next(filter(None, map(_stamp, self._places)), None)


def _stamp(place: Path) -> _Stamp | None:
    try:
        found = place.stat()
    except OSError:
        return None
    return place, found.st_mtime_ns, found.st_size, found.st_ino
