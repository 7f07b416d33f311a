"""Endless work of the process: the watchers, the upkeep, the samplers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)

CANCELS = 5
"""How often a task is told to end."""


class Background:
    """Endless tasks, owned: one that fails is logged and begun again."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def keep(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work()` until `close`, again and again with a growing pause after failures."""
        self._tasks.append(asyncio.create_task(_again(name, work), name=name))

    async def close(self) -> None:
        """Cancel and await all of them, newest first."""
        waiting = set(self._tasks)
        for _ in range(CANCELS):
            for task in reversed(self._tasks):
                task.cancel()
            # A library that swallows a cancellation (Python 3.11's `wait_for`) is told again.
            if waiting:
                _, waiting = await asyncio.wait(waiting, timeout=2)
            if not waiting:
                return
        log.warning("background tasks left", tasks=[task.get_name() for task in waiting])


async def _again(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    pause = 1.0
    while True:
        began = time.monotonic()
        try:
            await work()
        except Exception:  # whatever it was, the task is begun again
            log.exception("background task failed", task=name)
        pause = 1.0 if time.monotonic() - began > 60 else min(60.0, pause * 2)
        await asyncio.sleep(pause)
