"""A reply that goes round in circles: it ends, and says once what it said over and over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERY: Final = 16
"""Characters between two looks."""
WINDOW: Final = 2400
"""Characters that are looked at."""
NEEDLE: Final = 12
TIMES: Final = 4
"""How often something must follow on itself."""
LEAST: Final = 160
"""Characters that the repetition must fill: shorter ones are style."""
LEAST_SIGNS: Final = 600
"""The same for rules, tables and dots, where no letter stands."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Where a repetition begins, and how long its unit is."""

    start: int
    unit: int


class LoopWatch:
    """Looks at a growing text, always at the same places, however it comes in pieces."""

    def __init__(self) -> None:
        self._text = ""
        self._looked = 0
        self.found: Loop | None = None

    def feed(self, piece: str) -> str:
        """Return the piece, up to where the reply was found to go round."""
        if self.found is not None:
            return ""
        before = len(self._text)
        self._text += piece
        while self._looked + EVERY <= len(self._text):
            self._looked += EVERY
            self.found = loop_at_end(self._text[max(0, self._looked - WINDOW) : self._looked])
            if self.found is not None:
                return self._text[before : self._looked]
        return piece


def loop_at_end(text: str) -> Loop | None:
    """Return the repetition that a text ends with, if it does."""
    window = text[-WINDOW:]
    if len(window) < LEAST:
        return None
    needle = window[-NEEDLE:]
    at = window.rfind(needle, 0, len(window) - 1)
    while at >= 0:
        unit = len(window) - NEEDLE - at
        if unit * TIMES > len(window):
            return None
        run = _run(window, unit)
        least = LEAST if any(char.isalpha() for char in window[-unit:]) else LEAST_SIGNS
        if run >= max(least, unit * TIMES):
            return Loop(len(text) - run, unit)
        at = window.rfind(needle, 0, at + NEEDLE - 1)
    return None


def _run(window: str, unit: int) -> int:
    """Return how many characters at the end repeat with a period of `unit`."""
    at = len(window) - 1
    while at >= unit and window[at] == window[at - unit]:
        at -= 1
    return len(window) - 1 - at + unit


def unlooped(text: str) -> str:
    """Return a text whose end goes round, with the repetition said once."""
    for end in range(len(text), max(0, len(text) - 2 * EVERY), -1):
        loop = loop_at_end(text[:end])
        if loop is not None:
            return text[: loop.start + loop.unit].rstrip()
    return text
