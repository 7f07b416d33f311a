"""From a turn to episodes: the person's own messages, as items. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bot.chat.place import Place
from bot.chat.turn import Message
from bot.memory.explicit import Request, kind_of
from bot.memory.item import (
    LONGEST_CONTEXT,
    LONGEST_EPISODE,
    LONGEST_STATEMENT,
    Item,
    Kind,
    new_id,
)
from bot.memory.retrieval import Passage, key_of
from bot.memory.scope import is_closed
from bot.memory.sensitive import sensitive_class
from bot.memory.store import Put
from bot.memory.words import LATIN, Terms, language_of, terms_of

_BY_LOCALE: Final = {
    "de": "german", "fr": "french", "es": "spanish", "pt": "portuguese", "it": "italian",
    "nl": "dutch", "sv": "swedish", "da": "danish", "no": "norwegian", "fi": "finnish",
    "pl": "polish", "ro": "romanian", "hu": "hungarian", "tr": "turkish", "id": "indonesian",
    "ru": "russian", "el": "greek", "hi": "hindi",
}  # fmt: skip
_SAYS_SOMETHING: Final = re.compile(r"\w\W+\w|[\u3040-\u9fff\uac00-\ud7af]{2}")


def language(text: str, locale: str | None) -> str:
    """Return a text's language, by its words or else by the person's client."""
    return language_of(text) or _BY_LOCALE.get((locale or "").split("-")[0], LATIN)


def episode(message: Message, context: str, persona: str) -> Put | None:
    """Return what to write of a message; None when it says nothing, or what is never stored."""
    text = message.text.strip()[:LONGEST_EPISODE]
    if not _SAYS_SOMETHING.search(text) or sensitive_class(text):
        return None
    origin = _origin(message.place)
    item = origin._replace(
        id=new_id(Kind.EPISODE, message.at),
        text=text,
        persona=persona,
        at=message.at,
        sources=((message.place.channel, message.id),),
        context="" if sensitive_class(context) else " ".join(context.split())[:LONGEST_CONTEXT],
        language=language(text, message.speaker.locale),
    )
    return Put(item, episode_terms(item))


def episode_terms(item: Item) -> Terms:
    """Return the terms by which an episode is found: its date, its context and its words."""
    day = datetime.fromtimestamp(item.at, UTC).strftime("%d %B %Y").lstrip("0")
    passage = Passage(item.id, item.text, when=day, context=item.context)
    return terms_of(key_of(passage), item.language)


def statement(
    request: Request, place: Place, at: float, locale: str | None, sources: Sequence[int] = ()
) -> Put:
    """Return what to write when a person asks for it to be remembered; for every persona."""
    kind, slot = kind_of(request.text)
    text = request.text[:LONGEST_STATEMENT]
    item = _origin(place)._replace(
        id=new_id(kind, at),
        text=text,
        slot=slot,
        at=at,
        sources=tuple((int(place.channel), int(message)) for message in sources),
        importance=3,
        pinned=True,
        language=language(text, locale),
    )
    return Put(item, terms_of(text, item.language), used=at)


def _origin(place: Place) -> Item:
    return Item(
        "",
        "",
        guild=place.guild or 0,
        channel=place.channel,
        closed=is_closed(place),
    )
