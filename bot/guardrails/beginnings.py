"""Where, in a text that is still being written, something starts that could become a match.

Every match of a pattern begins with one of a few strings. The end of a text may be the beginning
of such a string; where one stands in full, the pattern of all beginnings is run. Patterns that can
begin with anything are always run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

import re2

from bot.guardrails.expressions import Words, options
from bot.guardrails.partial import partial

KEPT = 100
"""Expressions that are kept, some 30 KB each."""


class Beginnings:
    """The beginnings of a set of patterns."""

    def __init__(self, patterns: Iterable[str], opened: Sequence[Collection[str]]) -> None:
        """`opened` are the strings of which a match of each pattern begins with one."""
        self._patterns = tuple(patterns)
        self._words = Words(opened)
        self._longest = max((len(word) for words in opened for word in words), default=0)

    def earliest(self, plain: str) -> int:
        """Return where the earliest beginning starts that reaches the text's end; else its end."""
        starts = [len(plain)]
        for length in range(min(self._longest, len(plain)), 0, -1):
            if self._words.begin_with(plain[-length:]):
                starts.append(len(plain) - length)
                break
        for index in self._words.standing_in(plain):
            found = _expression(self._patterns[index]).search(plain)
            if found:
                starts.append(found.start())
        return min(starts)


def beginning(pattern: str) -> Any:
    """Return the RE2 expression that finds a beginning of `pattern` at the end of a text.

    Raises:
        re.error: the pattern is wrong.
        re2.error: it is too large.
        ValueError: it uses something that RE2 does not have.
    """
    # The anchor around all of it: RE2 then runs backwards from the end.
    made = re2.compile(f"(?:{partial(pattern)})\\z", options())
    re2.purge()  # its own cache would keep twice as many
    return made


_expression = lru_cache(maxsize=KEPT)(beginning)
