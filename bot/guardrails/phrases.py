"""What the heads hear in phrases: windows of three word pieces against a few learned patterns.

How strongly each pattern was met, on average and at most, is what counts. That needs no numpy,
because what a piece adds to a pattern, as the one before, the one itself or the one after, is a
number in a table. Pieces of like meaning add like numbers: they were vectors of a sentence encoder
(`pieces.py`) before `phrase_fitting.py` made the table of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import add

from bot.guardrails.npz import Packed
from bot.routing.wordpiece import WordPieces

LONGEST = 66
"""Pieces of a text that are read, its two ends counted: the first two thirds, and the last."""
ZERO = 128
UNSIGNED = bytes(range(ZERO, 2 * ZERO)) + bytes(range(ZERO))
"""Makes of a byte that stands for -128 to 127 one that stands for 0 to 255."""

Windows = dict[tuple[int, int, int], list[int]]
"""How strongly windows meet each pattern, by their three pieces."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The vocabulary, the table, and what a pattern says to each head."""

    words: WordPieces
    table: bytes
    """For each piece, and for none at all: its numbers before, itself, after, a byte each, and
    each `ZERO` too large: bytes are quicker than what may be negative."""
    bias: tuple[int, ...]
    """A number for each pattern, in the table's steps, that makes up for that."""
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
        met = list(zip(*self._met(ids, {} if known is None else known), strict=True))
        seen = [sum(column) / len(ids) for column in met] + [max(column) for column in met]
        return tuple(
            sum(map(float.__mul__, weights, map(float, seen))) + bias
            for weights, bias in zip(self.weights, self.weights_bias, strict=True)
        )

    def _met(self, ids: Sequence[int], known: Windows) -> list[list[int]]:
        """Return how strongly each window meets each pattern."""
        table, wide = self.table, len(self.bias)
        row = 3 * wide
        none = len(table) // row - 1
        windows = list(zip((none, *ids), ids, (*ids[1:], none), strict=False))
        for window in windows:
            if window in known:
                continue
            before, itself, after = window
            left, own, right = before * row, itself * row + wide, after * row + 2 * wide
            beside = map(add, table[left : left + wide], table[right : right + wide])
            sums = map(add, beside, map(add, table[own : own + wide], self.bias))
            known[window] = [value if value > 0 else 0 for value in sums]
        return [known[window] for window in windows]


def read_phrases(file: Mapping[str, Packed]) -> Phrases:
    """Return the phrases of a file of heads.

    Raises:
        KeyError: a part is missing.
        ValueError: the parts don't fit together.
    """
    table, bias = file["phrases_table"], file["phrases_bias"].values()
    weights, weights_bias = file["phrases_weights"], file["phrases_weights_bias"].values()
    vocabulary = str(file["phrases_vocabulary"].data, "utf-8").split("\n")
    wide = len(bias)
    right = (table.kind, table.shape) == ("|i1", (len(vocabulary) + 1, 3 * wide))
    if not right or not wide or weights.shape != (len(weights_bias), 2 * wide):
        raise ValueError("the parts of its phrases don't fit together")
    numbers = weights.values()
    return Phrases(
        WordPieces(vocabulary, LONGEST),
        bytes(table.data).translate(UNSIGNED),
        tuple(int(each) - 3 * ZERO for each in bias),
        tuple(tuple(numbers[at : at + 2 * wide]) for at in range(0, len(numbers), 2 * wide)),
        tuple(weights_bias),
    )
