"""Signs: what a message says beside its matter, such as that it is a game, or that it is meant.

`signs/NAME.toml` holds what a sign means, examples that are its tests, and its expressions by
language: `words` stand as whole words, `parts` anywhere. They are matched against normalised text
(`normalise.py`). Unlike rules (`rule_files.py`) they may look around themselves, which RE2 does
not, and so an operator can't replace them.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot.guardrails.expressions import matches

FOLDER = Path(__file__).parent / "signs"

Expressions = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class InLanguage(BaseModel):
    """How one language gives a sign."""

    model_config = ConfigDict(extra="forbid")

    words: Expressions | None = None
    parts: Expressions | None = None


class Sign(BaseModel):
    """A file of signs. `several` stands for what more than one language shares."""

    model_config = ConfigDict(extra="forbid")

    means: str
    examples: Expressions
    counter_examples: Expressions
    languages: Annotated[dict[str, InLanguage], Field(alias="in", min_length=1)]

    @property
    def pattern(self) -> str:
        """One expression for all languages."""
        words = [word for each in self.languages.values() for word in each.words or ()]
        parts = [part for each in self.languages.values() for part in each.parts or ()]
        return "|".join([rf"\b(?:{'|'.join(words)})\b", *parts] if words else parts)


def read_sign(name: str) -> Sign:
    """Read one of the files of `signs/`."""
    return Sign.model_validate(tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8")))


def shows(sign: re.Pattern[str], plain: str) -> bool:
    """Whether a normalised text shows a sign that doesn't look around itself.

    In ASCII RE2 means the same by words and their edges, and looks for all of its words at once.
    """
    if plain.isascii():
        return matches(sign.pattern, plain.encode())
    return sign.search(plain) is not None


def sign(name: str) -> re.Pattern[str]:
    """Return what finds a sign in normalised text."""
    return re.compile(read_sign(name).pattern)
