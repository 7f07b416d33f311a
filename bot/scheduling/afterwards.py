"""Before and after a turn's request to the model: what can be done while others are at work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

A_MOMENT: Final = 0.005
"""Seconds. A round of the event loop would not do: the HTTP client writes in a task of its own,
which comes after all that was put off until then."""
UNTIL_ASKED: Final = 2
"""Rounds of the event loop after which the database has been asked."""


def afterwards(work: Callable[[], object]) -> asyncio.TimerHandle:
    """Do a piece of work once the request has gone out. Whoever needs it sooner does it then."""
    return asyncio.get_running_loop().call_later(A_MOMENT, work)


async def meanwhile(*works: Callable[[], object]) -> None:
    """Do pieces of work while the database answers what is asked for at the same moment."""
    for _ in range(UNTIL_ASKED):
        await asyncio.sleep(0)
    for work in works:
        work()
