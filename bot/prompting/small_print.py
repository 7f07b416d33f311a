"""Notes of the program under a reply, in Discord's small print: no words of the persona."""

from __future__ import annotations

import re

_SMALL_PRINT = re.compile(r"(?:\n+-# [^\n]*)+\Z")


def without_small_print(text: str) -> str:
    """Return a reply's own words."""
    return _SMALL_PRINT.sub("", text)


def code_closed(text: str) -> str:
    """Return a text as it is shown: no code block is open where its notes begin.

    The stored text keeps the block open: a continuation goes on within it.
    """
    own = without_small_print(text)
    fences = sum(line.lstrip().startswith("```") for line in own.split("\n"))
    if own == text or fences % 2 == 0:
        return text
    return f"{own}\n```{text[len(own) :]}"


def added_under(shown: str, stored: str) -> str:
    """Return the notes that stand under a shown reply and are not part of the stored one."""
    own = set(_notes(stored))
    return "\n\n".join(line for line in _notes(shown) if line not in own)


def _notes(text: str) -> list[str]:
    found = _SMALL_PRINT.search(text)
    return [line for line in found[0].split("\n") if line] if found else []
