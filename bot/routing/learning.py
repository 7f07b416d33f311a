"""Multinomial logistic regression on sparse rows, by L-BFGS, in plain numpy.

Everything is summed in a fixed order in double precision, so that two runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CHUNK = 2_000_000
_KEPT_STEPS = 8


@dataclass(frozen=True, slots=True)
class Rows:
    """Sparse rows: the columns and values of row i stand from starts[i] to starts[i + 1]."""

    columns: Ints
    values: Floats
    starts: Ints
    width: int

    def times(self, weights: Floats) -> Floats:
        """Return the products of all rows with one column of weights."""
        parts = []
        for first, last in self._chunks():
            low, high = self.starts[first], self.starts[last]
            products = weights[self.columns[low:high]] * self.values[low:high]
            parts.append(np.add.reduceat(products, self.starts[first:last] - low))
        return np.concatenate(parts)

    def transposed_times(self, errors: Floats) -> Floats:
        """Return, for each column, the sum of its values times the rows' errors."""
        result = np.zeros(self.width)
        for first, last in self._chunks():
            low, high = self.starts[first], self.starts[last]
            spread = np.repeat(errors[first:last], np.diff(self.starts[first : last + 1]))
            spread *= self.values[low:high]
            result += np.bincount(self.columns[low:high], spread, self.width)
        return result

    def some(self, chosen: Ints) -> Rows:
        """Return only the chosen rows."""
        counts = np.diff(self.starts)[chosen]
        starts = np.concatenate(([0], np.cumsum(counts)))
        take = np.arange(starts[-1]) + np.repeat(self.starts[chosen] - starts[:-1], counts)
        return Rows(self.columns[take], self.values[take], starts, self.width)

    def _chunks(self) -> list[tuple[int, int]]:
        count = len(self.starts) - 1
        edges = np.searchsorted(self.starts, np.arange(0, self.starts[-1], _CHUNK))
        bounds = [*dict.fromkeys(int(edge) for edge in edges), count]
        return [(a, b) for a, b in pairwise(bounds) if b > a]


def softmax(scores: Floats) -> Floats:
    """Return probabilities, row by row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = raised / raised.sum(axis=1, keepdims=True)
    return result


def fit(rows: Rows, targets: Floats, sample_weights: Floats, *, decay: float, steps: int) -> Floats:
    """Return weights (columns x classes) for target probabilities (rows x classes)."""
    classes = targets.shape[1]
    shares = sample_weights / sample_weights.sum()

    def cost(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(classes, rows.width)
        scores = np.stack([rows.times(column) for column in weights], axis=1)
        guessed = softmax(scores)
        surprise = -(targets * np.log(np.maximum(guessed, 1e-300))).sum(axis=1)
        errors = (guessed - targets) * shares[:, None]
        slope = np.stack([rows.transposed_times(errors[:, k]) for k in range(classes)])
        slope += decay * weights
        loss = float((shares * surprise).sum()) + 0.5 * decay * float((flat * flat).sum())
        return loss, slope.ravel()

    return _minimised(cost, np.zeros(classes * rows.width), steps).reshape(classes, rows.width).T


def _minimised(cost: Callable[[Floats], tuple[float, Floats]], start: Floats, steps: int) -> Floats:
    """Return the point that L-BFGS with a backtracking line search reaches."""
    point = start
    loss, slope = cost(point)
    history: list[tuple[Floats, Floats, float]] = []
    for _ in range(steps):
        direction = _direction(slope, history)
        descent = float((direction * slope).sum())
        length = 1.0 if history else min(1.0, 1.0 / float(np.abs(slope).sum()))
        for _ in range(20):
            moved = point + length * direction
            new_loss, new_slope = cost(moved)
            if new_loss <= loss + 1e-4 * length * descent:
                break
            length *= 0.5
        else:
            break
        change, bend = moved - point, new_slope - slope
        curve = float((change * bend).sum())
        if curve > 1e-14:
            history = [*history, (change, bend, 1.0 / curve)][-_KEPT_STEPS:]
        settled = loss - new_loss < 1e-7 * max(1.0, abs(loss))
        point, loss, slope = moved, new_loss, new_slope
        if settled:
            break
    return point


def _direction(slope: Floats, history: list[tuple[Floats, Floats, float]]) -> Floats:
    direction = -slope
    shares = []
    for change, bend, inverse in reversed(history):
        share = inverse * float((change * direction).sum())
        shares.append(share)
        direction = direction - share * bend
    if history:
        change, bend, inverse = history[-1]
        direction = direction / (inverse * float((bend * bend).sum()))
    for (change, bend, inverse), share in zip(history, reversed(shares), strict=True):
        direction = direction + (share - inverse * float((bend * direction).sum())) * change
    return direction


def fitted_temperature(scores: Floats, labels: Ints) -> float:
    """Return the temperature that makes the scores' probabilities most honest."""
    best, least = 1.0, float("inf")
    for temperature in np.geomspace(0.2, 5.0, 97):
        guessed = softmax(scores / temperature)
        loss = float(-np.log(np.maximum(guessed[np.arange(len(labels)), labels], 1e-12)).mean())
        if loss < least:
            best, least = float(temperature), loss
    return round(best, 4)
