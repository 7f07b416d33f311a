"""Many plain words, looked up in a text at once.

Tens of thousands of words are 3 MiB as objects of Python, and 5 as an automaton of RE2. Here they
are one text in UTF-8, in groups by a hash of how they begin.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from operator import add
from typing import Final

_BETWEEN: Final = "\n"
_SPARSE: Final = 8
"""Places for each way to begin, at least, of which most are empty: what begins with no word is
nearly always known by one look."""


class _Grouped:
    """Words of one length or more, in groups by a hash of so many characters at their start."""

    def __init__(self, words: Collection[str], start: int, first: int) -> None:
        """Number the words from `first` on, in the order of their groups."""
        self.start = start
        codes = {hash(word[:start]) for word in words}
        self._mask = (1 << len(codes).bit_length()) - 1
        self._seen_mask = _SPARSE * (self._mask + 1) - 1
        seen = bytearray(self._seen_mask + 1)
        for code in codes:
            seen[code & self._seen_mask] = 1
        self._seen = bytes(seen)
        groups: list[list[str]] = [[] for _ in range(self._mask + 1)]
        for word in words:
            groups[hash(word[:start]) & self._mask].append(word)
        texts = [_BETWEEN.join(group).encode() for group in groups]
        self._text = b"".join(texts)
        self._longest = max(map(len, words), default=0)
        self._begins = array("I", accumulate(map(len, texts), initial=0))
        self._firsts = array("I", accumulate(map(len, groups), initial=first))

    def words(self) -> list[str]:
        """Return the words in the order of their numbers."""
        return [word for number in range(self._mask + 1) for word in self.group(number)]

    def group(self, code: int) -> list[str]:
        """Return the words that may begin with what has this hash."""
        number = code & self._mask
        text = self._text[self._begins[number] : self._begins[number + 1]]
        return text.decode().split(_BETWEEN) if text else []

    def standing_in(self, text: str, grams: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield the words that stand in a text with their numbers; `grams` are, from each place
        on, so many characters as a start has."""
        seen, mask, longest = self._seen, self._seen_mask, self._longest
        known = (at for at, code in enumerate(map(hash, grams)) if seen[code & mask])
        for piece in {text[at : at + longest] for at in known}:
            code = hash(piece[: self.start])
            for number, word in enumerate(self.group(code), self._firsts[code & self._mask]):
                if piece.startswith(word):
                    yield number, word


class Words:
    """Words by their owners: of several one is enough; an owner without any is always due.

    Words and texts are of one line.
    """

    def __init__(self, owned: Sequence[Collection[str]], starts: Sequence[int] = (4, 6)) -> None:
        """`starts`, in order: by so many characters a word is looked up, as many as it has; what
        is shorter is kept apart."""
        self.always = tuple(index for index, words in enumerate(owned) if not words)
        owners: dict[str, list[int]] = {}
        for index, words in enumerate(owned):
            for word in words:
                owners.setdefault(word, []).append(index)
        order = [word for word in owners if len(word) < starts[0]]
        self._short = {word: number for number, word in enumerate(order)}
        self._grouped: list[_Grouped] = []
        for start, longer in pairwise([*starts, sys.maxsize]):
            words = [word for word in owners if start <= len(word) < longer]
            self._grouped.append(_Grouped(words, start, len(order)))
            order += self._grouped[-1].words()
        everything = [owners[word] for word in order]
        self._owners = array("I", chain.from_iterable(everything))
        self._ends = array("I", accumulate(map(len, everything), initial=0))

    def standing_in(self, text: str) -> list[int]:
        """Return, in order, the owners of which a word stands in a text, and those without any."""
        found = set(self.always)
        for number in self._found_in(text):
            found.update(self._owners[self._ends[number] : self._ends[number + 1]])
        return sorted(found)

    def places_in(self, text: str) -> list[tuple[int, int]]:
        """Return where words stand in a text, in order, each place with the word's owner."""
        places: set[tuple[int, int]] = set()
        for number, word in self._found_in(text).items():
            owners = self._owners[self._ends[number] : self._ends[number + 1]]
            at = text.find(word)
            while at >= 0:
                places.update((at, owner) for owner in owners)
                at = text.find(word, at + 1)
        return sorted(places)

    def _found_in(self, text: str) -> dict[int, str]:
        """Return the words that stand in a text, by their numbers."""
        found: dict[int, str] = {}
        grams, size = list(text), 1
        for grouped in self._grouped:
            while size < grouped.start:
                if grouped is self._grouped[0]:
                    found |= {self._short[each]: each for each in self._short.keys() & set(grams)}
                grams = list(map(add, grams, text[size:]))
                size += 1
            found.update(grouped.standing_in(text, grams))
        return found

    def begin_with(self, text: str) -> bool:
        """Whether one of the words begins with a text, which is as long as the only start."""
        (grouped,) = self._grouped
        return any(word.startswith(text) for word in grouped.group(hash(text[: grouped.start])))
