"""Embeddings without a model: hashed words and trigrams, so that like texts lie near."""

from __future__ import annotations

import hashlib
import math
import re

MAX_FEATURES = 4096
_WORD = re.compile(r"\w+")


def embed_text(text: str, dimensions: int) -> list[float]:
    """Return a unit vector; equal texts give equal vectors on every machine."""
    vector = [0.0] * dimensions
    for feature, weight in _features(text):
        digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = int.from_bytes(digest, "big")
        vector[(number >> 1) % dimensions] += weight if number & 1 else -weight
    length = math.sqrt(sum(value * value for value in vector))
    if length == 0:
        return [1.0] + [0.0] * (dimensions - 1)
    return [value / length for value in vector]


def _features(text: str) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for word in _WORD.findall(text.lower()):
        found.append((word, 1.0))
        padded = f"<{word}>"
        found.extend((padded[at : at + 3], 0.4) for at in range(len(padded) - 2))
        if len(found) > MAX_FEATURES:
            break
    return found
