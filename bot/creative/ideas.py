"""Several ideas in one reply: read from what a model wrote, and put down again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

LONGEST: Final = 4000
"""Characters of one idea that are kept."""
_ITEM = re.compile(
    r"^[ \t]*(?:#{1,3}[ \t]*)?(?P<opened>\*\*|__)?(?P<number>\d{1,2})[.):\uff0e\u3001\uff09\uff1a]"
    r"(?(opened)(?P<closed>\*\*|__)?)(?:[ \t]+|(?=[^\s\d]))",
    re.MULTILINE,
)
"""A number with its mark, also the wide ones of Chinese and Japanese, which no space follows."""
_BULLET = re.compile(r"^[ \t]*[-*\u2022][ \t]+", re.MULTILINE)


def ideas_in(text: str) -> list[str]:
    """Return the ideas of a reply, in order; none when it is no list.

    A numbered list counts, else a list of bullets. What stands before the first is a preface; what
    stands after the last, behind an empty line, is an afterword.
    """
    for mark in (_ITEM, _BULLET):
        starts = list(mark.finditer(text))
        if mark is _ITEM:
            starts = _counting(starts)
        if len(starts) < 2:
            continue
        ends = [*(start.start() for start in starts[1:]), len(text)]
        pieces = [
            (_left_open(start) + text[start.end() : end]).strip()
            for start, end in zip(starts, ends, strict=True)
        ]
        pieces[-1] = pieces[-1].split("\n\n")[0].strip() if _short(pieces[:-1]) else pieces[-1]
        return [piece[:LONGEST] for piece in pieces if piece]
    return []


def idea_in(text: str) -> str:
    """Return the one idea of a text, without the number that may stand before it."""
    text = text.strip()
    start = _ITEM.match(text)
    if start is not None:
        text = _left_open(start) + text[start.end() :].strip()
    return text[:LONGEST]


def listed(ideas: Sequence[str]) -> str:
    """Return ideas as a numbered list that `ideas_in` reads."""
    return "\n\n".join(f"**{number}.** {idea}" for number, idea in enumerate(ideas, 1))


def _left_open(start: re.Match[str]) -> str:
    """Return the mark of bold type that begins before a number and ends behind the title."""
    if start.re is not _ITEM or start["closed"]:
        return ""
    return start["opened"] or ""


def _counting(starts: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """Return the items that count 1, 2, 3, …: a list inside an idea begins at 1 again."""
    found: list[re.Match[str]] = []
    for start in starts:
        if int(start["number"]) == len(found) + 1:
            found.append(start)
    return found


def _short(pieces: Sequence[str]) -> bool:
    """Whether no idea has paragraphs, so that a paragraph at the end belongs to none."""
    return not any("\n\n" in piece for piece in pieces)
