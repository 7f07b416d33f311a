"""Single patterns of RE2, with bounds."""

from __future__ import annotations

import contextlib
from functools import lru_cache

import re2

MAX_MEMORY = 8 * 1024 * 1024
"""Bytes that RE2 may use for one automaton, made lazily; when they are full it begins anew."""
USUAL_MEMORY = 256 * 1024
"""The same of a rule's pattern, if it can be run in so little: few ever fill it, and those would
grow for as long as people write."""
VERY_LONG = 3000
"""Characters from which that is not tried: to find out that it is too little takes milliseconds."""
KEPT = 3000
"""Patterns that are kept compiled, 10 to 40 KB each. People of one language need hundreds. Of 5,700
texts in 16 languages, most of them about harm, each calls for one that has to be compiled anew,
which takes 70 µs; with all of them in memory that took 139 MiB instead of 90."""


def options(memory: int = MAX_MEMORY) -> re2.Options:
    """Return the options of every expression here."""
    made = re2.Options()
    made.max_mem = memory
    made.log_errors = False
    return made


@lru_cache(maxsize=KEPT)
def _expression(pattern: str) -> re2.Set:
    if len(pattern) < VERY_LONG:
        with contextlib.suppress(re2.error):
            return _compiled(pattern, USUAL_MEMORY)
    return _compiled(pattern, MAX_MEMORY)


def _compiled(pattern: str, memory: int) -> re2.Set:
    # A set keeps less in memory than an expression: no parse tree, one direction.
    chosen = options(memory)
    if pattern.isascii():
        # Bytes will do: any character as UTF-8 is ten steps in an automaton, a byte is one.
        chosen.encoding = re2.Options.Encoding.LATIN1
    made = re2.Set.SearchSet(chosen)
    made.Add(f"(?m){pattern}")  # several texts of one line may be looked through at once
    made.Compile()
    return made


def keep_all() -> None:
    """Let go of no compiled pattern any more: for an evaluation, which calls for all of them."""
    global _expression
    _expression = lru_cache(maxsize=None)(_expression.__wrapped__)


def matches(pattern: str, text: bytes) -> bool:
    """Whether a pattern matches anywhere in a text, given in UTF-8."""
    return bool(_expression(pattern).Match(text))
