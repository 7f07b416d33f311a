"""A row of small numbers in one large integer, 16 bits for each: one addition adds them all.

As fast as numpy for some dozens of numbers, and without its 11 MiB. The numbers of even places
come first in the integer, then those of odd ones: so a row of bytes is spread in two steps.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

BITS = 16
ZERO = 1 << 12
"""What stands for 0 where a number may be negative: it is its lane's bit 12 that tells."""
HIGHEST = 1023
"""The largest number of which 64 may be added, and that `higher` compares."""


class Lanes:
    """What is done with rows of so many numbers, an even number."""

    def __init__(self, wide: int) -> None:
        self.wide = wide
        self._half = wide * BITS // 2
        self._ones = sum(1 << BITS * at for at in range(wide))
        self._even = 0xFF * sum(1 << BITS * at for at in range(3 * wide // 2))
        self._kept = (1 << self._half) - 1
        self._read = struct.Struct(f"<{wide}H")

    def row(self, numbers: Sequence[int]) -> int:
        """Return numbers as a row, each from -`ZERO` to `HIGHEST`, with `ZERO` added."""
        ordered = [*numbers[::2], *numbers[1::2]]
        return sum((number + ZERO) << BITS * at for at, number in enumerate(ordered))

    def sum_of_three(self, rows: bytes) -> int:
        """Return the sum of three rows of bytes that stand one behind the other."""
        packed = int.from_bytes(rows, "little")
        even, odd, half, kept = (
            packed & self._even,
            packed >> 8 & self._even,
            self._half,
            self._kept,
        )
        evens = (even + (even >> half) + (even >> 2 * half)) & kept
        odds = (odd + (odd >> half) + (odd >> 2 * half)) & kept
        return evens | odds << half

    def positive(self, row: int) -> int:
        """Return a row to which `ZERO` was added without it, and 0 for what is negative."""
        above = row >> 12 & self._ones
        return row & ((above << 12) - above)

    def higher(self, one: int, other: int) -> int:
        """Return the higher number of two rows at each place."""
        above = ((one | self._ones << 15) - other) >> 15 & self._ones
        return other ^ ((one ^ other) & ((above << 15) - above))

    def numbers(self, row: int) -> list[int]:
        """Return the numbers of a row."""
        read = self._read.unpack(row.to_bytes(2 * self.wide, "little"))
        found = [0] * self.wide
        found[::2], found[1::2] = read[: self.wide // 2], read[self.wide // 2 :]
        return found
