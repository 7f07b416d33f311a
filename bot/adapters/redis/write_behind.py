"""Notes that nobody waits for: written a little later, many in one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.errors import StoreError

log = structlog.get_logger(__name__)


class WriteBehind:
    """Calls `write` after something was noted, again while Redis is away, and once at the end.

    A write under way is never cancelled: its notes would be lost, or written twice.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[], Awaitable[None]],
        *,
        every: float,
        first: float | None = None,
    ) -> None:
        """`write` writes all that waits; where it raises StoreError, that goes on waiting.

        `every` is the seconds between two writes; `first` those before the first, if others.
        """
        self._name = name
        self._write = write
        self._every = every
        self._first = every if first is None else first
        self._due = False
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def soon(self) -> None:
        """Have written what was noted."""
        self._due = True
        if not self._closing.is_set() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._keep_writing(), name=self._name)

    async def close(self) -> None:
        """Write the rest."""
        self._closing.set()
        if self._task is not None:
            await self._task
        await self._try()

    async def _keep_writing(self) -> None:
        await self._pause(self._first)
        while self._due and not self._closing.is_set():
            self._due = False
            if not await self._try():
                self._due = True  # as it is already where something was noted meanwhile
            await self._pause(self._every)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    async def _try(self) -> bool:
        try:
            await self._write()
        except StoreError as error:
            log.info("not written yet", what=self._name, reason=str(error))
            return False
        return True
