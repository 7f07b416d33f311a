"""Training of the phrases, by numpy alone; the same result each time on a machine.

The vectors of the pieces are learned along with the patterns, from where a sentence encoder put
them (`pieces.py`): words of a kind begin together, and part where the heads need it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.guardrails.triage.pieces import Floats, Pieces

PATTERNS = 96
EPOCHS = 14
BATCH = 128
RATE = 3e-3
VECTOR_RATE = 2e-3
LAST_RATE = 0.05
"""Share of the rates that is left at the end."""
DECAY = 1e-3
KEPT = 0.7
"""Share of the patterns that a lesson sees, so that none is relied on alone."""
BETA1, BETA2, TINY = 0.9, 0.999, 1e-8
SEED = 5
STEPS = 127
"""The largest number in a byte."""


def sigmoid(logits: NDArray[np.floating[Any]]) -> Floats:
    """Return probabilities of logits."""
    chances: Floats = (1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
    return chances


@dataclass(frozen=True, slots=True)
class FittedPhrases:
    """Vectors of the pieces, the patterns by place in a window, and what a pattern says."""

    vectors: Floats
    patterns: Floats
    """Three places times axes, by patterns."""
    bias: Floats
    weights: Floats
    """Means and peaks of the patterns, by heads."""
    weights_bias: Floats

    def logits(self, row: NDArray[np.int64]) -> Floats:
        """Return a logit by head for the pieces of a text; zeros where it has none."""
        if not len(row):
            return np.zeros_like(self.weights_bias)
        none = np.zeros_like(self.vectors[:1])
        padded = np.concatenate([none, self.vectors[row], none])
        windows = np.concatenate([padded[:-2], padded[1:-1], padded[2:]], axis=1)
        met = np.maximum(windows @ self.patterns + self.bias, 0)
        told: Floats = np.concatenate([met.mean(axis=0), met.max(axis=0)]) @ self.weights
        return told + self.weights_bias

    @property
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what is stored: vectors in whole steps of each axis, patterns in their own."""
        deep, wide = self.vectors.shape[1], len(self.bias)
        axis = np.maximum(np.abs(self.vectors).max(axis=0), TINY) / STEPS
        places = self.patterns.reshape(3, deep, wide) * axis[:, None]
        step = np.maximum(np.abs(places).max(axis=(0, 1)), TINY) / STEPS
        patterns = np.round(places / step).transpose(1, 0, 2).reshape(deep, 3 * wide)
        scaled = self.weights * np.tile(step, 2)[:, None]
        return {
            "phrases_vectors": np.round(self.vectors / axis).astype(np.int8),
            "phrases_patterns": np.ascontiguousarray(patterns).astype(np.int8),
            "phrases_bias": np.round(self.bias / step).astype(np.int64),
            "phrases_weights": np.ascontiguousarray(scaled.T).astype(np.float32),
            "phrases_weights_bias": self.weights_bias.astype(np.float32),
        }


@dataclass(slots=True)
class _Learned:
    """Numbers that are learned by Adam, all of them or some rows at a time."""

    values: Floats
    rate: float
    decay: float = 0.0
    moved: Floats = field(init=False)
    spread: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.moved, self.spread = np.zeros_like(self.values), np.zeros_like(self.values)

    def learn(self, slope: Floats, step: int, left: float, rows: NDArray[np.int64] | None) -> None:
        """Take a step; `left` is the share of the rate at this time."""
        at = slice(None) if rows is None else rows
        self.moved[at] = moved = BETA1 * self.moved[at] + (1 - BETA1) * slope
        self.spread[at] = spread = BETA2 * self.spread[at] + (1 - BETA2) * slope**2
        pace = left * self.rate * np.sqrt(1 - BETA2**step) / (1 - BETA1**step)
        change = pace * moved / (np.sqrt(spread) + TINY)
        self.values[at] -= change + left * self.rate * self.decay * self.values[at]


def fit_phrases(
    pieces: Pieces, rows: Sequence[NDArray[np.int64]], targets: Floats, weight: Floats
) -> FittedPhrases:
    """Fit vectors, patterns and weights for all heads at once, by Adam on small batches.

    `targets` (chances) and `weight` are texts by heads; a weight of 0 leaves a text out of a head's
    lesson.
    """
    chance = np.random.default_rng(SEED)
    none = np.zeros_like(pieces.vectors[:1])
    vectors = _Learned(np.vstack([pieces.vectors, none]), VECTOR_RATE)
    values = _beginning(chance, 3 * vectors.values.shape[1], targets.shape[1])
    told = sum(len(row) > 0 for row in rows)
    steps = EPOCHS * -(-told // BATCH)
    step = 0
    for _ in range(EPOCHS):
        for batch in _batches(chance, rows):
            step += 1
            left = max(LAST_RATE, 1 - step / steps)
            ids = _filled([rows[at] for at in batch.tolist()], len(pieces.vectors))
            met, slopes = _slopes(
                vectors.values, [each.values for each in values], ids,
                targets[batch], weight[batch], chance,
            )  # fmt: skip
            for each, slope in zip(values, slopes, strict=True):
                each.learn(slope, step, left, None)
            used, slope = _by_piece(ids, met)
            vectors.learn(slope, step, left, used)
    patterns, bias, weights, weights_bias = (each.values for each in values)
    return FittedPhrases(vectors.values[:-1], patterns, bias, weights, weights_bias)


def _beginning(chance: np.random.Generator, wide: int, heads: int) -> list[_Learned]:
    """Return small weights by chance and empty biases: of the patterns, then of the heads."""
    values = []
    for into, out in ((wide, PATTERNS), (2 * PATTERNS, heads)):
        bound = into**-0.5
        weights = chance.uniform(-bound, bound, (into, out)).astype(np.float32)
        values.append(_Learned(weights, RATE, DECAY))
        values.append(_Learned(np.zeros(out, np.float32), RATE))
    return values


def _batches(
    chance: np.random.Generator, rows: Sequence[NDArray[np.int64]]
) -> Iterator[NDArray[np.int64]]:
    """Yield the texts in batches of about one length, in a new order each time."""
    size = np.array([len(row) for row in rows])
    told = np.flatnonzero(size)
    ordered = told[np.argsort(size[told] + chance.uniform(0, 4, len(told)), kind="stable")]
    for start in chance.permutation(np.arange(0, len(ordered), BATCH)):
        yield ordered[start : start + BATCH]


def _filled(rows: Sequence[NDArray[np.int64]], none: int) -> NDArray[np.int64]:
    """Return texts filled up to one length, with one more place before and after."""
    ids = np.full((len(rows), max(len(row) for row in rows) + 2), none, np.int64)
    for at, row in enumerate(rows):
        ids[at, 1 : len(row) + 1] = row
    return ids


def _slopes(
    vectors: Floats,
    values: Sequence[Floats],
    ids: NDArray[np.int64],
    targets: Floats,
    weight: Floats,
    chance: np.random.Generator,
) -> tuple[Floats, list[Floats]]:
    """Return the slope of the mean error by each window's vectors, and by each of the weights."""
    patterns, bias, weights, weights_bias = values
    count, length = len(ids), ids.shape[1] - 2
    mask = (ids[:, 1:-1] != len(vectors) - 1).astype(np.float32)[..., None]
    told = vectors[ids]
    windows = np.concatenate([told[:, :-2], told[:, 1:-1], told[:, 2:]], axis=2)
    flat = windows.reshape(count * length, -1)
    met = np.maximum(flat @ patterns + bias, 0).reshape(count, length, -1) * mask
    most = met.argmax(axis=1)
    peaks = np.take_along_axis(met, most[:, None], axis=1)[:, 0]
    size, wide = mask.sum(axis=1), len(bias)
    kept = (chance.random((count, 2 * wide)) < KEPT).astype(np.float32) / np.float32(KEPT)
    seen = np.concatenate([met.sum(axis=1) / size, peaks], axis=1) * kept
    error = (sigmoid(seen @ weights + weights_bias) - targets) * weight / np.float32(count)
    by_seen = (error @ weights.T) * kept
    by_met = np.repeat((by_seen[:, :wide] / size)[:, None], length, axis=1)
    by_met[np.arange(count)[:, None], most, np.arange(wide)] += by_seen[:, wide:]
    by_met = (by_met * (met > 0)).reshape(-1, wide)
    slopes = [flat.T @ by_met, by_met.sum(axis=0), seen.T @ error, error.sum(axis=0)]
    return (by_met @ patterns.T).reshape(windows.shape), slopes


def _by_piece(ids: NDArray[np.int64], slope: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the pieces of a batch, and the slope by the vector of each."""
    deep = slope.shape[2] // 3
    none = ids[0, 0]
    places = (ids[:, :-2], ids[:, 1:-1], ids[:, 2:])
    number = np.concatenate([place.ravel() for place in places])
    parts = np.concatenate(
        [slope[..., at * deep : (at + 1) * deep].reshape(-1, deep) for at in range(3)]
    )
    order = np.argsort(number, kind="stable")
    order = order[: np.searchsorted(number[order], none)]  # the fill has the highest number
    used, first = np.unique(number[order], return_index=True)
    return used, np.add.reduceat(parts[order], first, axis=0)
