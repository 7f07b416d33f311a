"""The slots of one model on one host, with a short queue, first come first served."""

from __future__ import annotations

import asyncio

from bot.errors import BackendUnavailable


class Slots:
    """Ollama queues without a bound for a loaded model, so the bound is ours."""

    def __init__(self, limit: int, queue_limit: int, *, backend: str) -> None:
        self.limit = limit
        self.waiting = 0
        self.busy = 0
        self._queue_limit = queue_limit
        self._backend = backend
        self._semaphore = asyncio.Semaphore(limit)

    @property
    def outstanding(self) -> int:
        return self.busy + self.waiting

    async def take(self, until: float) -> None:
        """Wait for a slot until loop time `until`.

        Raises:
            BackendUnavailable: the queue is full, or no slot came free in time.
        """
        if self._semaphore.locked() and self.waiting >= self._queue_limit:
            raise BackendUnavailable("every slot is busy and the queue full", backend=self._backend)
        if not self._semaphore.locked():
            await self._semaphore.acquire()  # at once
            self.busy += 1
            return
        self.waiting += 1
        try:
            async with asyncio.timeout_at(until):
                await self._semaphore.acquire()
        except TimeoutError:
            raise BackendUnavailable(
                "every slot stayed busy until the deadline", backend=self._backend
            ) from None
        finally:
            self.waiting -= 1
        self.busy += 1

    def give(self) -> None:
        """Return a slot."""
        self.busy -= 1
        self._semaphore.release()
