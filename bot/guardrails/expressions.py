"""What looks through a text: single patterns of RE2, with bounds, and many plain words."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Sequence
from functools import lru_cache

import re2

MAX_MEMORY = 8 * 1024 * 1024
"""Bytes that RE2 may use for one automaton, made lazily; when they are full it begins anew."""
KEPT = 1800
"""Patterns that are kept compiled, some 10 KB each. People of one language need few of them, those
of thirteen nearly all; and compiling one anew costs more than a whole judgement."""
START = 4
"""Characters of a word by which it is looked up; an automaton of all words would take 5 MiB.
The few words that are shorter are looked for one by one."""


def options() -> re2.Options:
    """Return the options of every expression here."""
    made = re2.Options()
    made.max_mem = MAX_MEMORY
    made.log_errors = False
    return made


@lru_cache(maxsize=KEPT)
def _expression(pattern: str) -> re2.Set:
    # A set keeps less in memory than an expression: no parse tree, one direction.
    made = re2.Set.SearchSet(options())
    made.Add(pattern)
    made.Compile()
    return made


def matches(pattern: str, text: bytes) -> bool:
    """Whether a pattern matches anywhere in a text, given in UTF-8."""
    return bool(_expression(pattern).Match(text))


class Words:
    """Words by their owners: of several one is enough; an owner without any is always due."""

    def __init__(self, owned: Sequence[Collection[str]]) -> None:
        pairs = sorted((word, index) for index, words in enumerate(owned) for word in words)
        self.always = tuple(index for index, words in enumerate(owned) if not words)
        # In order, so that a number says where the words of a start begin.
        self._words = tuple(word for word, _ in pairs)
        self._owners = array("I", [index for _, index in pairs])
        self._short: dict[str, tuple[int, ...]] = {}
        for word, index in pairs:
            if len(word) < START:
                self._short[word] = (*self._short.get(word, ()), index)
        self._starts: dict[str, int] = {}
        for at, word in enumerate(self._words):
            if len(word) >= START:
                self._starts.setdefault(word[:START], at)

    def standing_in(self, text: str) -> list[int]:
        """Return, in order, the owners of which a word stands in a text, and those without any."""
        return sorted({*self.always, *(owner for _, owner in self._found_in(text))})

    def places_in(self, text: str) -> list[tuple[int, int]]:
        """Return where words stand in a text, in order, each place with the word's owner."""
        places: set[tuple[int, int]] = set()
        for word, owner in self._found_in(text):
            at = text.find(word)
            while at >= 0:
                places.add((at, owner))
                at = text.find(word, at + 1)
        return sorted(places)

    def _found_in(self, text: str) -> list[tuple[str, int]]:
        """Return the words that stand in a text, each with its owner."""
        words, owners = self._words, self._owners
        shorts = [word for word in self._short if word in text]
        found = [(short, owner) for short in shorts for owner in self._short[short]]
        pieces = {text[at : at + START] for at in range(len(text) - START + 1)}
        for start in pieces & self._starts.keys():
            last, stands = "", False
            for at in range(self._starts[start], len(words)):
                word = words[at]
                if word != last:  # many patterns need the same word: look for it once
                    if not word.startswith(start):
                        break
                    last, stands = word, word in text
                if stands:
                    found.append((word, owners[at]))
        return found

    def begin_with(self, text: str) -> bool:
        """Whether one of the words begins with a text."""
        at = bisect_left(self._words, text)
        return at < len(self._words) and self._words[at].startswith(text)
