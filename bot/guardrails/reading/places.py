"""The places of a long message: its sentences, and stretches of what has no marks.

What a person says in one sentence is not taken back by a calm day told around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.guardrails.reading.sentences import sentences

STRETCH = 60
"""Characters of a stretch; of scripts without spaces `DENSE` times fewer."""
STEP = 20
"""Characters after which the next stretch begins."""
DENSE = 3
MARGINS = (2,)
"""Words that are heard on either side of what was found."""
UNSPACED = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
WORD = re.compile(r"\A\s*\S+\s*|\S+\s*")
"""With the space around it; nowhere but at the beginning is there any before it."""


def places(text: str) -> list[str]:
    """Return the places of a normalised text, in their order."""
    return [place for part in sentences(text) for place in _stretches(part)]


def with_neighbours(told: Sequence[str], at: int) -> str:
    """Return one of the places of a text with the one before and the one after it."""
    return " ".join(told[max(0, at - 1) : at + 2])


def closer(place: str, stands: Callable[[str], bool]) -> list[str]:
    """Return a place in which something stands, and ever fewer words of it in which it still does.

    Without marks nobody knows where a sentence begins.
    """
    if len(place) < (STRETCH // DENSE if UNSPACED.search(place) else STRETCH):
        return [place]
    words = list(place) if UNSPACED.search(place) else WORD.findall(place)
    first, last = 0, len(words)
    while last - first > 1 and stands("".join(words[first + 1 : last])):
        first += 1
    while last - first > 1 and stands("".join(words[first : last - 1])):
        last -= 1
    nearer = ["".join(words[max(0, first - by) : last + by]).strip() for by in MARGINS]
    return list(dict.fromkeys([place, *nearer]))


def _stretches(part: str) -> list[str]:
    """Return a sentence, or what overlaps of a long one."""
    dense = UNSPACED.search(part) is not None
    size, step = (STRETCH // DENSE, STEP // DENSE) if dense else (STRETCH, STEP)
    if len(part) <= size:
        return [part]
    found, begins, at = [], 0, 0
    for word in list(part) if dense else WORD.findall(part):
        if at >= begins:
            found.append(part[at : at + size])
            begins = at + step
        at += len(word)
    return found
