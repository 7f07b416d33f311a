"""Short outages of the store, over which nobody need be told that there is no answer.

Where several processes hear of a message, the store may be back for one of them as another one
gives up. Therefore nobody takes a message in after `PATIENCE`, and nobody is told before the
others' patience has ended, too: who could not take it in finds out then whether another one did.
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


async def patiently(step: Callable[[], Awaitable[T]]) -> T:
    """Return what a step returns, begun anew over a short outage.

    Raises:
        StoreError: the outage is longer.
    """
    until: float | None = None
    while True:
        try:
            return await step()
        except StoreError as error:
            now = asyncio.get_running_loop().time()
            until = now + PATIENCE if until is None else until
            if type(error) is not StoreError or now + EVERY > until:
                raise  # no outage, or a long one
        await asyncio.sleep(EVERY)
