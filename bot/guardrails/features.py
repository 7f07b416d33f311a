"""Hashed character and word n-grams of a normalised text, by numpy alone."""

from __future__ import annotations

import zlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 16
SIZES = (2, 3, 4, 5)
MAX_CHARS = 1200
"""A longer text is seen in its first and last half of this."""

_POWERS = {size: [np.uint64(pow(0x01000193, k, 1 << 32)) for k in range(size)] for size in SIZES}
_SALT = {size: np.uint64(size * 0x9E3779B1) for size in SIZES}
_MIX, _HALF, _SHIFT, _COUNT = map(np.uint64, (0x85EBCA6B, 15, 7, BUCKETS - 1))


def features(plain: str) -> NDArray[np.int64]:
    """Return the distinct buckets of a text, in order."""
    if len(plain) > MAX_CHARS:
        plain = f"{plain[: MAX_CHARS // 2]} {plain[-MAX_CHARS // 2 :]}"
    text = f" {plain} "
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    parts = []
    for size in SIZES:
        if len(codes) < size:
            continue
        last = len(codes) - size + 1
        mixed = codes[:last] + _SALT[size]  # the first power is 1
        for at in range(1, size):
            mixed += codes[at : last + at] * _POWERS[size][at]
        mixed ^= mixed >> _HALF
        parts.append((mixed * _MIX >> _SHIFT) & _COUNT)
    words = [zlib.crc32(word.encode("utf-8", "replace")) for word in plain.split()]
    pairs = [(a * 31 + b) % BUCKETS for a, b in pairwise(words)]
    alone = [word % BUCKETS for word in words]
    parts.append(np.array(alone + pairs, dtype=np.uint64))
    found = np.sort(np.concatenate(parts)).astype(np.int64)
    # Not `np.unique`: it loads masked arrays, 2 MiB of code.
    return found[np.diff(found, prepend=-1) > 0]
