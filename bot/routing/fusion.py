"""Two opinions of one message joined into one."""

from __future__ import annotations

from math import exp, log
from typing import Final

from bot.routing.table import Scores

OPINION: Final = 0.6
"""What either opinion of the routes counts. Together more than one: where they agree, the joint
opinion is surer than either.

Chosen on the fixtures together with three files of other hands. Between 0.7 and 0.4, and 0.5 and
0.7, macro-F1 stays within half a percent; alike, no file's calibration error is above 0.04.
"""
_GATE: Final = 0.7
"""What the table's opinion of a mere continuation counts; the encoder's counts the rest."""
_LEAST: Final = 1e-6


def fused(table: Scores, encoder: Scores) -> Scores:
    """Return two opinions joined log-linearly."""
    weights = [
        exp(OPINION * (log(max(a, _LEAST)) + log(max(b, _LEAST))))
        for a, b in zip(table.routes, encoder.routes, strict=True)
    ]
    total = sum(weights)
    odds = _GATE * _odds(table.continuation) + (1.0 - _GATE) * _odds(encoder.continuation)
    return Scores(
        (weights[0] / total, weights[1] / total, weights[2] / total), 1.0 / (1.0 + exp(-odds))
    )


def _odds(share: float) -> float:
    kept = min(max(share, _LEAST), 1.0 - _LEAST)
    return log(kept / (1.0 - kept))
