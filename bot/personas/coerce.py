"""Lenient readers for the values that real cards hold, each deviation told once.

A card in the wild has `"0.5"` where a number belongs, `null` where a list does, and milliseconds
where seconds do. These functions accept what can be understood and note what was odd.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

MAX_WARNINGS = 64


class Notes:
    """Warnings of one reading: each text once, with how often it happened."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def warn(self, text: str) -> None:
        """Note a deviation."""
        if text in self._counts or len(self._counts) < MAX_WARNINGS:
            self._counts[text] = self._counts.get(text, 0) + 1

    def all(self) -> tuple[str, ...]:
        """Return the warnings, first met first."""
        return tuple(
            text if count == 1 else f"{text} ({count} times)"
            for text, count in self._counts.items()
        )


def mapping(value: Any, field: str, notes: Notes) -> Mapping[str, Any]:
    """Return an object; anything else counts as an empty one."""
    if isinstance(value, Mapping):
        return value
    if value is not None and value != "" and value != []:
        notes.warn(f"{field} is not an object: left out")
    return {}


def text(value: Any, field: str, notes: Notes) -> str:
    """Return a text; numbers are spelled out, null is empty, lists of texts are joined."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        notes.warn(f"{field} is not a text: left out")
        return ""
    if isinstance(value, int | float):
        notes.warn(f"{field} is a number: read as a text")
        return str(getattr(value, "text", value))
    if is_texts(value):
        notes.warn(f"{field} is a list: joined to one text")
        return "\n".join(value)
    notes.warn(f"{field} is not a text: left out")
    return ""


def texts(value: Any, field: str, notes: Notes, *, split: bool = False) -> tuple[str, ...]:
    """Return a list of texts. With `split` a single text is one of comma-separated items."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        notes.warn(f"{field} is a text: read as a list")
        parts = value.split(",") if split else [value]
        return tuple(part.strip() if split else part for part in parts if part.strip())
    if isinstance(value, Mapping):
        notes.warn(f"{field} is an object: its values were read as a list")
        value = list(value.values())
    if not isinstance(value, list):
        notes.warn(f"{field} is not a list: left out")
        return ()
    return tuple(_items(value, field, notes))


def _items(values: Iterable[Any], field: str, notes: Notes) -> Iterable[str]:
    for each in values:
        if isinstance(each, str):
            yield each
        elif isinstance(each, int | float) and not isinstance(each, bool):
            notes.warn(f"{field} holds a number: read as a text")
            yield str(getattr(each, "text", each))
        elif each is not None:
            notes.warn(f"{field} holds something that is no text: left out")


def number(value: Any, field: str, notes: Notes) -> float | None:
    """Return a finite number, also from a text such as "0.5"; None when there is none."""
    if value is None:
        return None
    if value == "":
        notes.warn(f"{field} is an empty text: the default counts")
        return None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        try:
            value = float(value.strip())
        except ValueError:
            notes.warn(f"{field} is not a number: left out")
            return None
        notes.warn(f"{field} is a number in quotes")
    if not isinstance(value, int | float):
        notes.warn(f"{field} is not a number: left out")
        return None
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not math.isfinite(result):
        notes.warn(f"{field} is not a finite number: left out")
        return None
    return result


def integer(
    value: Any, field: str, notes: Notes, *, low: int = -(10**9), high: int = 10**9
) -> int | None:
    """Return a whole number within bounds; None when there is none."""
    result = number(value, field, notes)
    if result is None:
        return None
    if not low <= result <= high:
        notes.warn(f"{field} is out of bounds: moved to the nearest bound")
    return int(min(high, max(low, result)))


def flag(value: Any, field: str, notes: Notes) -> bool | None:
    """Return true or false, also from 0, 1, "true" and "false"; None when there is neither."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().casefold()
        if word == "":
            return None
        if word in ("true", "1", "yes", "false", "0", "no"):
            notes.warn(f"{field} is true or false in quotes")
            return word in ("true", "1", "yes")
    notes.warn(f"{field} is neither true nor false: left out")
    return None


def plain_lines(value: str, notes: Notes) -> str:
    """Return a text whose lines end in `\\n`."""
    if "\r" not in value:
        return value
    notes.warn("texts hold Windows line ends: read as plain ones")
    return value.replace("\r\n", "\n").replace("\r", "\n")


def is_texts(value: Any) -> bool:
    """Whether a value is a list of texts, as the specifications want it."""
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
