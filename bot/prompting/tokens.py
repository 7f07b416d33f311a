"""How many tokens a text has, before a model says so.

Ollama has no tokenize endpoint. Words are counted by class (characters / 4 under-counts Chinese by
two thirds), and every reply's `prompt_eval_count` corrects the estimate for its model. Where the
model's vocabulary is known (`bot.prompting.vocabulary`) the count is exact.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable

MAX_MODELS = 64
MAX_REMEMBERED = 4_096
"""Texts whose estimate is remembered, by their hash: history is counted again each turn."""
MARGIN = 1.1
"""Room for the estimator's error: 5 to 14 % on Latin text (median), 4 to 5 % on CJK."""
PER_MESSAGE = 6
"""Tokens that a chat template adds to each message, at most, for the common ones."""

_WEIGHT, _LOW, _HIGH = 0.3, 0.4, 3.0
_MIN_ACTUAL = 50

_CLASSES = re.compile(
    r"(?P<ascii>[A-Za-z]+)"
    r"|(?P<digits>[0-9]+)"
    r"|(?P<latin>[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+)"
    r"|(?P<cyrillic>[\u0370-\u052f]+)"
    r"|(?P<semitic>[\u0590-\u08ff]+)"
    r"|(?P<indic>[\u0900-\u109f\u1780-\u17ff]+)"
    r"|(?P<hangul>[\uac00-\ud7af\u1100-\u11ff]+)"
    r"|(?P<kana>[\u3040-\u30ff\u31f0-\u31ff]+)"
    r"|(?P<han>[\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)"
    r"|(?P<lines>\n+)"
    r"|(?P<indent>[ \t]{2,})"
    r"|(?P<astral>[\U00010000-\U0010ffff])"
    r"|(?P<sign>[^\s\w])"
    r"|(?P<other>\w)"
)
_RATES: dict[str, tuple[float, int, float]] = {
    "ascii": (1.0, 7, 0.2),
    "digits": (1.0, 3, 0.4),
    "latin": (1.25, 4, 0.3),
    "cyrillic": (1.0, 3, 0.33),
    "semitic": (1.0, 2, 0.45),
    "indic": (1.0, 1, 0.6),
    "hangul": (0.8, 1, 0.7),
    "kana": (0.75, 1, 0.62),
    "han": (0.75, 1, 0.72),
    "lines": (1.0, 99, 0.0),
    "indent": (1.0, 8, 0.1),
    "astral": (2.2, 1, 0.0),
    "sign": (0.9, 1, 0.0),
    "other": (1.0, 1, 1.0),
}
"""By class: tokens of a run, the characters these cover, and tokens for each one beyond."""


def raw_estimate(text: str) -> float:
    """Return the tokens of a text for an average vocabulary of about 128,000 entries."""
    total = 0.0
    for match in _CLASSES.finditer(text):
        base, covered, rate = _RATES[match.lastgroup or "other"]
        length = match.end() - match.start()
        total += base if length <= covered else base + (length - covered) * rate
    return total


class TokenEstimator:
    """Estimates by model; learns from what the models report. Safe to use from any thread."""

    def __init__(self) -> None:
        self._ratios: OrderedDict[str, float] = OrderedDict()
        self._exact: dict[str, Callable[[str], int]] = {}
        self._remembered: OrderedDict[int, float] = OrderedDict()
        self._lock = threading.Lock()

    def estimate(self, text: str, model: str = "") -> int:
        """Return the tokens of a text, rounded up."""
        if not text:
            return 0
        exact = self._exact.get(model)
        if exact is not None:
            return exact(text)
        return int(self._raw(text) * self._ratios.get(model, 1.0)) + 1

    def margin(self, model: str) -> float:
        """Return the factor of room to leave: 1.02 where counts are exact."""
        return 1.02 if model in self._exact else MARGIN

    def calibrate(self, model: str, estimated: int, actual: int) -> None:
        """Learn from one prompt: what was estimated for this model, and what it counted."""
        if estimated <= 0 or actual < _MIN_ACTUAL or model in self._exact:
            return
        with self._lock:
            old = self._ratios.pop(model, 1.0)
            target = old * min(2.5, max(0.4, actual / estimated))
            new = old + _WEIGHT * (target - old)
            self._ratios[model] = min(_HIGH, max(_LOW, new))
            if len(self._ratios) > MAX_MODELS:
                self._ratios.popitem(last=False)

    def teach(self, model: str, count: Callable[[str], int]) -> None:
        """Use an exact count for a model from now on."""
        with self._lock:
            if model in self._exact or len(self._exact) < MAX_MODELS:
                self._exact[model] = count

    def _raw(self, text: str) -> float:
        # By hash, not by text: what a person deletes must not live on here.
        key = hash((text, len(text)))
        known = self._remembered.get(key)
        if known is None:
            known = raw_estimate(text)
            with self._lock:
                self._remembered[key] = known
                if len(self._remembered) > MAX_REMEMBERED:
                    self._remembered.popitem(last=False)
        return known
