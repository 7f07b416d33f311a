"""Reads rules, care cards and constitution anew when an operator changed a file.

Everything is read into a second room first. Only when all of it is sound does the room in service
take it over; until then the last good files stay in force, and the log says what is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import structlog

from bot.errors import SettingsRejected
from bot.files.data_files import personas_dir
from bot.guardrails.matching.rule_files import SHIPPED
from bot.guardrails.room import Guardrails

log = structlog.get_logger(__name__)

WATCH_EVERY = 3.0
"""Seconds between two looks at the files."""
MAX_FILES = 2000

Stamp = frozenset[tuple[str, int, int]]


class GuardFiles:
    """The files behind a room. `problems` are those of the last reading, one line each."""

    def __init__(
        self,
        rails: Guardrails,
        directory: Path | None,
        on_reload: Callable[[bool], None] | None = None,
    ) -> None:
        """`on_reload` is told whether changed files could be taken."""
        self._rails = rails
        self._directory = directory
        self._on_reload = on_reload
        self._stamp = _stamp(directory)
        self.problems: tuple[str, ...] = ()

    async def watch(self) -> None:
        """Look at the files every few seconds, for ever."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            await self.look()

    async def look(self) -> bool:
        """Read the files if one changed. Return whether other rules are in force now."""
        stamp = await asyncio.to_thread(_stamp, self._directory)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            fresh = await asyncio.to_thread(Guardrails.load, self._directory)
        except SettingsRejected as error:
            self.problems = tuple(error.problems)
            for problem in self.problems:
                log.warning("guardrails kept as they were", problem=problem)
        else:
            self.problems = ()
            self._rails.adopt(fresh)
            log.info("guardrails loaded again")
        if self._on_reload is not None:
            self._on_reload(not self.problems)
        return not self.problems


def _stamp(directory: Path | None) -> Stamp:
    """Return name, size and time of change of every file that `Guardrails.load` reads."""
    shipped = personas_dir()
    folders = [SHIPPED]
    for root in {shipped, directory or shipped}:
        folders += [root / "rules", root / "care"]
    paths = [path for folder in folders for path in islice(_listed(folder), MAX_FILES)]
    paths += [root / "constitution.md" for root in {shipped, directory or shipped}]
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue  # gone, or never there: its absence is the stamp
        found.add((str(path), status.st_size, status.st_mtime_ns))
    return frozenset(found)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*.toml"))
    except OSError:
        return []
