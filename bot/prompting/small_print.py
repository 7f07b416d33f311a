"""Notes of the program under a reply, in Discord's small print: no words of the persona."""

from __future__ import annotations

import re

_SMALL_PRINT = re.compile(r"(?:\n+-# [^\n]*)+\Z")


def without_small_print(text: str) -> str:
    """Return a reply's own words."""
    return _SMALL_PRINT.sub("", text)


def added_under(shown: str, stored: str) -> str:
    """Return the notes that stand under a shown reply and are not part of the stored one."""
    own = set(_notes(stored))
    return "\n\n".join(line for line in _notes(shown) if line not in own)


def _notes(text: str) -> list[str]:
    found = _SMALL_PRINT.search(text)
    return [line for line in found[0].split("\n") if line] if found else []
