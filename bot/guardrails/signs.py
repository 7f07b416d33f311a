"""Signs: what a message says beside its matter, such as that it is a game, or that it is meant.

`signs/NAME.toml` holds what a sign means, examples that are its tests, and its expressions by
language: `words` stand as whole words, `parts` anywhere. They are matched against normalised text
(`normalise.py`). Unlike rules (`rule_files.py`) they may look around themselves, which RE2 does
not, and so an operator can't replace them. Of what RE2 could run as well it still says first that
nothing is there: ten times as quickly, and for texts in ASCII on the same terms.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bot.guardrails.expressions import matches

FOLDER = Path(__file__).parent / "signs"

LOOKS_AROUND = re.compile(r"\(\?<?[=!]")

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


class Finder:
    """Finds a sign in normalised text."""

    __slots__ = ("_exact", "_quick")

    def __init__(self, pattern: str) -> None:
        self._exact = re.compile(pattern)
        self._quick = None if LOOKS_AROUND.search(pattern) else pattern

    def search(self, text: str) -> re.Match[str] | None:
        """Return where a text first gives the sign, if it does."""
        return None if self._lacks(text) else self._exact.search(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Return every place where a text gives the sign."""
        return iter(()) if self._lacks(text) else self._exact.finditer(text)

    def sub(self, by: str, text: str) -> str:
        """Return a text with something else in place of the sign."""
        return text if self._lacks(text) else self._exact.sub(by, text)

    def _lacks(self, text: str) -> bool:
        quick = self._quick
        return quick is not None and text.isascii() and not matches(quick, text.encode())


def sign(name: str) -> Finder:
    """Return what finds a sign in normalised text."""
    return Finder(read_sign(name).pattern)
