"""Notes of the program under a reply, in Discord's small print: no words of the persona."""

from __future__ import annotations

SMALL = "-# "


def without_small_print(text: str) -> str:
    """Return a reply's own words."""
    if SMALL not in text:
        return text
    lines = text.split("\n")
    return "\n".join(lines[: _own(lines)])


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
    lines = text.split("\n")
    return [line for line in lines[_own(lines) :] if line]


def _own(lines: list[str]) -> int:
    """Return how many lines are the reply's own: neither the notes at its end, nor what is empty
    between and before them. A first line is no note: it stands under nothing."""
    own = len(lines)
    for at in range(len(lines) - 1, 0, -1):
        if lines[at].startswith(SMALL):
            own = at
        elif lines[at] or own == len(lines):
            break
    while 0 < own < len(lines) and not lines[own - 1]:
        own -= 1
    return own
