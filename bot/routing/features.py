"""Hashed features of a message: words and their neighbours, words further apart, pieces of words,
and its shape.

Four groups, each with a norm of its own, so that a long message does not shout. Hashes are
CRC-32, which is the same on every machine and in every version of Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from math import sqrt
from operator import itemgetter
from typing import Final
from zlib import crc32

from bot.routing.text import CODE_WORD, URL_WORD, fold, words

FEATURE_VERSION = 4
"""Raised with every change here: a table of another version is refused."""
BITS = 19
MASK = (1 << BITS) - 1
PIECES_WEIGHT = 1.4
"""How much pieces of words count beside whole words."""
FAR_WEIGHT = 0.5
"""How much pairs of words three or four apart count."""
MOST_LETTERS = 140
"""No further word is cut into pieces then. A sign of a dense script counts twice. Two thirds are
taken from the beginning: what is asked often stands at the end."""
_FAR_WORDS = 24
"""Pairs are read off the beginning of a message only."""
_LONGEST_WORD = 24
_SIZES: Final[tuple[int, ...]] = (3, 4, 5)
_DENSE_SIZES: Final[tuple[int, ...]] = (1, 2, 3, 4)
"""Signs in a piece."""
_FIRST_DENSE = "\u0e00"
"""From Thai on, scripts write without spaces or in syllables: shorter pieces, from one sign."""
_CLAUSES = 5
_SIGNS = frozenset(sign.encode() for sign in '.,!?;:…—–-。！？、،؟)*"')
"""What parts clauses."""
_WORD, _NEXT, _SKIP, _FAR, _FIRST, _LAST = map(crc32, (b"w ", b"n ", b"s ", b"t ", b"^ ", b"$ "))
_CLAUSE, _LAST_CLAUSE = crc32(b"c "), crc32(b"e ")
"""Where the checksums of each kind of feature go on from: a feature is its kind and its words."""


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


def spelled(tokens: list[str]) -> list[bytes]:
    """Return the words in UTF-8."""
    # All at once: no word holds a space.
    return " ".join(tokens).encode("utf-8", "surrogatepass").split(b" ") if tokens else []


def word_buckets(said: list[bytes]) -> list[int]:
    """Return the buckets of words, of neighbours, and of what stands first and last."""
    if not said:
        return []
    spaced = [word + b" " for word in said]
    found = [
        *map(crc32, said, repeat(_WORD)),
        *_pairs(_NEXT, spaced, said[1:]),
        *_pairs(_SKIP, spaced[:24], said[2:26]),
        crc32(said[0], _FIRST),
        crc32(b" ".join(said[:2]), _FIRST),
        crc32(b" ".join(said[:3]), _FIRST),
        crc32(said[-1], _LAST),
        crc32(b" ".join(said[-2:]), _LAST),
        *_clause_starts(said),
    ]
    return [each & MASK for each in found]


def _clause_starts(said: list[bytes]) -> Iterator[int]:
    """Yield what the clauses begin with, and once more for the last: there stands the request."""
    starts = [
        0,
        *(at for at in range(1, len(said)) if said[at - 1] in _SIGNS and said[at] not in _SIGNS),
    ]
    for at in starts[-_CLAUSES:]:
        for kind in (_CLAUSE, _LAST_CLAUSE) if at == starts[-1] else (_CLAUSE,):
            yield from (crc32(b" ".join(said[at : at + size]), kind) for size in (1, 2, 3))


def far_buckets(said: list[bytes]) -> list[int]:
    """Return the buckets of pairs of words that stand three or four apart."""
    near = [word + b" " for word in said[:_FAR_WORDS]]
    found = [*_pairs(_FAR, near, said[3:]), *_pairs(_FAR, near, said[4:])]
    return [each & MASK for each in found]


def _pairs(kind: int, left: list[bytes], right: list[bytes]) -> Iterator[int]:
    """Return the checksums of a kind's name and two words, without joining them."""
    return map(crc32, right, map(crc32, left, repeat(kind)))


def cut_words(tokens: list[str]) -> list[str]:
    """Return the words that are cut into pieces: of a long message its beginning and its end."""
    letters = [_letters(token) for token in tokens]
    if sum(letters) <= MOST_LETTERS:
        return tokens
    first, room = 0, MOST_LETTERS * 2 // 3
    while room > 0:
        room -= letters[first]
        first += 1
    last, room = len(tokens), MOST_LETTERS // 3
    while room > 0 and last > first:
        last -= 1
        room -= letters[last]
    return tokens[:first] + tokens[last:]


def _letters(token: str) -> int:
    if token[-1] >= _FIRST_DENSE:
        return 2 * min(len(token), 2 * _LONGEST_WORD)
    return len(token)


def piece_buckets(token: str) -> list[int]:
    """Return the buckets of the pieces of one word."""
    if token[-1] >= _FIRST_DENSE:
        padded, sizes = token[: 2 * _LONGEST_WORD], _DENSE_SIZES
    elif len(token) < 3:
        return []
    else:
        padded, sizes = f" {token[:_LONGEST_WORD]} ", _SIZES
    # Rare signs take two units: cut again, so that no word has more pieces than a sum can hold.
    raw = padded.encode("utf-16-le", "surrogatepass")[: 4 * _LONGEST_WORD]
    return [each & MASK for each in map(crc32, _cutter(len(raw), sizes)(raw))]


@lru_cache(maxsize=256)
def _cutter(length: int, sizes: tuple[int, ...]) -> Callable[[bytes], tuple[bytes, ...]]:
    """Return what cuts so many bytes into all pieces of these sizes, a sign being two bytes."""
    spans = [slice(at, at + 2 * n) for n in sizes for at in range(0, length - 2 * n + 2, 2)]
    if len(spans) > 1:
        return itemgetter(*spans)
    return lambda raw: tuple(raw[span] for span in spans)


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
    pieces = [each for token in cut_words(tokens) for each in piece_buckets(token)]
    return Features(
        tuple(word_buckets(spelled(tokens))),
        tuple(far_buckets(spelled(tokens))),
        tuple(pieces),
        tuple(shape_buckets(folded, tokens)),
    )
