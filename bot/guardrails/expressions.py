"""RE2 with bounds: single patterns, and many plain words at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import re2

MAX_MEMORY = 8 * 1024 * 1024
"""Bytes that RE2 may use for one automaton, made lazily; when they are full it begins anew."""
KEPT = 300
"""Patterns that are kept compiled, some 10 KB each; people need few of them."""


def options(*, literal: bool = False) -> re2.Options:
    """Return the options of every expression here."""
    made = re2.Options()
    made.max_mem = MAX_MEMORY
    made.log_errors = False
    made.literal = literal
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
        owners: dict[str, list[int]] = {}
        for index, words in enumerate(owned):
            for word in words:
                owners.setdefault(word, []).append(index)
        self._always = tuple(index for index, words in enumerate(owned) if not words)
        self._owners = tuple(map(tuple, owners.values()))
        self._words = re2.Set.SearchSet(options(literal=True))
        for word in owners:
            self._words.Add(word)
        if owners:
            self._words.Compile()

    def standing_in(self, text: str | bytes) -> list[int]:
        """Return, in order, the owners of which a word stands in a text, and those without any."""
        due = set(self._always)
        if self._owners:
            for word in self._words.Match(text) or ():
                due.update(self._owners[word])
        return sorted(due)
