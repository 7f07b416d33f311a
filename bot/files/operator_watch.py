"""An operator's file that is read again when it changes: checked whole, then taken at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import structlog

from bot.errors import SettingsRejected

log = structlog.get_logger(__name__)

WATCH_EVERY = 3.0
"""Seconds between two looks at the file."""

Reading: TypeAlias = Callable[[], Callable[[], None]]
"""Reads a file, in a thread, and returns what takes it into service, on the event loop.

Raises `SettingsRejected` where the file is wrong."""
_Stamp: TypeAlias = "tuple[int, int, int] | None"


class OperatorFile:
    """A file behind what is in service. What is wrong in it leaves the last good one in force."""

    def __init__(
        self,
        path: Path,
        *,
        on_reload: Callable[[str, bool], None] = lambda name, ok: None,
        every_s: float = WATCH_EVERY,
    ) -> None:
        """Made before the file is first read, so that no change in between is missed.

        `on_reload` is told the file's name, and whether it could be taken.
        """
        self._path = path
        self._on_reload = on_reload
        self._every = every_s
        self._stamp = _stamp(path)

    async def watch(self, read: Reading) -> None:
        """Look at the file every few seconds. Endless."""
        while True:
            await asyncio.sleep(self._every)
            await self.look(read)

    async def look(self, read: Reading) -> bool:
        """Read the file if it changed. Return whether it was taken into service."""
        stamp = await asyncio.to_thread(_stamp, self._path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        name = self._path.name
        try:
            take = await asyncio.to_thread(read)
        except SettingsRejected as error:
            for problem in error.problems:
                log.warning("file kept as it was", file=name, problem=problem)
            self._on_reload(name, False)
            return False
        take()
        log.info("file loaded again", file=name)
        self._on_reload(name, True)
        return True


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None  # gone, or never there
    return found.st_mtime_ns, found.st_size, found.st_ino
