"""Which of a card's patterns can't be read, or take too long: to be told before the card is used.

A pattern is tried on texts that are made of its own words and a few common signs, many times over,
with an end that does not fit: that is where a repetition within a repetition never ends. What is
found slow is slow; what is not found may be so on another text, and is stopped there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import islice
from typing import Final

import regex

from bot.personas.card import Card
from bot.personas.lorebook import Lorebook
from bot.personas.patterns import compile_javascript, written
from bot.personas.scripts import find_of, may_ever_run

PROBED: Final = 2_000
"""Characters of a text: as long as a message."""
UNITS: Final = 16
"""Words of a pattern that are repeated, at most."""
SLOW: Final = 0.25
"""Seconds on one text. Many times what a pattern gets when it is used, so that a busy machine finds
nothing that is not there: who repeats within a repetition takes years."""
AT_MOST: Final = 10.0
"""Seconds for all patterns of a card."""
QUOTED: Final = 60

_WORDS = re.compile(r"[^\\\[\](){}.*+?|^$]+")
_COMMON: Final = ("a", "A", "0", " ", "a ", "\n", "*", '"', "<")


def flaws(card: Card) -> tuple[str, ...]:
    """Return a line for each pattern of a card that won't do what its author wanted. Takes up to
    `AT_MOST` seconds."""
    found: list[str] = []
    until = time.monotonic() + AT_MOST
    for script in card.regex_scripts:
        if not may_ever_run(script):
            continue
        named = f"the regex script {script.name[:QUOTED]!r}"
        pattern, flags = find_of(script)
        if not pattern or compile_javascript(pattern, flags) is None:
            found.append(f"{named} has no pattern that can be read: it never runs")
        elif is_slow(pattern, flags, until):
            found.append(f"{named} takes too long on some texts: it is passed over there")
    return (*found, *book_flaws(card.book, until))


def book_flaws(book: Lorebook | None, until: float | None = None) -> tuple[str, ...]:
    """Return a line for each key of a lorebook that takes too long."""
    until = time.monotonic() + AT_MOST if until is None else until
    entries = book.entries if book else ()
    keys = dict.fromkeys(key for entry in entries for key in entry.every_key)
    return tuple(
        f"the lorebook's key {key[:QUOTED]!r} takes too long on some texts: it is passed over there"
        for key in keys
        if (pattern := written(key)) is not None and is_slow(*pattern, until)
    )


def is_slow(pattern: str, flags: str, until: float) -> bool:
    """Whether a pattern takes too long on one of our texts; False when it can't be read, and at
    `until`, on the monotonic clock."""
    compiled = compile_javascript(pattern, flags)
    if compiled is None:
        return False
    try:
        for text in _probes(pattern):
            if time.monotonic() > until:
                break
            compiled.search(text, timeout=SLOW)
    except TimeoutError:
        return True
    except (regex.error, MemoryError, RecursionError):
        return False
    return False


def _probes(pattern: str) -> Iterator[str]:
    """Yield texts with which a pattern may begin well, and can't end."""
    words = list(dict.fromkeys(_WORDS.findall(pattern)))
    signs = dict.fromkeys("".join(words))
    units = dict.fromkeys((*_COMMON, *islice((*words, *signs), UNITS)))
    begins = words[:1] if words and pattern.startswith(words[0]) else []
    ends = ("\0!", *(f"\0{word}" for word in words[-1:]))
    for unit in units:
        many = unit * (PROBED // len(unit))
        for begin in ("", *begins):
            for end in ends:
                yield f"{begin}{many}{end}"
