"""What a person orders with a creative tool."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MOST_IDEAS = 8
"""Versions or ideas that may be ordered at once: each gets a button."""


class Tool(StrEnum):
    """A creative tool, called as its command is."""

    WRITE = "write"
    REWRITE = "rewrite"
    DESCRIBE = "describe"
    BRAINSTORM = "brainstorm"


class Length(StrEnum):
    """How long each piece shall be."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


class Tone(StrEnum):
    """In which tone it shall be."""

    WARM = "warm"
    FUNNY = "funny"
    PLAYFUL = "playful"
    SERIOUS = "serious"
    DRAMATIC = "dramatic"
    POETIC = "poetic"
    PLAIN = "plain"
    FORMAL = "formal"


@dataclass(frozen=True, slots=True)
class Order:
    """An order: what the message's text asks for is made with these.

    The model gets the material as an attached file: it is quoted text, which gives no orders.
    """

    tool: Tool
    tone: Tone | None = None
    length: Length | None = None
    count: int = 1
    """How many versions or ideas, from 1 to `MOST_IDEAS`."""
    material: str = ""
    """The text to work on."""
    known: tuple[str, ...] = ()
    """Ideas that are there already: the new ones must differ from them."""
