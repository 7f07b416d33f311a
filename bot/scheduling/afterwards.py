"""What a turn leaves until its request to the model has gone out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

A_MOMENT: Final = 0.02
"""Seconds. A round of the event loop would not do: the HTTP client writes in a task of its own,
which comes after all that was put off until then."""


def afterwards(work: Callable[[], object]) -> asyncio.TimerHandle:
    """Do a piece of work in a moment. Whoever needs it sooner does it then."""
    return asyncio.get_running_loop().call_later(A_MOMENT, work)
