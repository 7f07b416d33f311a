"""The words of the interface, in the reader's language. English source text is the key."""

from __future__ import annotations

from bot.languages.catalogue import (
    LANGUAGES,
    SOURCE,
    language_for,
    let_go_of_catalogues,
    lookup,
)
from bot.languages.reader import mark, reader_language, reading, t, tn, translated

__all__ = [
    "LANGUAGES",
    "SOURCE",
    "language_for",
    "let_go_of_catalogues",
    "lookup",
    "mark",
    "reader_language",
    "reading",
    "t",
    "tn",
    "translated",
]
