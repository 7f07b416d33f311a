"""Training of the phrases, by numpy alone; the same result each time on a machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.guardrails.fitting import Floats, sigmoid
from bot.guardrails.pieces import Pieces

PATTERNS = 32
EPOCHS = 6
BATCH = 128
RATE = 3e-3
DECAY = 1e-3
KEPT = 0.7
"""Share of the patterns that a lesson sees, so that none is relied on alone."""
BETA1, BETA2, TINY = 0.9, 0.999, 1e-8
SEED = 5
STEPS = 127
"""The largest number in a table."""


@dataclass(frozen=True, slots=True)
class FittedPhrases:
    """What a piece adds to each pattern by its place in a window, and what a pattern says."""

    table: Floats
    """Pieces, and one more for none, by three places times patterns."""
    bias: Floats
    weights: Floats
    """Means and peaks of the patterns, by heads."""
    weights_bias: Floats

    def logits(self, row: NDArray[np.int64]) -> Floats:
        """Return a logit by head for the pieces of a text; zeros where it has none."""
        if not len(row):
            return np.zeros_like(self.weights_bias)
        wide, none = len(self.bias), len(self.table) - 1
        met = self.table[row, wide : 2 * wide] + self.bias
        met += self.table[np.append(none, row[:-1]), :wide]
        met += self.table[np.append(row[1:], none), 2 * wide :]
        met = np.maximum(met, 0)
        told: Floats = np.concatenate([met.mean(axis=0), met.max(axis=0)]) @ self.weights
        return told + self.weights_bias

    @property
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what is stored: the table and its bias in whole steps of each pattern."""
        wide = len(self.bias)
        step = np.abs(self.table).reshape(-1, 3, wide).max(axis=(0, 1)) / STEPS
        scaled = self.weights * np.tile(step, 2)[:, None]
        return {
            "phrases_table": np.round(self.table / np.tile(step, 3)).astype(np.int8),
            "phrases_bias": np.round(self.bias / step).astype(np.int64),
            "phrases_weights": np.ascontiguousarray(scaled.T).astype(np.float32),
            "phrases_weights_bias": self.weights_bias.astype(np.float32),
        }


def fit_phrases(
    pieces: Pieces, rows: Sequence[NDArray[np.int64]], targets: Floats, weight: Floats
) -> FittedPhrases:
    """Fit patterns and weights for all heads at once, by Adam on small batches.

    `targets` and `weight` are texts by heads, as in `fitting.fit`.
    """
    chance = np.random.default_rng(SEED)
    vectors = np.vstack([pieces.vectors, np.zeros_like(pieces.vectors[:1])])
    values = _beginning(chance, 3 * vectors.shape[1], targets.shape[1])
    moved = [np.zeros_like(value) for value in values]
    spread = [np.zeros_like(value) for value in values]
    step = 0
    for _ in range(EPOCHS):
        for batch in _batches(chance, rows):
            step += 1
            windows, mask = _windows(vectors, [rows[at] for at in batch.tolist()])
            slopes = _slopes(values, windows, mask, targets[batch], weight[batch], chance)
            pace = RATE * np.sqrt(1 - BETA2**step) / (1 - BETA1**step)
            for at, slope in enumerate(slopes):
                moved[at] = BETA1 * moved[at] + (1 - BETA1) * slope
                spread[at] = BETA2 * spread[at] + (1 - BETA2) * slope**2
                change = pace * moved[at] / (np.sqrt(spread[at]) + TINY)
                values[at] -= (change + RATE * DECAY * values[at]).astype(np.float32)
    patterns, bias, weights, weights_bias = values
    places = patterns.reshape(3, vectors.shape[1], -1)
    table = np.concatenate([vectors @ place for place in places], axis=1)
    return FittedPhrases(table, bias, weights, weights_bias)


def _beginning(chance: np.random.Generator, wide: int, heads: int) -> list[Floats]:
    """Return small weights by chance and empty biases: of the patterns, then of the heads."""
    values: list[Floats] = []
    for into, out in ((wide, PATTERNS), (2 * PATTERNS, heads)):
        bound = into**-0.5
        values.append(chance.uniform(-bound, bound, (into, out)).astype(np.float32))
        values.append(np.zeros(out, np.float32))
    return values


def _batches(
    chance: np.random.Generator, rows: Sequence[NDArray[np.int64]]
) -> Iterator[NDArray[np.int64]]:
    """Yield the texts in batches of about one length, in a new order each time."""
    size = np.array([len(row) for row in rows])
    told = np.flatnonzero(size)
    ordered = told[np.argsort(size[told] + chance.uniform(0, 4, len(told)))]
    for start in chance.permutation(np.arange(0, len(ordered), BATCH)):
        yield ordered[start : start + BATCH]


def _windows(vectors: Floats, rows: Sequence[NDArray[np.int64]]) -> tuple[Floats, Floats]:
    """Return texts filled up to one length, by pieces, by the vectors of three; and the fill."""
    none, longest = len(vectors) - 1, max(len(row) for row in rows)
    ids = np.full((len(rows), longest + 2), none, np.int64)
    for at, row in enumerate(rows):
        ids[at, 1 : len(row) + 1] = row
    mask = (ids[:, 1:-1] != none).astype(np.float32)[..., None]
    places = (ids[:, :-2], ids[:, 1:-1], ids[:, 2:])
    return np.concatenate([vectors[place] for place in places], axis=2), mask


def _slopes(
    values: Sequence[Floats],
    windows: Floats,
    mask: Floats,
    targets: Floats,
    weight: Floats,
    chance: np.random.Generator,
) -> list[Floats]:
    """Return the slope of the mean error by each of the weights."""
    patterns, bias, weights, weights_bias = values
    count, length, wide = windows.shape
    flat = windows.reshape(-1, wide)
    met = np.maximum(flat @ patterns + bias, 0).reshape(count, length, -1) * mask
    most = met.argmax(axis=1)
    peaks = np.take_along_axis(met, most[:, None], axis=1)[:, 0]
    size = mask.sum(axis=1)
    kept = (chance.random((count, 2 * PATTERNS)) < KEPT).astype(np.float32) / np.float32(KEPT)
    seen = np.concatenate([met.sum(axis=1) / size, peaks], axis=1) * kept
    error = (sigmoid(seen @ weights + weights_bias) - targets) * weight / np.float32(count)
    by_seen = (error @ weights.T) * kept
    by_met = np.repeat((by_seen[:, :PATTERNS] / size)[:, None], length, axis=1)
    by_met[np.arange(count)[:, None], most, np.arange(PATTERNS)] += by_seen[:, PATTERNS:]
    by_met = (by_met * (met > 0)).reshape(-1, PATTERNS)
    return [flat.T @ by_met, by_met.sum(axis=0), seen.T @ error, error.sum(axis=0)]
