"""A circuit breaker: leaves a failing host alone for a while, then sends one probe."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "half-open"]

FAILURES = 3
"""Consecutive transport failures that open it."""
OPEN_SECONDS = (15.0, 30.0)
"""Drawn at random, so that many processes do not probe at once."""
ALONE_SECONDS = (1.0, 8.0)
"""The first and the longest rest, doubled by each bad probe, where no other host can take over."""


class Breaker:
    """Counts failures of one host. `on_change` hears each new state."""

    def __init__(
        self,
        on_change: Callable[[BreakerState], None] = lambda _: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._on_change = on_change
        self._clock = clock
        self._draw = draw
        self._state: BreakerState = "closed"
        self._failures = 0
        self._opened = self._until = 0.0
        self._bad_probes = 0
        self._probing = False

    @property
    def state(self) -> BreakerState:
        """Return the state now; an open breaker whose time is up is half-open."""
        if self._state == "open" and self._clock() >= self._until:
            self._enter("half-open")
        return self._state

    @property
    def admits(self) -> bool:
        """Whether a request may go to the host."""
        state = self.state
        return state == "closed" or (state == "half-open" and not self._probing)

    def begin(self) -> bool:
        """Note that a request goes to the host. True when it is the probe."""
        if self.state == "half-open" and not self._probing:
            self._probing = True
            return True
        return False

    def let_go(self) -> None:
        """The probe ended without saying anything about the host (its person left)."""
        self._probing = False

    def hurry(self) -> None:
        """No other host can take the work: let a probe go sooner, each one later than the last."""
        first, longest = ALONE_SECONDS
        rest = min(longest, first * 2**self._bad_probes)
        if self._state == "open" and self._clock() >= self._opened + rest:
            self._enter("half-open")

    def succeeded(self) -> None:
        self._failures = self._bad_probes = 0
        self._probing = False
        self._enter("closed")

    def failed(self) -> None:
        self._failures += 1
        was_probe, self._probing = self._probing, False
        self._bad_probes = min(8, self._bad_probes + was_probe)
        if was_probe or self._failures >= FAILURES:
            self._opened = self._clock()
            self._until = self._opened + self._draw(*OPEN_SECONDS)
            self._enter("open")

    def recovered(self) -> None:
        """The host answers its health check again after it was away: that was the probe.

        Many wait for a host that was restarted, so all may go; one failure opens it again.
        """
        if self._state != "closed":
            self._failures = FAILURES - 1
            self._probing = False
            self._enter("closed")

    def _enter(self, state: BreakerState) -> None:
        if state != self._state:
            self._state = state
            self._on_change(state)
