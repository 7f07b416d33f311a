"""Where, in a text that is still being written, something starts that could become a match.

Every match of a pattern begins with one of a few strings. The end of a text may be the beginning
of such a string; where one stands in full, the pattern of all beginnings is tried from there on.
Patterns that can begin with anything are searched for from the end.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import re2

from bot.guardrails.expressions import options
from bot.guardrails.matching.literals import LONGEST
from bot.guardrails.matching.needed import Needed
from bot.guardrails.matching.partial import partial

WITHIN_WORD = re.compile(r"\w\w", re.ASCII)
"""Two characters between which RE2 sees no boundary."""
KEPT = 400
"""Expressions that are kept, some 16 KB each; drafts in one language ask for some 300."""


class Beginnings:
    """The beginnings of a set of patterns."""

    def __init__(self, patterns: Iterable[str], opened: Sequence[Collection[str]]) -> None:
        """`opened` are the strings of which a match of each pattern begins with one."""
        self._patterns = tuple(patterns)
        self._at_edge = bytes(pattern.startswith(r"\b") for pattern in self._patterns)
        self._openings = Needed(opened)
        self._anywhere = _anywhere([self._patterns[owner] for owner in self._openings.always])
        self._begun = [_hashes(opened, size) for size in range(1, LONGEST + 1)]

    def earliest(self, plain: str) -> int:
        """Return where the earliest beginning starts that reaches the text's end; else its end."""
        end = len(plain)
        for length in range(min(LONGEST, len(plain)), 0, -1):
            if self._begins_opening(plain[-length:]):
                end -= length
                break
        for at, owner in self._openings.places_in(plain):
            if at >= end:
                break
            if self._at_edge[owner] and at and WITHIN_WORD.match(plain, at - 1):
                continue
            if beginning(self._patterns[owner]).Match(plain[at:].encode()):
                end = at
        if self._anywhere is not None and (found := self._anywhere.search(plain)):
            end = min(end, found.start())
        return end

    def _begins_opening(self, text: str) -> bool:
        begun, code = self._begun[len(text) - 1], hash(text)
        at = bisect_left(begun, code)
        return at < len(begun) and begun[at] == code


def _hashes(opened: Iterable[Collection[str]], size: int) -> array[int]:
    """Return, in order, the hashes of what strings of a size and more begin with.

    Each size apart: Python hashes bytes, and those of `映` are those of ` f`.
    """
    found = {hash(word[:size]) for words in opened for word in words if len(word) >= size}
    return array("q", sorted(found))


@lru_cache(maxsize=KEPT)
def beginning(pattern: str) -> re2.Set:
    """Return the RE2 expression of texts that are, as a whole, a beginning of `pattern`.

    A set for whole texts takes a quarter of the memory of an expression that finds the place, and
    is ready in 5 µs instead of 200.

    Raises:
        re.error: the pattern is wrong.
        re2.error: it is too large.
        ValueError: it uses something that RE2 does not have.
    """
    made = re2.Set.FullMatchSet(options())
    made.Add(partial(pattern))
    made.Compile()
    return made


def _anywhere(patterns: Sequence[str]) -> Any:
    """Return what finds the first beginning of one of the patterns that reaches the end of a text;
    None for no patterns.

    An expression, since a set does not tell where: one search instead of a try at every place.
    """
    if not patterns:
        return None
    # The anchor around all of it: RE2 then runs backwards from the end.
    made = re2.compile(f"(?:{'|'.join(map(partial, patterns))})\\z", options())
    re2.purge()  # its own cache would keep it a second time
    return made
