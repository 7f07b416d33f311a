"""Is the process alive, and is it ready? Named checks, each with its reason and its age."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One check as it stands. `age` is the seconds since it was last reported."""

    name: str
    ok: bool
    reason: str
    age: float

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ok": self.ok,
            "reason": self.reason,
            "age_seconds": round(self.age, 1),
        }


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The checks that matter for a question, and the answer: all of them hold."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "checks": [check.to_json() for check in self.checks]}


@dataclass(slots=True)
class _State:
    ok: bool
    reason: str
    at: float
    live: bool
    stale_after: float | None


class Health:
    """The checks of a process. Parts report; the operations server reads.

    Live means: restarting would not help. Ready means: new turns can be answered. A check that
    must be reported again and again turns bad by itself after `stale_after` seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._states: dict[str, _State] = {}
        self._draining = False

    def expect(
        self,
        name: str,
        *,
        live: bool = False,
        stale_after: float | None = None,
        ok: bool = False,
        reason: str = "not reported yet",
    ) -> None:
        """Declare a check. `live`: it also decides whether the process should be restarted."""
        self._states[name] = _State(ok, reason, self._monotonic(), live, stale_after)

    def report(self, name: str, ok: bool, reason: str = "") -> None:
        """Report a check; KeyError when it was not declared.

        `reason` is shown to whoever reads the page: no secrets, no text of anybody.
        """
        state = self._states[name]
        state.ok, state.at = ok, self._monotonic()
        state.reason = (reason or ("ok" if ok else "failed"))[:200]

    def drain(self) -> None:
        """From now on not ready: the process is going down and takes no new turns."""
        self._draining = True

    def live(self) -> HealthReport:
        """Return the checks whose failure a restart may mend."""
        return HealthReport(
            tuple(self._check(name) for name, state in self._states.items() if state.live)
        )

    def ready(self) -> HealthReport:
        """Return every check."""
        checks = [self._check(name) for name in self._states]
        if self._draining:
            checks.append(Check("serving", False, "draining: no new turns", 0.0))
        return HealthReport(tuple(checks))

    def _check(self, name: str) -> Check:
        state = self._states[name]
        age = max(0.0, self._monotonic() - state.at)
        if state.stale_after is not None and age > state.stale_after:
            return Check(name, False, f"silent for {age:.0f} s; last: {state.reason}", age)
        return Check(name, state.ok, state.reason, age)
