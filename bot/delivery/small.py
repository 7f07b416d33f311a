"""Small letters without a change of length, so that positions stay what they are."""

from __future__ import annotations


def small(text: str) -> str:
    """Return a text of the same length in small letters."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)
