"""Personas: cards in service."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from bot.personas import rawjson
from bot.personas.card import MAX_NAME, Card
from bot.personas.lorebook import Entry, Lorebook
from bot.personas.reading import ReadCard

MAX_AVATAR = 8 * 2**20
"""Bytes of an avatar that Discord still takes."""

_ADULT = frozenset(
    {"nsfw", "adult", "18+", "r18", "r-18", "explicit", "erotic", "erotica", "porn", "smut",
     "hentai", "lewd"}
)  # fmt: skip
_NOT_ADULT = frozenset({"no", "non", "not", "sfw"})
_TAG_WORD = re.compile(r"[\w+-]+")
_VOLATILE = frozenset({"modification_date"})


LIGHT_ENTRIES: Final = 150
LIGHT_CHARACTERS: Final = 60_000
LIGHT_MACROS: Final = 60
LIGHT_DEPTH: Final = 50
"""Up to these a prompt is made in about two milliseconds."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A card in service. Two are equal when id and version are."""

    id: str
    """A slug, stable as long as the card's file is called the same."""
    version: str
    """Twelve hex digits that change with anything in the card but its modification date."""
    name: str = field(compare=False)
    card: Card = field(compare=False, repr=False)
    avatar: bytes | None = field(compare=False, repr=False, default=None)
    """The card's picture: PNG, or what a CHARX or its JSON holds (JPEG, WebP, GIF)."""
    adult: bool = field(compare=False, default=False)
    """Tagged as not safe for work: only for age-restricted places."""
    greetings: tuple[str, ...] = field(compare=False, repr=False, default=())
    """Ways to begin, the card's first message first; macros not yet filled in."""
    group_greetings: tuple[str, ...] = field(compare=False, repr=False, default=())
    """Further ways to begin when several personas share a place."""
    lorebook: Lorebook | None = field(compare=False, repr=False, default=None)
    world: Lorebook | None = field(compare=False, repr=False, default=None)
    """The standalone lorebook that the card names, when the library has it."""
    heavy: bool = field(compare=False, repr=False, default=False)
    """Whether its prompt takes the processor for milliseconds: not on the event loop."""
    size: int = field(compare=False, repr=False, default=0)
    """Characters of the card's JSON: in its file they may have been packed a thousandfold."""


def make_persona(read: ReadCard, id: str, world: Lorebook | None = None) -> Persona:
    """Put a card into service under an id."""
    card = read.card
    greetings = (card.first_mes, *card.alternate_greetings)
    avatar = read.avatar
    written = rawjson.write(_canonical(card.raw))
    return Persona(
        id=slug(id),
        version=hashlib.sha256(written.encode()).hexdigest()[:12],
        name=" ".join((card.nickname or card.name).split())[:MAX_NAME],
        card=card,
        avatar=avatar if avatar is not None and len(avatar) <= MAX_AVATAR else None,
        adult=any(map(is_adult_tag, card.tags)),
        greetings=tuple(each for each in greetings if each.strip()),
        group_greetings=tuple(each for each in card.group_only_greetings if each.strip()),
        lorebook=card.book,
        world=world,
        heavy=_is_heavy(card, card.book, world),
        size=len(written),
    )


def _has_patterns(entry: Entry) -> bool:
    return entry.use_regex or any(key.lstrip().startswith("/") for key in entry.every_key)


def _deepest(book: Lorebook) -> int:
    """Return in how many messages a book's keys are looked for, as far as it says so."""
    own = (
        depth for each in book.entries for depth in (each.scan_depth, each.decorators.scan_depth)
    )
    return max(depth or 0 for depth in (book.scan_depth, *own))


def _is_heavy(card: Card, *books: Lorebook | None) -> bool:
    """Whether a card holds long texts, many macros, which may stand in each other, or much lore,
    patterns, or lore that is searched for in a long stretch of the talk."""
    texts = (
        card.description,
        card.personality,
        card.scenario,
        card.mes_example,
        card.system_prompt,
        card.post_history_instructions,
        card.first_mes,
        *card.alternate_greetings,
        *card.group_only_greetings,
        "" if card.depth_prompt is None else card.depth_prompt.text,
    )
    entries = [entry for book in books if book is not None for entry in book.entries]
    contents = [entry.content for entry in entries]
    living = sum("{{" in key or "<" in key for entry in entries for key in entry.every_key)
    return (
        len(entries) > LIGHT_ENTRIES
        or any(book is not None and _deepest(book) > LIGHT_DEPTH for book in books)
        or any(map(_has_patterns, entries))
        or sum(map(len, (*texts, *contents))) > LIGHT_CHARACTERS
        or sum(text.count("{{") for text in (*texts, *contents)) + living > LIGHT_MACROS
    )


@lru_cache(maxsize=1024)
def slug(text: str) -> str:
    """Return a text as an id: small letters of any script with their marks, digits and hyphens,
    at most 64 characters. An id is its own slug."""
    seen = "".join(each for each in text if not _is_unseen(each))
    kept = ""
    for each in _folded(_folded(seen)):  # the second time undoes what folding took apart
        of_word = kept[-1:] not in ("", "-")
        if each.isalnum() or (of_word and unicodedata.category(each) in ("Mn", "Mc")):
            kept += each
        elif of_word:
            kept += "-"
    kept = kept[:64].strip("-")
    return kept or "persona-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _is_unseen(char: str) -> bool:
    """Whether a character only steers how its neighbours are drawn."""
    return unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f"


def is_adult_tag(tag: str) -> bool:
    """Whether a tag marks a card as not safe for work, such as "NSFW" or "18+ only"."""
    words = _TAG_WORD.findall(tag.casefold())
    return not _NOT_ADULT.intersection(words) and not _ADULT.isdisjoint(words)


def _canonical(value: Any) -> Any:
    """Return a tree with ordered keys, without what changes by mere saving."""
    if isinstance(value, Mapping):
        return {
            key: _canonical(each) for key, each in sorted(value.items()) if key not in _VOLATILE
        }
    return [_canonical(each) for each in value] if isinstance(value, list) else value
