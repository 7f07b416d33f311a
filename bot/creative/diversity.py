"""How much ideas differ: distinct-n, and ideas that are nearly the same.

distinct-n is the share of n-grams of all ideas together that occur once only as a kind (Li et al.,
"A Diversity-Promoting Objective Function for Neural Conversation Models", 2016). Two ideas are
nearly the same when their sets of character trigrams overlap (Jaccard), or when one of them
says in its first words what the other says in its first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

ALIKE: Final = 0.5
"""Overlap from which two ideas count as one."""
OPENING: Final = 5
"""Words with which an idea begins; equal ones make two ideas one. Of characters it takes twice as
many."""
VARIED: Final = 0.55
"""The distinct-2 that ideas should have together; below it they are asked for anew."""
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
"""A word; a character where words are written without spaces."""


def distinct(texts: Sequence[str], n: int = 2) -> float:
    """Return distinct-n of the texts together, from 0 (all alike) to 1; 1 without n-grams."""
    grams = [gram for text in texts for gram in _grams(_words(text), n)]
    return len(set(grams)) / len(grams) if grams else 1.0


def overlap(one: str, other: str) -> float:
    """Return how much of two texts' character trigrams they share, from 0 to 1."""
    first, second = _trigrams(one), _trigrams(other)
    if not first or not second:
        return 1.0 if _words(one) == _words(other) else 0.0
    return len(first & second) / len(first | second)


def nearly_same(one: str, other: str) -> bool:
    """Whether two ideas are one idea."""
    first = _words(one)
    opening = OPENING * (2 if first and re.match(f"[{_UNSPACED}]", first[0]) else 1)
    if len(first) >= opening and first[:opening] == _words(other)[:opening]:
        return True
    return overlap(one, other) >= ALIKE


def different(ideas: Sequence[str], known: Sequence[str] = ()) -> list[str]:
    """Return the ideas that differ from those before them and from the known ones, in order."""
    kept: list[str] = []
    for idea in ideas:
        if not any(nearly_same(idea, other) for other in (*known, *kept)):
            kept.append(idea)
    return kept


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def _trigrams(text: str) -> frozenset[str]:
    line = " ".join(_words(text))
    return frozenset(line[at : at + 3] for at in range(len(line) - 2))
