"""Logistic regression over hashed features, by numpy alone; the same result each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.guardrails.features import BUCKETS

STEPS = 150
RATE = 0.08
START = 0.3
"""Weight of a feature's log-odds ratio before training."""
DECAY = 5e-5
BETA1, BETA2, TINY = 0.9, 0.99, 1e-8

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights by bucket and head, and a bias by head."""

    weights: Floats
    bias: Floats

    def logits(self, row: NDArray[np.int64]) -> Floats:
        """Return the logit of each head for the buckets of one text."""
        told: Floats = self.weights[row].sum(axis=0) / np.sqrt(max(1, len(row))) + self.bias
        return told


def sigmoid(logits: NDArray[np.floating[Any]]) -> Floats:
    """Return probabilities of logits."""
    chances: Floats = (1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
    return chances


def fit(rows: Sequence[NDArray[np.int64]], targets: Floats, weight: Floats) -> Fitted:
    """Fit all heads at once, by Adam on the whole set.

    Features are scaled by their log-odds ratio (Wang and Manning 2012, "Baselines and Bigrams"):
    a bucket that both sides share counts for little from the start, which is what lets few
    sentences carry over to new ones. `targets` and `weight` are texts by heads; a weight of 0
    leaves a text out of a head's lesson.
    """
    text_of = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    bucket_of = np.concatenate(list(rows))
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])[:-1]])
    size = np.sqrt(np.array([max(1, len(row)) for row in rows], np.float32))[:, None]
    order = np.argsort(bucket_of, kind="stable")
    used, first = np.unique(bucket_of[order], return_index=True)
    by_bucket = text_of[order]
    ratio = np.zeros((BUCKETS, targets.shape[1]), np.float32)
    ratio[used] = _log_odds(targets, weight, by_bucket, first)
    scale, place = ratio[used], np.searchsorted(used, bucket_of)
    inner = np.full_like(scale, START)
    bias = np.zeros(targets.shape[1], np.float32)
    moved, spread = np.zeros_like(inner), np.zeros_like(inner)
    share = weight / weight.sum(axis=0)
    for step in range(1, STEPS + 1):
        logits = np.add.reduceat((inner * scale)[place], starts, axis=0) / size + bias
        error = (sigmoid(logits) - targets) * share
        slope = np.add.reduceat((error / size)[by_bucket], first, axis=0) * scale
        slope += DECAY * (inner - START)
        moved = BETA1 * moved + (1 - BETA1) * slope
        spread = BETA2 * spread + (1 - BETA2) * slope**2
        pace = RATE * np.sqrt(1 - BETA2**step) / (1 - BETA1**step)
        inner -= (pace * moved / (np.sqrt(spread) + TINY)).astype(np.float32)
        bias -= RATE * 20 * error.sum(axis=0)
    ratio[used] *= inner
    return Fitted(ratio, bias)


def _log_odds(
    targets: Floats, weight: Floats, by_bucket: NDArray[np.int64], first: NDArray[np.int64]
) -> Floats:
    """Return, by used bucket and head, how much oftener it is seen with the label (log)."""
    yes = np.add.reduceat((targets * weight)[by_bucket], first, axis=0) + 1.0
    no = np.add.reduceat(((1 - targets) * weight)[by_bucket], first, axis=0) + 1.0
    odds: Floats = (np.log(yes / yes.sum(axis=0)) - np.log(no / no.sum(axis=0))).astype(np.float32)
    return odds
