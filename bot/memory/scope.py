"""Where a memory may be used. Decided by where it was learned, before anything is scored.

| learned in | usable in |
|---|---|
| a DM | the person's DM; a guild only where its owner shared it |
| a guild's open channel | that guild, and the person's DM |
| a closed or age-restricted channel or thread | that channel, and the person's DM |

What was told to one persona as a companion stays with it, unless the person linked the personas.
The user persona says how replies are liked, nothing else, and is obeyed everywhere in silence.
The language and length of replies may be obeyed in a guild though told in a DM: obeyed, not said.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from bot.chat.place import Place
from bot.memory.item import Item, Kind, Slot

SILENT_SLOTS: Final = frozenset({Slot.LANGUAGE.value, Slot.REPLY_LENGTH.value})
EVERY_PERSONA: Final = frozenset({Kind.PROFILE, Kind.CONSTRAINT})
"""Kinds that no persona has for itself: a name or an allergy counts with everybody."""


class Use(Enum):
    """What may be done with a memory at a place."""

    NO = "no"
    SILENT = "silent"
    """Obey it, never mention it."""
    OPEN = "open"


def is_closed(place: Place) -> bool:
    """Whether what is said at a place is not for its whole guild."""
    return place.guild is not None and (place.restricted or place.age_restricted)


def use_of(item: Item, place: Place, persona: str, *, linked: bool = False) -> Use:
    """Return how an item may be used when its owner speaks with `persona` at `place`."""
    if item.persona and item.persona != persona and not linked and item.kind not in EVERY_PERSONA:
        return Use.NO
    if place.guild is None:
        return Use.OPEN
    if place.guild in item.shared:
        return Use.OPEN
    if not item.guild:
        silent = item.kind is Kind.PROFILE and item.slot in SILENT_SLOTS
        return Use.SILENT if silent else Use.NO
    if item.guild != place.guild:
        return Use.NO
    if item.closed and item.channel != place.channel:
        return Use.NO
    return Use.OPEN
