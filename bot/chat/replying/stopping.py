"""Ending a reply at a person's wish, with what was written so far."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Stop:
    """The wish that a reply end where it is. What it interrupts goes on with what it has."""

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self.wanted = False

    def press(self) -> bool:
        """Interrupt what listens, at once. False when nothing does."""
        if self._task is None:
            return False
        if not self.wanted:
            self.wanted = True
            self._task.cancel()
        return True

    @contextmanager
    def listens(self) -> Iterator[None]:
        """Let a press end the block. Another cancellation passes through."""
        task = self._task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            # As in `asyncio.timeout`: our own cancellation is taken back, any other one stays.
            if not self.wanted or task is None or task.uncancel() > 0:
                raise
        finally:
            self._task = None
