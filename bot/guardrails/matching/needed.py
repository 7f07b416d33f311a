"""Many short words, of which those that stand in a text are found at once.

A message is held against tens of thousands of them. Each of its places gets a number that the
letters from there on make, by one multiplication of all letters at once, in an integer with
32 bits for each; and a look at a table tells at nearly every place that no word begins there.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from operator import itemgetter, or_
from typing import Final

from bot.guardrails.matching.literals import LONGEST

_LANE: Final = 32
_LETTER: Final = (1 << 13) - 1
"""Bits of a letter that count, and 16 of its factor: eight products fill a lane, and no more."""
_FACTORS: Final = tuple(pow(40_503, place, 65_521) | 1 for place in range(1, LONGEST + 1))
_SPARSE: Final = 8
"""Places of a table for each of its words, at least."""
_HALF: Final = -1 << 32
"""The upper half of a hash."""
_AT_ONCE: Final = 128
"""Words whose numbers are made at once."""
_END: Final = "\n" * (LONGEST + 1)
"""Stands after each text, so that its last place begins as many letters as any other."""


class Needed:
    """Words by their owners: of several one is enough; an owner without any is always due.

    Words and texts are of one line.
    """

    def __init__(self, owned: Sequence[Collection[str]]) -> None:
        """Take words of `LONGEST` characters at most."""
        self.always = tuple(index for index, words in enumerate(owned) if not words)
        words: list[list[str]] = [[] for _ in range(LONGEST + 1)]
        owners = [array("I") for _ in words]
        for index, own in enumerate(owned):
            for word in own:
                words[len(word)].append(word)
                owners[len(word)].append(index)
        self._tables = [_Table(*each) for each in zip(words, owners, strict=True) if each[0]]

    def due(self, text: str) -> set[int]:
        """Return the owners of which a word stands in a text, and those without any."""
        found = set(self.always)
        for table, places in self._places(text):
            size = table.size
            words = {text[at : at + size] for at in places}
            found.update(owner for _, owner in table.owners(words))
        return found

    def places_in(self, text: str) -> list[tuple[int, int]]:
        """Return where words stand in a text, in order, each place with the word's owner."""
        found: set[tuple[int, int]] = set()
        for table, places in self._places(text):
            words: dict[str, list[int]] = {}
            for at in places:
                words.setdefault(text[at : at + table.size], []).append(at)
            found.update((at, owner) for word, owner in table.owners(words) for at in words[word])
        return sorted(found)

    def _places(self, text: str) -> Iterator[tuple[_Table, Iterator[int]]]:
        """Yield the tables, each with the places of a text where one of its words may begin."""
        numbered, plain = _Numbered(text), text.isascii()
        for table in self._tables:
            if table.plain or not plain:
                seen = itemgetter(*numbered.of(table.size, table.places))(table.seen)
                yield table, compress(range(len(text)), seen)


class _Table:
    """Words of one length.

    Each is an entry: the upper half of its hash above its owner. That another word of a text has
    the same half happens once in a hundred thousand times, and costs a look in vain.
    """

    def __init__(self, words: Sequence[str], owners: Sequence[int]) -> None:
        """Take words, each with its owner."""
        different = list(set(words))
        self.size = len(words[0])
        self.plain = any(map(str.isascii, different))
        self.places = (_SPARSE << len(different).bit_length()) - 1
        seen = bytearray(self.places + 1)
        for first in range(0, len(different), _AT_ONCE):  # few, so that no mask is large
            joined = "".join(different[first : first + _AT_ONCE])
            for number in _Numbered(joined).of(self.size, self.places)[:: self.size]:
                seen[number] = 1
        self.seen = bytes(seen)
        halves = (hash(word) & _HALF for word in words)
        self._entries = array("q", sorted(map(or_, halves, owners)))

    def owners(self, words: Collection[str]) -> Iterator[tuple[str, int]]:
        """Yield those of the words that are in the table, with each of their owners."""
        entries, end = self._entries, len(self._entries)
        for word in words:
            half = hash(word) & _HALF
            at = bisect_left(entries, half)
            while at < end and entries[at] & _HALF == half:
                yield word, entries[at] - half
                at += 1


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
