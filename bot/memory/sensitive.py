"""What is never remembered, whoever asks: sensitive classes, contact data, secrets.

The words stand in `never/`, a list for each class, in thirteen languages. They err on the side of
forgetting. Allergies and diets are in none: they are the very thing that a constraint is for.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from bot.memory.forms import formal_class
from bot.memory.item import LONGEST_EPISODE
from bot.memory.phrases import Group, Text, read_groups

LISTS: Final = Path(__file__).parent / "never"
LONGEST: Final = 2 * LONGEST_EPISODE
"""Characters that are looked at: more of a text is never kept."""


def sensitive_class(text: str) -> str | None:
    """Return which class of what is never stored a text touches; None if it touches none."""
    text = text[:LONGEST]
    if (formal := formal_class(text)) is not None:
        return formal
    ready = Text(text)
    for name, groups in _lists().items():
        if any(group.found_in(ready) for group in groups):
            return name
    return None


@cache
def _lists() -> dict[str, tuple[Group, ...]]:
    return read_groups(LISTS, speaking="speaking")
