"""Linear learning on sparse rows: one pass after another in small steps, in plain numpy.

Every step has a size of its own for each weight (Adagrad): rare features, which say most, learn in
large steps. Rows are taken in an order that depends on nothing but their number, and sums run in a
fixed order, so that two runs give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

ROUTES = 3
RATE = 0.5
DROPPED = 0.3
"""Share of the features that a message is learnt without, in each pass others."""
ROWS_AT_ONCE = 256
_FIRST_SQUARES = 1e-4
_APPLIED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Sparse rows: the columns and values of row i stand from starts[i] to starts[i + 1]."""

    columns: npt.NDArray[np.int32]
    values: Singles
    starts: Ints
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def some(self, chosen: Ints) -> Rows:
        """Return only the chosen rows. None of them may be empty."""
        counts = np.diff(self.starts)[chosen]
        starts = np.concatenate(([0], np.cumsum(counts)))
        take = np.arange(starts[-1]) + np.repeat(self.starts[chosen] - starts[:-1], counts)
        return Rows(self.columns[take], self.values[take], starts, self.width)

    def times(self, weights: Singles, chosen: Ints) -> Singles:
        """Return the products (rows x lanes) of the chosen rows with weights (columns x lanes)."""
        parts = []
        for first in range(0, len(chosen), _APPLIED_AT_ONCE):
            part = self.some(chosen[first : first + _APPLIED_AT_ONCE])
            products = weights[part.columns] * part.values[:, None]
            parts.append(np.add.reduceat(products, part.starts[:-1], axis=0))
        return np.concatenate(parts)


def softmax(scores: Floats) -> Floats:
    """Return probabilities, row by row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Floats = raised / raised.sum(axis=1, keepdims=True)
    return result


def fit(
    rows: Rows, targets: Floats, sample_weights: Floats, chosen: Ints, *, passes: int
) -> Singles:
    """Return weights (columns x 4): scores of the three routes, log-odds of a continuation.

    Learned from the chosen rows, of which no copy is made.
    `targets` (rows x 4) are probabilities of the labels. A mere continuation has no route of its
    own: it is taught to be equally likely in all three, so that the previous turn decides even
    where the gate is not sure.
    """
    weights = np.zeros((rows.width, targets.shape[1]), np.float32)
    squares = np.full_like(weights, _FIRST_SQUARES)
    shares = sample_weights[chosen] / sample_weights[chosen].mean()
    wanted = targets[chosen]
    wanted[:, :ROUTES] += wanted[:, ROUTES:] / ROUTES
    for number in range(passes):
        order = _order(len(chosen), number)
        for first in range(0, len(chosen), ROWS_AT_ONCE):
            some = order[first : first + ROWS_AT_ONCE]
            seen = _thinned(rows.some(chosen[some]), some, number)
            _step(weights, squares, seen, wanted[some], shares[some])
    return weights


def _thinned(rows: Rows, numbers: Ints, salt: int) -> Rows:
    """Return the rows as if some features had not occurred, others in each pass.

    What may be missing can't be relied upon: weight spreads over all that hints at a label, and
    messages of other authors, who use other words, gain (Wager, Wang and Liang, "Dropout
    Training as Adaptive Regularization", 2013).
    """
    row = np.repeat(numbers, np.diff(rows.starts)).astype(np.uint64)
    mixed = _mixed((row << np.uint64(21)) + rows.columns.astype(np.uint64), salt)
    share = (mixed >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)
    factors = (share >= DROPPED).astype(np.float32) / np.float32(1.0 - DROPPED)
    return Rows(rows.columns, rows.values * factors, rows.starts, rows.width)


def _step(weights: Singles, squares: Singles, rows: Rows, wanted: Floats, shares: Floats) -> None:
    """Move the weights of the columns that occur in some rows, in place."""
    columns, place = np.unique(rows.columns, return_inverse=True)
    now = weights[columns]
    products = now[place] * rows.values[:, None]
    scores = np.add.reduceat(products, rows.starts[:-1], axis=0).astype(np.float64)
    guessed = np.empty_like(scores)
    guessed[:, :ROUTES] = softmax(scores[:, :ROUTES])
    guessed[:, ROUTES] = 1.0 / (1.0 + np.exp(-scores[:, ROUTES]))
    errors = (guessed - wanted) * (shares / len(shares))[:, None]
    spread = np.repeat(errors, np.diff(rows.starts), axis=0) * rows.values[:, None]
    slope = np.stack([np.bincount(place, lane, len(columns)) for lane in spread.T], axis=1).astype(
        np.float32
    )
    grown = squares[columns] + slope * slope
    squares[columns] = grown
    weights[columns] = now - RATE * slope / np.sqrt(grown)


def _order(count: int, number: int) -> Ints:
    """Return all rows in an order that looks like chance and is always the same."""
    mixed = _mixed(np.arange(count, dtype=np.uint64), number)
    return np.argsort(mixed >> np.uint64(16), kind="stable").astype(np.int64)


def _mixed(values: Hashes, salt: int) -> Hashes:
    """Return numbers that look like chance, and are the same on every machine."""
    mixed = (values + np.uint64(salt * 7919 + 1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed
