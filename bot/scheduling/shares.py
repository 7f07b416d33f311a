"""How many slots a guild may hold at once: all of them, until it takes more than its share.

Order alone does not protect the others. A guild that always has somebody waiting fills every slot
the moment it is free, so whoever comes next waits for the rest of somebody's turn. A guild that
lately used clearly more than its share therefore leaves as many slots free as the others need:
their mean use and two deviations of it (square-root staffing, Halfin and Whitt 1981). Where there
are so few slots that this leaves it none, it takes one only while another stays free. Guilds
within their share are never held back, nor is one that is alone.

What remains is the rest of a turn that has begun, which nobody interrupts: with a single slot,
others wait for it whatever the order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import exp, sqrt

MEMORY = 60.0
"""Seconds over which use is averaged."""
HEAVY = 1.5
"""A guild is held back from this multiple of its share on."""
LEAST = 0.25
"""Slots on average that are no guild's harm: where shares are small, three turns in a minute would
be many times one."""
DEVIATIONS = 2.0
_FORGOTTEN = 0.01
_SWEEP_EVERY = 1.0


@dataclass(slots=True)
class _Use:
    """Slots held now, and held on average lately (as of `at`, in seconds)."""

    weight: float
    at: float
    held: int = 0
    mean: float = 0.0

    def until(self, now: float) -> float:
        kept = exp(-max(0.0, now - self.at) / MEMORY)
        self.mean = self.mean * kept + self.held * (1.0 - kept)
        self.at = now
        return self.mean


class Shares:
    """Who holds how much. Times are seconds on a clock that never jumps."""

    def __init__(self, weight: Callable[[Hashable], float] = lambda _: 1.0) -> None:
        self._weight = weight
        self._uses: dict[Hashable, _Use] = {}
        self._held = 0
        self._weights = 0.0
        """Weights of all guilds that used something lately."""
        self._swept = 0.0

    def took(self, guild: Hashable, now: float) -> None:
        """A guild's turn began."""
        use = self._uses.get(guild)
        if use is None:
            use = self._uses[guild] = _Use(max(0.01, self._weight(guild)), now)
            self._weights += use.weight
        use.until(now)
        use.held += 1
        self._held += 1

    def gave(self, guild: Hashable, now: float) -> None:
        """A guild's turn is over."""
        use = self._uses[guild]
        use.until(now)
        use.held -= 1
        self._held -= 1

    def is_full(self, guild: Hashable, capacity: int, now: float) -> bool:
        """Whether a guild must not take another of `capacity` slots now.

        Something runs whenever this is so; whoever is held back is looked at again at its end.
        """
        use = self._uses.get(guild)
        if use is None or not self._held:
            return False
        self._sweep(now)
        share = capacity * use.weight / self._weights
        if use.until(now) <= max(HEAVY * share, LEAST):
            return False
        needed = sum(
            min(other.until(now), capacity * other.weight / self._weights)
            for other in self._uses.values()
            if other is not use
        )
        left = capacity - needed - DEVIATIONS * sqrt(needed)
        if use.held + 1 <= max(share, left):
            return False
        return use.held > 0 or self._held + 1 >= capacity

    def _sweep(self, now: float) -> None:
        """Forget guilds that used nothing lately."""
        if now - self._swept < _SWEEP_EVERY:
            return
        self._swept = now
        for guild, use in list(self._uses.items()):
            if use.until(now) < _FORGOTTEN and not use.held:
                del self._uses[guild]
        self._weights = sum(use.weight for use in self._uses.values())
