"""From a turn to episodes: the person's own messages, as items. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bot.chat.place import MessageId, Place
from bot.chat.turn import Message
from bot.memory.arrays import np
from bot.memory.explicit import Request, kind_of
from bot.memory.item import (
    LONGEST_CONTEXT,
    LONGEST_EPISODE,
    STATEMENTS,
    Item,
    Kind,
    new_id,
)
from bot.memory.retrieval import Passage, key_of
from bot.memory.scope import is_closed
from bot.memory.sensitive import sensitive_class
from bot.memory.store import Put
from bot.memory.words import LATIN, UNSPACED_CLASS, Terms, language_of

_BY_LOCALE: Final = {
    "de": "german", "fr": "french", "es": "spanish", "pt": "portuguese", "it": "italian",
    "nl": "dutch", "sv": "swedish", "da": "danish", "no": "norwegian", "fi": "finnish",
    "pl": "polish", "ro": "romanian", "hu": "hungarian", "tr": "turkish", "id": "indonesian",
    "ru": "russian", "el": "greek", "hi": "hindi",
}  # fmt: skip
_SAYS_SOMETHING: Final = re.compile(rf"\w\W+\w|{UNSPACED_CLASS}{{2}}")


def language(text: str, locale: str | None) -> str:
    """Return a text's language, by its words or else by the person's client."""
    return language_of(text) or _BY_LOCALE.get((locale or "").split("-")[0], LATIN)


@dataclass(frozen=True, slots=True)
class Answered:
    """Our reply that a message answers, with the messages that it came from and stands in."""

    text: str = ""
    messages: tuple[MessageId, ...] = ()


def episode(message: Message, answered: Answered, persona: str) -> Put | None:
    """Return what to write of a message; None when it says nothing, or what is never stored."""
    text = message.text.strip()[:LONGEST_EPISODE]
    if not _SAYS_SOMETHING.search(text) or sensitive_class(text):
        return None
    origin = _origin(message.place)
    context = "" if sensitive_class(answered.text) else " ".join(answered.text.split())
    item = origin._replace(
        id=new_id(Kind.EPISODE, message.at),
        text=text,
        persona=persona,
        at=message.at,
        sources=((message.place.channel, message.id),),
        context=context[-LONGEST_CONTEXT:],
        answers=answered.messages if context else (),
        language=language(text, message.speaker.locale),
    )
    return Put(item)


def terms_for(item: Item) -> Terms:
    """Return the terms by which an item is found; what is never searched has none."""
    if item.kind is Kind.EPISODE:
        when = datetime.fromtimestamp(item.at, UTC).strftime("%d %B %Y").lstrip("0")
    elif item.kind in STATEMENTS:
        when = item.date
    else:
        return np.empty(0, np.uint32)
    passage = Passage(item.id, item.text, when=when, context=item.context)
    return key_of(passage, item.language or LATIN)


def statement(
    request: Request, place: Place, at: float, locale: str | None, sources: Sequence[int] = ()
) -> Put:
    """Return what to write when a person asks for it to be remembered; for every persona."""
    kind, slot = kind_of(request.text)
    text = request.text
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
    return Put(item, used=at)


def _origin(place: Place) -> Item:
    return Item(
        "",
        "",
        guild=place.guild or 0,
        channel=place.channel,
        closed=is_closed(place),
    )
