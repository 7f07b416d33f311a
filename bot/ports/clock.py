"""Time, as the rest of the program sees it."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> float:
        """Return unix seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        ...
