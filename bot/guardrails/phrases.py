"""What the heads hear in phrases: windows of three word pieces against learned patterns.

A piece is a small vector; pieces of like meaning, in any of the languages, lie near each other
(`pieces.py`, `phrase_fitting.py`). How strongly each pattern was met, on average and at most, is
what counts. All patterns are held against a window at once, in one large integer with 32 bits for
each: as fast as numpy for the length of messages, and without its 11 MiB.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from operator import mul

from bot.guardrails.npz import Packed
from bot.recent import Recent
from bot.routing.wordpiece import WordPieces

LONGEST = 66
"""Pieces of a text that are read, its two ends counted: the first two thirds, and the last."""
MOST_AXES = 64
"""Of a vector: what keeps the sum of `_LEVEL` bits in its lane."""
_LANE = 32
_LEVEL = 1 << 20
"""Added to a place's sums, so that none is negative: more than 64 products of two bytes."""
_SIGN = 30
"""The bit of a window's sum that says whether the pattern was met."""
_REMEMBERED = 2048
"""Pieces whose sums are remembered."""

Sums = tuple[int, int, int]
"""What a piece adds to all patterns as the one before, the one itself, and the one after."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The vocabulary, the vectors, the patterns, and what these say to each head."""

    words: WordPieces
    vectors: memoryview
    """For each piece a signed byte for each axis."""
    axes: tuple[int, ...]
    """For each axis what a step along it adds to the patterns, by place: all in one integer."""
    wide: int
    """The number of patterns."""
    lift: int
    """Added to the three sums of a window: the patterns' bias, and what makes `_SIGN` tell."""
    weights: tuple[tuple[float, ...], ...]
    """For each head a weight for each pattern's mean, then one for each one's peak."""
    weights_bias: tuple[float, ...]
    _sums: Recent[int, Sums] = field(
        default_factory=lambda: Recent(_REMEMBERED), repr=False, compare=False
    )

    def logits(self, plain: str) -> tuple[float, ...]:
        """Return a logit by head of a normalised text; none where it has no pieces."""
        ids = self.words.pieces(plain).ids[1:-1]
        if not ids:
            return ()
        total, peak = self._met(ids)
        seen = [value / len(ids) for value in total] + [float(value) for value in peak]
        return tuple(
            sum(map(mul, weights, seen)) + bias
            for weights, bias in zip(self.weights, self.weights_bias, strict=True)
        )

    def _met(self, ids: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return how strongly the windows met each pattern, added up, and at most."""
        ones, lift = _ones(self.wide), self.lift
        none = ones * _LEVEL
        rows = [self._piece(number) for number in ids]
        before = [none, *(row[0] for row in rows[:-1])]
        after = [*(row[2] for row in rows[1:]), none]
        signs = ones << _SIGN
        total = peak = 0
        for left, row, right in zip(before, rows, after, strict=True):
            met = left + row[1] + right + lift
            positive = met & signs
            met &= positive - (positive >> _SIGN)  # the sign bit goes, and all that is below zero
            total += met
            higher = (peak | signs) - met & signs
            peak = met ^ (met ^ peak) & higher - (higher >> _SIGN)
        return _lanes(total, self.wide), _lanes(peak, self.wide)

    def _piece(self, number: int) -> Sums:
        """Return what a piece adds to the patterns, each sum raised by `_LEVEL`."""
        found = self._sums.get(number)
        if found is None:
            deep, wide = len(self.axes), self.wide
            vector = self.vectors[number * deep : (number + 1) * deep]
            row = sum(map(mul, vector, self.axes)) + _ones(3 * wide) * _LEVEL
            shift, mask = _LANE * wide, (1 << _LANE * wide) - 1
            found = self._sums[number] = row & mask, row >> shift & mask, row >> 2 * shift
        return found


def _ones(lanes: int) -> int:
    return int.from_bytes(b"\1\0\0\0" * lanes, "little")


def _lanes(number: int, wide: int) -> tuple[int, ...]:
    """Return the numbers in the lanes of one."""
    return struct.unpack(f"<{wide}I", number.to_bytes(wide * _LANE // 8, "little"))


def read_phrases(file: Mapping[str, Packed]) -> Phrases:
    """Return the phrases of a file of heads.

    Raises:
        KeyError: a part is missing.
        ValueError: the parts don't fit together.
    """
    vectors, patterns = file["phrases_vectors"], file["phrases_patterns"]
    bias = tuple(map(int, file["phrases_bias"].values()))
    weights, weights_bias = file["phrases_weights"], file["phrases_weights_bias"].values()
    vocabulary = str(file["phrases_vocabulary"].data, "utf-8").split("\n")
    wide, deep = len(bias), patterns.shape[0] if patterns.shape else 0
    right = (vectors.kind, vectors.shape) == ("|i1", (len(vocabulary), deep))
    right = right and (patterns.kind, patterns.shape) == ("|i1", (deep, 3 * wide))
    right = right and 0 < deep <= MOST_AXES and weights.shape == (len(weights_bias), 2 * wide)
    right = right and wide > 0 and all(abs(value) < 4 * _LEVEL for value in bias)
    if not right or not all(map(isfinite, (*weights.values(), *weights_bias))):
        raise ValueError("the parts of its phrases don't fit together")
    steps, numbers = patterns.data.cast("b"), weights.values()
    lift = sum(value + (1 << _SIGN) - 3 * _LEVEL << _LANE * at for at, value in enumerate(bias))
    return Phrases(
        WordPieces(vocabulary, LONGEST),
        vectors.data.cast("b"),
        tuple(_packed(steps[at : at + 3 * wide]) for at in range(0, len(steps), 3 * wide)),
        wide,
        lift,
        tuple(tuple(numbers[at : at + 2 * wide]) for at in range(0, len(numbers), 2 * wide)),
        tuple(weights_bias),
    )


def _packed(steps: Sequence[int]) -> int:
    """Return the sum of numbers, each in the lane of its place; it may be negative."""
    raised = struct.pack(f"<{len(steps)}I", *(step + 128 for step in steps))
    return int.from_bytes(raised, "little") - 128 * _ones(len(steps))
