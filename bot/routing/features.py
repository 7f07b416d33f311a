"""Hashed features of a message: words and their neighbours, words further apart, pieces of words,
and its shape.

Four groups, each with a norm of its own, so that a long message does not shout. Hashes are
CRC-32, which is the same on every machine and in every version of Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from zlib import crc32

from bot.routing.text import CODE_WORD, URL_WORD, fold, words

FEATURE_VERSION = 2
"""Raised with every change here: a table of another version is refused."""
BITS = 19
MASK = (1 << BITS) - 1
PIECES_WEIGHT = 1.4
"""How much pieces of words count beside whole words."""
FAR_WEIGHT = 0.5
"""How much pairs of words three or four apart count."""
MOST_PIECES = 900
"""No further word is cut into pieces then. No message of the training has more than 846."""
_FAR_WORDS = 40
"""Pairs are read off the beginning of a message only."""
_LONGEST_WORD = 24
_FIRST_DENSE = "\u0e00"
"""From Thai on, scripts write without spaces or in syllables: shorter pieces, from one sign."""


@dataclass(frozen=True, slots=True)
class Features:
    """Buckets of the table, by group."""

    words: tuple[int, ...]
    far: tuple[int, ...]
    pieces: tuple[int, ...]
    shape: tuple[int, ...]

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Return the groups in the order of `norms`."""
        return (self.words, self.far, self.pieces, self.shape)

    def norms(self) -> tuple[float, float, float, float]:
        """Return the factor of each group."""
        return norms(len(self.words), len(self.far), len(self.pieces))


def norms(word_count: int, far_count: int, piece_count: int) -> tuple[float, float, float, float]:
    """Return the factors of the four groups, from the size of the first three."""
    return (
        1.0 / sqrt(word_count) if word_count else 0.0,
        FAR_WEIGHT / sqrt(far_count) if far_count else 0.0,
        PIECES_WEIGHT / sqrt(piece_count) if piece_count else 0.0,
        1.0 / 3.0,
    )


def bucket(key: str) -> int:
    """Return the bucket of a feature's name."""
    return crc32(key.encode("utf-8", "surrogatepass")) & MASK


def word_buckets(tokens: list[str]) -> list[int]:
    """Return the buckets of words, of neighbours, and of what stands first and last."""
    if not tokens:
        return []
    found = [bucket(f"w {token}") for token in tokens]
    found += [bucket(f"n {left} {right}") for left, right in pairwise(tokens)]
    found += [bucket(f"s {a} {b}") for a, b in zip(tokens[:24], tokens[2:26], strict=False)]
    found.append(bucket(f"^ {tokens[0]}"))
    found.append(bucket(f"^ {' '.join(tokens[:2])}"))
    found.append(bucket(f"^ {' '.join(tokens[:3])}"))
    found.append(bucket(f"$ {tokens[-1]}"))
    found.append(bucket(f"$ {' '.join(tokens[-2:])}"))
    return found


def far_buckets(tokens: list[str]) -> list[int]:
    """Return the buckets of pairs of words that stand three or four apart."""
    near = tokens[:_FAR_WORDS]
    found = [bucket(f"t {a} {b}") for a, b in zip(near, tokens[3:], strict=False)]
    found += [bucket(f"t {a} {b}") for a, b in zip(near, tokens[4:], strict=False)]
    return found


def piece_buckets(token: str) -> list[int]:
    """Return the buckets of the pieces of one word."""
    mask = MASK
    if token[-1] >= _FIRST_DENSE:
        sizes: tuple[int, ...] = (1, 2, 3, 4)
        padded = token[: 2 * _LONGEST_WORD]
    elif len(token) < 3:
        return []
    else:
        sizes, padded = (3, 4, 5), f" {token[:_LONGEST_WORD]} "
    raw = padded.encode("utf-16-le", "surrogatepass")
    end = len(raw)
    return [
        crc32(raw[at : at + 2 * size]) & mask
        for size in sizes
        for at in range(0, end - 2 * size + 2, 2)
    ]


def shape_buckets(folded: str, tokens: list[str]) -> list[int]:
    """Return the buckets of how the message looks: its length, its end, its signs."""
    count = len(tokens)
    names = ["always", f"length {count.bit_length() if count > 3 else -count}"]
    stripped = folded.strip()
    if stripped:
        names.append(f"first {stripped[0] if not stripped[0].isalnum() else 'a'}")
        names.append(f"last {stripped[-1] if not stripped[-1].isalnum() else 'a'}")
        dense = sum(1 for token in tokens[:12] if token[-1] >= _FIRST_DENSE)
        names.append(f"script {'ascii' if folded.isascii() else 'dense' if dense else 'other'}")
    if "?" in folded or "\u061f" in folded:
        names.append(f"asks {min(count // 4, 5)}")
    for sign in ("*", '"', "`", "=", "\n", "(", "#", "0", ":"):
        if sign in folded:
            names.append(f"has {sign}")
    if URL_WORD in tokens:
        names.append("link")
    if CODE_WORD in tokens:
        names.append("code")
    return [bucket(f"shape {name}") for name in names]


def features(message: str) -> Features:
    """Return the features of a message of any length."""
    folded = fold(message)
    tokens = words(folded)
    pieces: list[int] = []
    for token in tokens:
        if len(pieces) >= MOST_PIECES:
            break
        pieces += piece_buckets(token)
    return Features(
        tuple(word_buckets(tokens)),
        tuple(far_buckets(tokens)),
        tuple(pieces),
        tuple(shape_buckets(folded, tokens)),
    )
