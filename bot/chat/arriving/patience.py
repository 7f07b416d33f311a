"""Short outages of the store, over which nobody need be told that there is no answer.

Where several processes hear of a message, the store may be back for one of them as another one
gives up. Therefore nobody takes a message in after `PATIENCE`, and nobody is told before the
others' patience has ended, too: who could not take it in finds out then whether another one did.
An outage that has lasted is waited out for nobody, and who is alone has no others to wait for:
whoever asks then is told at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bot.errors import StoreError

T = TypeVar("T")

PATIENCE: Final = 2.0
"""Seconds from the first failure on in which it is tried again."""
AFTER_OTHERS: Final = 1.5
"""Seconds by which other processes may hear of a message, or fail, later than this one."""
EVERY: Final = 0.2


class Patience:
    """What a process knows of an outage, and how long it tries on."""

    def __init__(self) -> None:
        self._away_since: float | None = None

    def away(self) -> None:
        """The store was found away."""
        if self._away_since is None:
            self._away_since = asyncio.get_running_loop().time()

    def back(self) -> None:
        """The store has done something."""
        self._away_since = None

    async def over(self, step: Callable[[], Awaitable[T]]) -> T:
        """Return what a step returns, begun anew over a short outage.

        Raises:
            StoreError: the outage is longer.
        """
        while True:
            try:
                return await step()
            except StoreError as error:
                if type(error) is not StoreError:
                    raise  # no outage
                self.away()
                if self._lasted() + EVERY > PATIENCE:
                    raise
            await asyncio.sleep(EVERY)

    def _lasted(self) -> float:
        since, now = self._away_since, asyncio.get_running_loop().time()
        return 0.0 if since is None else now - since
