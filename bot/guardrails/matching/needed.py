"""Many short words, of which those that stand in a text are found at once.

A message is held against tens of thousands of them. Each of its places gets a number that the
letters from there on make, by one multiplication of all letters at once, in an integer with
32 bits for each; and a look at a table tells at nearly every place that no word begins there.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, chain, compress
from operator import itemgetter
from typing import Final

from bot.guardrails.matching.literals import LONGEST

_LANE: Final = 32
_LETTER: Final = (1 << 13) - 1
"""Bits of a letter that count, and 16 of its factor: eight products fill a lane, and no more."""
_FACTORS: Final = tuple(pow(40_503, place, 65_521) | 1 for place in range(1, LONGEST + 1))
_SPARSE: Final = 8
"""Places of a table for each of its words, at least."""
_END: Final = "\n" * (LONGEST + 1)
"""Stands after each text, so that its last place begins as many letters as any other."""


class Needed:
    """Words by their owners: of several one is enough; an owner without any is always due.

    Words and texts are of one line.
    """

    def __init__(self, owned: Sequence[Collection[str]]) -> None:
        """Take words of `LONGEST` characters at most."""
        self.always = tuple(index for index, words in enumerate(owned) if not words)
        owners: dict[str, list[int]] = {}
        for index, words in enumerate(owned):
            for word in words:
                owners.setdefault(word, []).append(index)
        lengths: dict[int, list[str]] = {}
        for word in owners:
            lengths.setdefault(len(word), []).append(word)
        self._tables: list[_Table] = []
        order: list[str] = []
        for length in sorted(lengths):
            words = _grouped(lengths[length])
            self._tables.append(_Table(words, len(order)))
            order += words
        everything = [owners[word] for word in order]
        self._owners = array("I", chain.from_iterable(everything))
        self._ends = array("I", accumulate(map(len, everything), initial=0))

    def due(self, text: str) -> set[int]:
        """Return the owners of which a word stands in a text, and those without any."""
        found = set(self.always)
        for table, places in self._places(text):
            size = table.size
            for count in table.counts({text[at : at + size] for at in places}).values():
                found.update(self._owners[self._ends[count] : self._ends[count + 1]])
        return found

    def places_in(self, text: str) -> list[tuple[int, int]]:
        """Return where words stand in a text, in order, each place with the word's owner."""
        found: set[tuple[int, int]] = set()
        for table, places in self._places(text):
            words = {at: text[at : at + table.size] for at in places}
            counts = table.counts(set(words.values()))
            for at, word in words.items():
                if word in counts:
                    count = counts[word]
                    owners = self._owners[self._ends[count] : self._ends[count + 1]]
                    found.update((at, owner) for owner in owners)
        return sorted(found)

    def _places(self, text: str) -> Iterator[tuple[_Table, Iterator[int]]]:
        """Yield the tables, each with the places of a text where one of its words may begin."""
        numbered, plain = _Numbered(text), text.isascii()
        for table in self._tables:
            if table.plain or not plain:
                seen = itemgetter(*numbered.of(table.size, table.places))(table.seen)
                yield table, compress(range(len(text)), seen)


class _Table:
    """Words of one length."""

    def __init__(self, words: Sequence[str], first: int) -> None:
        """Take words as `_grouped` orders them, which are counted from `first` on."""
        self.size = len(words[0])
        self.plain = any(map(str.isascii, words))
        self._first, self._mask = first, _groups(words)
        self.places = (_SPARSE * (self._mask + 1)) - 1
        seen = bytearray(self.places + 1)
        for number in _Numbered("".join(words)).of(self.size, self.places)[:: self.size]:
            seen[number] = 1
        self.seen = bytes(seen)
        self._hashes = array("q", map(hash, words))
        counts = [0] * (self._mask + 1)
        for code in self._hashes:
            counts[code & self._mask] += 1
        self._begins = array("I", accumulate(counts, initial=0))

    def counts(self, words: Collection[str]) -> dict[str, int]:
        """Return the counts of those words that are in the table."""
        begins, hashes, mask = self._begins, self._hashes, self._mask
        found = {}
        for word in words:
            code = hash(word)
            group = code & mask
            for at in range(begins[group], begins[group + 1]):
                if hashes[at] == code:
                    found[word] = self._first + at
        return found


def _groups(words: Sequence[str]) -> int:
    """Return the bits of a word's hash that say to which group it belongs."""
    return (1 << len(words).bit_length()) - 1


def _grouped(words: Sequence[str]) -> list[str]:
    mask = _groups(words)
    return sorted(words, key=lambda word: hash(word) & mask)


class _Numbered:
    """A text, with a number for each of its places."""

    def __init__(self, text: str) -> None:
        self._count = len(text) + 2  # never one, of which `itemgetter` makes no row
        self._room = -(-len(text + _END) // 64) * 64  # few sizes, so that masks are made once
        letters = int.from_bytes((text + _END).encode("utf-32-le", "surrogatepass"), "little")
        self._letters = letters & _lanes(self._room, _LETTER)

    def of(self, size: int, mask: int) -> list[int]:
        """Return for each place, and a few more, the lowest bits of what so many letters from there
        on make."""
        products = self._letters * _factor(size) >> _LANE * (size - 1)
        data = (products & _lanes(self._room, mask)).to_bytes(self._room * 4, "little")
        return memoryview(data).cast("I")[: self._count].tolist()


@lru_cache(maxsize=256)
def _lanes(count: int, value: int) -> int:
    """Return a value in every lane."""
    return int.from_bytes(value.to_bytes(_LANE // 8, "little") * count, "little")


@lru_cache(maxsize=LONGEST)
def _factor(size: int) -> int:
    return sum(factor << _LANE * at for at, factor in enumerate(_FACTORS[:size]))
