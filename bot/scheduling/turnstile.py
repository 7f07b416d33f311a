"""Who may begin a turn, and when: every decision of the queue, with time as an argument."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from bot.scheduling.line import FairLine, Waiter
from bot.scheduling.shares import Shares

_SMOOTHING = 0.2
"""Weight of the newest turn in the mean duration that waits are estimated from."""


class Turnstile:
    """Counts what runs and orders what waits. `now` is in seconds and never jumps."""

    def __init__(
        self, *, limit: int = 500, weight: Callable[[Hashable], float] = lambda _: 1.0
    ) -> None:
        """At most `limit` turns wait; `weight` tells a guild's share."""
        self._line = FairLine(weight)
        self._shares = Shares(weight)
        self._limit = limit
        self.running = 0
        self.mean = 0.0
        """Seconds that a turn took, lately; 0 until the first one is over."""

    @property
    def waiting(self) -> int:
        return len(self._line)

    def enter(self, waiter: Waiter) -> Waiter | None:
        """Let a turn wait. Return who has to go for it: another turn, or itself; None: nobody."""
        victim = None
        if len(self._line) >= self._limit:
            victim = self._line.victim(waiter)
            if victim is None:
                return waiter
            self._line.remove(victim)
        self._line.add(waiter)
        return victim

    def leave(self, waiter: Waiter) -> bool:
        """Take a turn that waits out of the line. False when it is not there."""
        return self._line.remove(waiter)

    def admit(self, capacity: int, now: float) -> Waiter | None:
        """Let the next turn begin, if one may; None when nobody can."""
        if self.running >= max(1, capacity) or not self._line:
            return None
        slots = max(1, capacity)
        waiter = self._line.pop(lambda guild: self._shares.is_full(guild, slots, now))
        if waiter is not None:
            self.running += 1
            self._shares.took(waiter.guild, now)
        return waiter

    def over(self, waiter: Waiter, took: float | None, now: float) -> None:
        """A turn that was admitted is over. `took` is in seconds; None: it never began."""
        self.running -= 1
        self._shares.gave(waiter.guild, now)
        if took is None:
            self._line.charge(waiter.guild, -1.0)
        else:
            # One turn's worth was charged at its beginning; a long one costs more.
            if self.mean:
                self._line.charge(waiter.guild, took / self.mean - 1.0)
            self.mean += _SMOOTHING * (took - self.mean) if self.mean else took
        if not self.running:
            self._line.idle()

    def place(self, waiter: Waiter) -> int:
        """Return where a waiting turn stands, from 1."""
        return self._line.place(waiter)

    def wait_at(self, place: int, capacity: int) -> float:
        """Return the seconds that a turn at a place of the line is expected to wait."""
        return self.mean * place / max(1, capacity)
