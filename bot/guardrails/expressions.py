"""Single patterns of RE2, with bounds."""

from __future__ import annotations

from functools import lru_cache

import re2

MAX_MEMORY = 8 * 1024 * 1024
"""Bytes that RE2 may use for one automaton, made lazily; when they are full it begins anew."""
KEPT = 7000
"""Patterns that are kept compiled, 10 to 30 KB each. People of one language need hundreds, those
of thirteen nearly all; and compiling one anew costs as much as half a judgement."""


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
    made.Add(f"(?m){pattern}")  # several texts of one line may be looked through at once
    made.Compile()
    return made


def matches(pattern: str, text: bytes) -> bool:
    """Whether a pattern matches anywhere in a text, given in UTF-8."""
    return bool(_expression(pattern).Match(text))
