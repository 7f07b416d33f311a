"""A language model that is asked for opinions beside the replies: what the operator sets of it,
and when it is left alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.errors import SettingsRejected
from bot.files.operator_files import read_tables

FAILURES: Final = 5
"""Failures in a row that open the breaker."""
OPEN_S: Final = 30.0
"""Seconds for which an open breaker asks nobody."""
_KEYS: Final = frozenset({"enabled", "model", "deadline_ms"})


@dataclass(frozen=True, slots=True)
class AskedModel:
    """What the operator set. `model` None: the model that writes the replies."""

    enabled: bool
    model: str | None
    deadline_s: float


def load_asked_model(
    path: Path, name: str, *, deadline_s: float, at_most_s: float = 2.0
) -> AskedModel:
    """Return the table `name` of the route profiles' file; without one it is off.

    Keys: `enabled`, `model`, `deadline_ms` (50 to `at_most_s`).

    Raises:
        SettingsRejected: with one line for each problem.
    """
    table: Any = read_tables(path).get(name, {})
    if not isinstance(table, dict):
        raise SettingsRejected([f"{path.name}: [{name}] must be a table"])
    problems = [f"`{key}` is not a setting of it" for key in table if key not in _KEYS]
    enabled, model = table.get("enabled", False), table.get("model")
    deadline = table.get("deadline_ms", 1000 * deadline_s)
    if not isinstance(enabled, bool):
        problems.append("`enabled` must be true or false")
    if model is not None and not (isinstance(model, str) and 0 < len(model) <= 200):
        problems.append("`model` must be a model's name")
    number = isinstance(deadline, int | float) and not isinstance(deadline, bool)
    if not number or not 50 <= deadline <= 1000 * at_most_s:
        problems.append(f"`deadline_ms` must be a number from 50 to {1000 * at_most_s:.0f}")
    if problems:
        raise SettingsRejected([f"{path.name}: [{name}] {problem}" for problem in problems])
    return AskedModel(enabled, model, deadline / 1000)


class Breaker:
    """Says when a model that failed again and again is not asked for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0

    @property
    def open(self) -> bool:
        """Whether nobody is to be asked now."""
        return self._clock() < self._open_until

    def note(self, *, ok: bool) -> None:
        """Note how a question went."""
        self._failures = 0 if ok else self._failures + 1
        if self._failures >= FAILURES:
            self._failures = 0
            self._open_until = self._clock() + OPEN_S
