"""Two opinions of one message joined into one."""

from __future__ import annotations

from math import exp, log
from typing import Final

from bot.routing.table import Scores

_LEAST: Final = 1e-6


def fused(table: Scores, encoder: Scores) -> Scores:
    """Return the log-linear mean of two opinions."""
    weights = [
        exp(0.5 * log(max(a, _LEAST)) + 0.5 * log(max(b, _LEAST)))
        for a, b in zip(table.routes, encoder.routes, strict=True)
    ]
    total = sum(weights)
    odds = 0.5 * (_odds(table.continuation) + _odds(encoder.continuation))
    return Scores(
        (weights[0] / total, weights[1] / total, weights[2] / total), 1.0 / (1.0 + exp(-odds))
    )


def _odds(share: float) -> float:
    kept = min(max(share, _LEAST), 1.0 - _LEAST)
    return log(kept / (1.0 - kept))
