"""What the heads hear in phrases: windows of three word pieces against a few learned patterns.

How strongly each pattern was met, on average and at most, is what counts. That needs no numpy,
because what a piece adds to a pattern, as the one before, the one itself or the one after, is a
number in a table. Pieces of like meaning add like numbers: they were vectors of a sentence encoder
(`pieces.py`) before `phrase_fitting.py` made the table of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.guardrails.lanes import HIGHEST, ZERO, Lanes
from bot.guardrails.npz import Packed
from bot.routing.wordpiece import WordPieces

LONGEST = 66
"""Pieces of a text that are read, its two ends counted: the first two thirds, and the last."""
SHIFT = 128
UNSIGNED = bytes(range(SHIFT, 2 * SHIFT)) + bytes(range(SHIFT))
"""Makes of a byte that stands for -128 to 127 one that stands for 0 to 255."""

Windows = dict[tuple[int, int, int], int]
"""How strongly windows meet each pattern, by their three pieces."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The vocabulary, the table, and what a pattern says to each head."""

    words: WordPieces
    lanes: Lanes
    """A row of them has a number for each pattern."""
    table: bytes
    """For each piece, and for none at all: its rows before, itself, after, a byte for each number,
    and each `SHIFT` too large."""
    bias: int
    """A row in the table's steps, that makes up for that."""
    weights: tuple[tuple[float, ...], ...]
    """For each head a weight for each pattern's mean, then one for each one's peak."""
    weights_bias: tuple[float, ...]

    def logits(self, plain: str, known: Windows | None = None) -> tuple[float, ...]:
        """Return a logit by head of a normalised text; zeros where it has no pieces.

        `known` are windows met before: views of one text have most of them in common.
        """
        ids = self.words.pieces(plain).ids[1:-1]
        if not ids:
            return (0.0,) * len(self.weights)
        known = {} if known is None else known
        lanes, whole, peaks = self.lanes, 0, 0
        none = len(self.table) // (3 * lanes.wide) - 1
        for window in zip((none, *ids), ids, (*ids[1:], none), strict=False):
            met = known.get(window)
            if met is None:
                met = known[window] = self._met(*window)
            whole, peaks = whole + met, lanes.higher(met, peaks)
        seen = [each / len(ids) for each in lanes.numbers(whole)]
        seen += map(float, lanes.numbers(peaks))
        return tuple(
            sum(map(float.__mul__, weights, seen)) + bias
            for weights, bias in zip(self.weights, self.weights_bias, strict=True)
        )

    def _met(self, before: int, itself: int, after: int) -> int:
        """Return how strongly a window meets each pattern."""
        table, wide = self.table, self.lanes.wide
        row = 3 * wide
        left, own, right = before * row, itself * row + wide, after * row + 2 * wide
        rows = table[left : left + wide] + table[own : own + wide] + table[right : right + wide]
        return self.lanes.positive(self.lanes.sum_of_three(rows) + self.bias)


def read_phrases(file: Mapping[str, Packed]) -> Phrases:
    """Return the phrases of a file of heads.

    Raises:
        KeyError: a part is missing.
        ValueError: the parts don't fit together.
    """
    table = file["phrases_table"]
    bias = [int(each) - 3 * SHIFT for each in file["phrases_bias"].values()]
    weights, weights_bias = file["phrases_weights"], file["phrases_weights_bias"].values()
    vocabulary = str(file["phrases_vocabulary"].data, "utf-8").split("\n")
    wide = len(bias)
    right = (table.kind, table.shape) == ("|i1", (len(vocabulary) + 1, 3 * wide))
    right = right and wide > 0 and wide % 2 == 0
    right = right and min(bias) >= -ZERO and 3 * 255 + max(bias) <= HIGHEST
    if not right or weights.shape != (len(weights_bias), 2 * wide):
        raise ValueError("the parts of its phrases don't fit together")
    numbers, lanes = weights.values(), Lanes(wide)
    return Phrases(
        WordPieces(vocabulary, LONGEST),
        lanes,
        bytes(table.data).translate(UNSIGNED),
        lanes.row(bias),
        tuple(tuple(numbers[at : at + 2 * wide]) for at in range(0, len(numbers), 2 * wide)),
        tuple(weights_bias),
    )
