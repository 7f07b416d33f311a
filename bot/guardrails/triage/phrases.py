"""What the heads hear in phrases: windows of three word pieces against learned patterns.

A piece is a small vector; pieces of like meaning, in any of the languages, lie near each other
(`pieces.py`, `phrase_fitting.py`). How strongly each pattern was met, on average and at most, is
what counts. All patterns are held against a window at once, in one large integer with 24 bits for
each, which needs no numpy and its 11 MiB.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from operator import mul

from bot.guardrails.triage.npz import Packed
from bot.recent import Recent
from bot.routing.wordpiece import WordPieces

LONGEST = 66
"""Pieces of a text that are read, its two ends counted: the first two thirds, and the last."""
MOST_AXES = 64
"""Of a vector: what keeps the sum of `_LEVEL` bits in its lane."""
_LANE = 24
_LEVEL = 1 << 20
"""Added to a place's sums, so that none is negative: more than 64 products of two bytes."""
_SIGN = 23
"""The bit of a window's sum that says whether the pattern was met: above three places and a bias
of four levels."""
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
    deep: int
    """The number of axes."""
    steps: tuple[int, ...]
    """For each axis what a step along it adds to the patterns, by place: all in one integer."""
    wide: int
    """The number of patterns."""
    lift: int
    """Added to the sums of a piece: `_LEVEL`, and for the piece itself the patterns' bias, and what
    makes `_SIGN` tell."""
    weights: tuple[tuple[float, ...], ...]
    """For each head a weight for each pattern's mean, then one for each one's peak."""
    weights_bias: tuple[float, ...]
    _sums: Recent[int, Sums] = field(
        default_factory=lambda: Recent(_REMEMBERED), repr=False, compare=False
    )

    def prepare(self, most: int) -> None:
        """Add up the most usual pieces: each costs as much as a quarter of a short message."""
        for number in range(min(most, len(self.vectors) // self.deep)):
            self._piece(number)

    def logits(self, plain: str) -> tuple[float, ...]:
        """Return a logit by head of a normalised text; none where it has no pieces."""
        ids = self.words.pieces(plain).ids[1:-1]
        if not ids:
            return ()
        total, peak = self._met(ids)
        seen = [*[value / len(ids) for value in total], *map(float, peak)]
        return tuple(
            sum(map(mul, weights, seen)) + bias
            for weights, bias in zip(self.weights, self.weights_bias, strict=True)
        )

    def _met(self, ids: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return how strongly the windows met each pattern, added up, and at most."""
        none = _ones(self.wide) * _LEVEL
        rows = [self._piece(number) for number in ids]
        before = [none, *(row[0] for row in rows[:-1])]
        after = [*(row[2] for row in rows[1:]), none]
        signs = _ones(self.wide) << _SIGN
        halves = _ones(self.wide, 2 * _LANE) * ((1 << _LANE) - 1)  # every other lane
        evens = odds = peak = 0
        for left, row, right in zip(before, rows, after, strict=True):
            met = left + row[1] + right
            positive = met & signs
            met &= positive - (positive >> _SIGN)  # the sign bit goes, and all that is below zero
            evens += met & halves
            odds += met >> _LANE & halves
            higher = (peak | signs) - met & signs
            peak = met ^ (met ^ peak) & higher - (higher >> _SIGN)
        total = [0] * self.wide
        total[::2] = _lanes(evens, (self.wide + 1) // 2, 2 * _LANE)
        total[1::2] = _lanes(odds, self.wide // 2, 2 * _LANE)
        return tuple(total), _lanes(peak, self.wide, _LANE)

    def _piece(self, number: int) -> Sums:
        """Return what a piece adds to the patterns."""
        found = self._sums.get(number)
        if found is None:
            vector = self.vectors[number * self.deep : (number + 1) * self.deep]
            row = sum(map(mul, self.steps, vector), self.lift)
            shift = _LANE * self.wide
            mask = (1 << shift) - 1
            found = self._sums[number] = (row & mask, row >> shift & mask, row >> 2 * shift)
        else:
            self._sums.move_to_end(number)  # the most usual came first, and stay
        return found


@cache
def _ones(lanes: int, size: int = _LANE) -> int:
    return int.from_bytes((1).to_bytes(size // 8, "little") * lanes, "little")


def _lanes(number: int, count: int, size: int) -> tuple[int, ...]:
    """Return the numbers in lanes of so many bits each; none of them has more than 32."""
    step = size // 8
    packed = number.to_bytes(count * step, "little")
    wide = bytearray(4 * count)
    for at in range(min(step, 4)):
        wide[at::4] = packed[at::step]
    return struct.unpack(f"<{count}I", wide)


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
    numbers, steps = weights.values(), patterns.data.cast("b")
    lift = _ones(3 * wide) * _LEVEL
    lift += _packed([value + (1 << _SIGN) - 3 * _LEVEL for value in bias]) << _LANE * wide
    return Phrases(
        WordPieces(vocabulary, LONGEST),
        vectors.data.cast("b"),
        deep,
        tuple(_packed(steps[at : at + 3 * wide]) for at in range(0, len(steps), 3 * wide)),
        wide,
        lift,
        tuple(tuple(numbers[at : at + 2 * wide]) for at in range(0, len(numbers), 2 * wide)),
        tuple(weights_bias),
    )


def _packed(numbers: Sequence[int]) -> int:
    """Return the sum of numbers, each in the lane of its place; it may be negative."""
    return sum(number << _LANE * at for at, number in enumerate(numbers))
