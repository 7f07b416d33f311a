"""What looks through a text: single patterns of RE2, with bounds, and many plain words."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Sequence
from functools import lru_cache
from operator import add

import re2

MAX_MEMORY = 8 * 1024 * 1024
"""Bytes that RE2 may use for one automaton, made lazily; when they are full it begins anew."""
KEPT = 4000
"""Patterns that are kept compiled, 10 to 30 KB each. People of one language need hundreds, those
of thirteen nearly all; and compiling one anew costs as much as half a judgement."""
START = 3
"""Characters of a word by which it is looked up; an automaton of all words would take 5 MiB."""


def options() -> re2.Options:
    """Return the options of every expression here."""
    made = re2.Options()
    made.max_mem = MAX_MEMORY
    made.log_errors = False
    return made


@lru_cache(maxsize=KEPT)
def _expression(pattern: str) -> re2.Set:
    # A set keeps less in memory than an expression: no parse tree, one direction.
    chosen = options()
    if pattern.isascii():
        # Bytes will do: any character as UTF-8 is ten steps in an automaton, a byte is one.
        chosen.encoding = re2.Options.Encoding.LATIN1
    made = re2.Set.SearchSet(chosen)
    made.Add(pattern)
    made.Compile()
    return made


def matches(pattern: str, text: bytes) -> bool:
    """Whether a pattern matches anywhere in a text, given in UTF-8."""
    return bool(_expression(pattern).Match(text))


class Words:
    """Words by their owners: of several one is enough; an owner without any is always due."""

    def __init__(self, owned: Sequence[Collection[str]]) -> None:
        self.always = tuple(index for index, words in enumerate(owned) if not words)
        # Many patterns need the same word: it is kept once, with where its owners begin.
        flat = [word for words in owned for word in words]
        owners = [index for index, words in enumerate(owned) for _ in words]
        order = sorted(range(len(flat)), key=flat.__getitem__)
        self._owners = array("I", [owners[at] for at in order])
        starts = [n for n, at in enumerate(order) if n == 0 or flat[at] != flat[order[n - 1]]]
        self._words = tuple(flat[order[n]] for n in starts)
        self._ends = array("I", [*starts, len(order)])
        self._short = {word: at for at, word in enumerate(self._words) if len(word) < START}
        self._tiny = any(map(str.isascii, self._short))
        # In order: the words of a start stand side by side, and those of one follow another's.
        self._starts: dict[str, int] = {}
        self._first = array("I")
        for at, word in enumerate(self._words):
            if len(word) >= START and word[:START] not in self._starts:
                self._starts[word[:START]] = len(self._first)
                self._first.append(at)
        self._first.append(len(self._words))
        self._longest = max(map(len, self._words), default=0)

    def standing_in(self, text: str) -> list[int]:
        """Return, in order, the owners of which a word stands in a text, and those without any."""
        found = set(self.always)
        for at in self._found_in(text):
            found.update(self._owners[self._ends[at] : self._ends[at + 1]])
        return sorted(found)

    def places_in(self, text: str) -> list[tuple[int, int]]:
        """Return where words stand in a text, in order, each place with the word's owner."""
        places: set[tuple[int, int]] = set()
        for number in self._found_in(text):
            word = self._words[number]
            owners = self._owners[self._ends[number] : self._ends[number + 1]]
            at = text.find(word)
            while at >= 0:
                places.update((at, owner) for owner in owners)
                at = text.find(word, at + 1)
        return sorted(places)

    def _found_in(self, text: str) -> list[int]:
        """Return the numbers of the words that stand in a text."""
        words = self._words
        twos = list(map(add, text, text[1:]))
        found: list[int] = []
        if self._tiny or not text.isascii():
            found += [self._short[short] for short in {*text, *twos} & self._short.keys()]
        starts, longest = self._starts, self._longest
        grams = enumerate(map(add, twos, text[2:]))
        # What follows a start, wherever it stands: its beginnings are looked up among the words.
        for piece in {text[at : at + longest] for at, gram in grams if gram in starts}:
            number = starts[piece[:START]]
            first, end = self._first[number], self._first[number + 1]
            for size in range(START, len(piece) + 1):
                at = bisect_left(words, piece[:size], first, end)
                if at == end:
                    break
                if words[at] == piece[:size]:
                    found.append(at)
                first = at
        return found

    def begin_with(self, text: str) -> bool:
        """Whether one of the words begins with a text."""
        at = bisect_left(self._words, text)
        return at < len(self._words) and self._words[at].startswith(text)
