"""Words cut into the pieces that the encoder knows (WordPiece, as uncased BERT models use it)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.routing.text import cut
from bot.routing.vocabulary import Vocabulary

UNKNOWN, FIRST, LAST = "[UNK]", "[CLS]", "[SEP]"
_LONGEST_WORD = 40
_MOST_CACHED = 8_192
_BEGINNINGS = (3, 4, 6, 9)
"""Letters of a word's beginning that are looked at alone."""
_BEGUN = 1 << 19
"""Places of a table of them: several for each."""
_FOREIGN = 2
"""Pieces beyond the first that a word of another script counts for, however short it is."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A message as numbers of pieces."""

    ids: tuple[int, ...]
    fragmentation: float
    """Pieces for each word. English has about 1.1, a language the encoder spells out 2 and more."""


class WordPieces:
    """A vocabulary, with the cut of words that were met lately."""

    def __init__(self, vocabulary: Sequence[str], longest: int) -> None:
        """Take the pieces in the order of their numbers, and the most pieces of a message."""
        self._number = Vocabulary(vocabulary)
        self._unknown = self._number[UNKNOWN]
        self._ends = self._number[FIRST], self._number[LAST]
        self._room = longest - 2
        self._cut: dict[str, tuple[int, ...]] = {}
        begun = bytearray(_BEGUN // 8)
        for piece in vocabulary:
            for size in _BEGINNINGS:
                if len(piece) >= size:
                    place = hash(piece[:size])
                    begun[place >> 3 & _BEGUN // 8 - 1] |= 1 << (place & 7)
        self._begun = bytes(begun)

    def knows(self, word: str) -> bool:
        """Whether a word is a piece by itself, not one that must be spelled out."""
        return self._number.get(word) is not None

    def rank(self, word: str) -> int | None:
        """Return how many pieces are more usual than a word, in a vocabulary of that order."""
        return self._number.get(word)

    def reach(self, text: str) -> int:
        """Return how many letters of a text a word that it begins with has at most."""
        begun = self._begun
        for size in _BEGINNINGS:
            place = hash(text[:size])
            if not begun[place >> 3 & _BEGUN // 8 - 1] >> (place & 7) & 1:
                return min(len(text), size - 1)
        return len(text)

    def pieces(self, message: str) -> Pieces:
        """Return a message of any length; of a long one the beginning and the end."""
        ids: list[int] = []
        count = spelled = 0
        for word in words_of(cut(message)):
            found = self._pieces(word)
            ids += found
            if word[0].isalpha():
                count += 1
                spelled += len(found) + (0 if word[0].isascii() else _FOREIGN)
        if len(ids) > self._room:
            head = self._room * 2 // 3
            ids = ids[:head] + ids[head - self._room :]
        return Pieces((self._ends[0], *ids, self._ends[1]), spelled / count if count else 1.0)

    def _pieces(self, word: str) -> tuple[int, ...]:
        found = self._cut.get(word)
        if found is None:
            if len(self._cut) >= _MOST_CACHED:
                self._cut.clear()
            found = self._cut[word] = tuple(self._spelled(word))
        return found

    def _spelled(self, word: str) -> Iterator[int]:
        """Yield the longest known pieces from left to right; an unknown sign is one of its own."""
        if len(word) > _LONGEST_WORD:
            yield self._unknown
            return
        at, before = 0, ""
        while at < len(word):
            rest = before + word[at:]
            for size in range(self.reach(rest), len(before), -1):
                number = self._number.get(rest[:size])
                if number is not None:
                    yield number
                    at += size - len(before)
                    break
            else:
                yield self._unknown
                at += 1
            before = "##"


class _Signs(dict[int, str | None]):
    """What becomes of a sign between words, found out when it is first met."""

    def __missing__(self, code: int) -> str | None:
        sign = chr(code)
        category = unicodedata.category(sign)
        made: str | None = sign
        if category == "Mn":
            made = None
        elif sign.isspace() or category[0] == "C":
            made = " "
        elif _alone(sign, category):
            made = f" {sign} "
        if len(self) >= _MOST_CACHED:
            self.clear()
        self[code] = made
        return made


_SIGNS = _Signs()


def words_of(message: str) -> list[str]:
    """Return words and single signs, in small letters and without accents."""
    return unicodedata.normalize("NFD", message.lower()).translate(_SIGNS).split()


def _alone(sign: str, category: str) -> bool:
    """Whether a sign is a word of its own: punctuation, other signs of ASCII, Chinese."""
    code = ord(sign)
    if code < 128:
        return not sign.isalnum()
    return (
        category[0] == "P"
        or 0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0xF900 <= code <= 0xFAFF
    )
