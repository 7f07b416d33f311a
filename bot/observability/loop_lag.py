"""How late the event loop wakes up: the first sign of code that blocks it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)


class LagObserver(Protocol):
    """Takes each sample, in seconds."""

    def loop_lag(self, seconds: float) -> None: ...


class LoopLag:
    """Samples the lag of the running loop; its owner runs `run` as a task.

    A lag over `alarm` seconds is logged. Each sample also calls `alive`, so that a health check
    goes stale when the loop hangs.
    """

    def __init__(
        self,
        observer: LagObserver,
        *,
        interval: float = 0.25,
        alarm: float = 1.0,
        alive: Callable[[], None] | None = None,
    ) -> None:
        self._observer = observer
        self._interval = interval
        self._alarm = alarm
        self._alive = alive

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            due = time.monotonic() + self._interval
            await asyncio.sleep(self._interval)
            lag = max(0.0, time.monotonic() - due)
            self._observer.loop_lag(lag)
            if self._alive is not None:
                self._alive()
            if lag > self._alarm:
                log.warning("event loop was blocked", seconds=round(lag, 3))
