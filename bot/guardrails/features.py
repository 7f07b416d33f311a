"""Hashed character and word n-grams of a normalised text.

All n-grams of a length are hashed at once, in one large integer with 64 bits for each: as fast as
numpy for the length of messages, and without its 11 MiB.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from itertools import pairwise
from typing import Final

BUCKETS: Final = 1 << 16
SIZES: Final = (2, 3, 4, 5)
MAX_CHARS: Final = 1200
"""A longer text is seen in its first and last half of this."""

_LANE: Final = 64
_POWERS: Final = tuple(pow(0x01000193, k, 1 << 32) for k in range(max(SIZES)))
_SALT: Final = 0x9E3779B1
_MIX: Final = 0x85EBCA6B
_LOW: Final = (1 << 23) - 1
"""What of a hash reaches its bucket: bits 7 to 22 of the product with `_MIX`."""


def features(plain: str) -> set[int]:
    """Return the buckets of a text."""
    if len(plain) > MAX_CHARS:
        plain = f"{plain[: MAX_CHARS // 2]} {plain[-MAX_CHARS // 2 :]}"
    codes = array("Q", map(ord, f" {plain} "))
    if sys.byteorder == "big":
        codes.byteswap()
    text = int.from_bytes(codes.tobytes(), "little")
    ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * len(codes), "little")
    found: set[int] = set()
    for size in SIZES:
        if size <= len(codes):
            found.update(_grams(text, ones, size)[: len(codes) - size + 1])
    words = [zlib.crc32(word.encode("utf-8", "replace")) for word in plain.split()]
    found.update(word % BUCKETS for word in words)
    found.update((a * 31 + b) % BUCKETS for a, b in pairwise(words))
    return found


def _grams(text: int, ones: int, size: int) -> array[int]:
    """Return the buckets of the n-grams that begin at each character; the last are cut short.

    `text` has a character in each lane, `ones` a one. A character has 21 bits and a power 32, so
    that no sum leaves its lane before it is cut.
    """
    mixed = text + size * _SALT * ones  # the first power is 1
    for at in range(1, size):
        mixed += (text >> _LANE * at) * _POWERS[at]
    mixed ^= mixed >> 15
    mixed = (mixed & _LOW * ones) * _MIX
    buckets = (mixed >> 7) & (BUCKETS - 1) * ones
    found = array("Q", buckets.to_bytes((ones.bit_length() + _LANE - 1) // 8, "little"))
    if sys.byteorder == "big":
        found.byteswap()
    return found
