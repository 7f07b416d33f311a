"""What is remembered of a person: items of a few kinds, each with its place of origin."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

DAY: Final = 86_400.0


class Kind(StrEnum):
    """Kinds of items; the value is the first letter of an item's id."""

    PROFILE = "p"
    CONSTRAINT = "c"
    PREFERENCE = "r"
    FACT = "f"
    EPISODE = "e"
    """A message of the person, as they wrote it."""
    TASTE = "t"
    """A pair of replies, one of which the person chose."""
    PERSONA = "u"
    """The user persona: how the person likes replies, drawn from the pairs."""
    SUPERSEDED = "x"
    """What a newer item took the place of, for a while, so that this can be undone."""

    @property
    def word(self) -> str:
        """Return the kind's name, for people and as a metric label."""
        return self.name.lower()


class Slot(StrEnum):
    """What a profile item is about. A person has one item for each."""

    CALL_ME = "call_me"
    PRONOUNS = "pronouns"
    LANGUAGE = "language"
    TIMEZONE = "timezone"
    REPLY_LENGTH = "reply_length"
    TONE = "tone"
    LOCATION = "location"
    OCCUPATION = "occupation"
    OTHER = "other"


KIND_OF: Final[Mapping[str, Kind]] = {kind.value: kind for kind in Kind}
"""By the first letter of an id; a call of the enum costs ten times as much."""

CAPS: Final[Mapping[Kind, int]] = {
    Kind.PROFILE: 12,
    Kind.CONSTRAINT: 10,
    Kind.PREFERENCE: 40,
    Kind.FACT: 400,
    Kind.EPISODE: 500,
    Kind.TASTE: 50,
    Kind.PERSONA: 1,
    Kind.SUPERSEDED: 50,
}
STATEMENTS: Final = (Kind.PROFILE, Kind.CONSTRAINT, Kind.PREFERENCE, Kind.FACT)
"""Kinds that say one thing about the person: what `/memory show` lists."""
NEVER_EVICTED: Final = frozenset({Kind.CONSTRAINT})
"""Over its cap a new one is refused instead: only the person takes a constraint away."""
LIFETIMES: Final[Mapping[Kind, float]] = {Kind.EPISODE: 90 * DAY, Kind.SUPERSEDED: 30 * DAY}
"""Seconds after which an item is gone; the others live as long as the person's memory."""

LONGEST_STATEMENT: Final = 160
LONGEST_EPISODE: Final = 2_000
LONGEST_CONTEXT: Final = 300


class Item(NamedTuple):
    """One remembered thing. A tuple, because thousands are made at once when a memory is read.

    `guild`, `channel` and `persona` say where it was learned; see `scope`. Times are unix seconds.
    """

    id: str
    text: str
    slot: str = ""
    guild: int = 0
    """0 for a DM."""
    channel: int = 0
    """The channel where it was learned."""
    closed: bool = False
    """Learned where not everybody could listen: only usable there, and in the person's DM."""
    persona: str = ""
    """The persona that alone may use it; empty for all."""
    shared: tuple[int, ...] = ()
    """Guilds in which its owner allowed it."""
    at: float = 0.0
    sources: tuple[tuple[int, int], ...] = ()
    """The messages it came from, as (channel, message)."""
    seen: int = 1
    importance: int = 1
    """1 to 3."""
    pinned: bool = False
    """Written or edited by the person: nothing but the person changes it."""
    date: str = ""
    context: str = ""
    """Our reply that it answers; only a key."""
    language: str = ""
    until: float = 0.0
    """When it was superseded."""
    replaces: str = ""
    """The tombstone of what it took the place of; of a tombstone, the id that it had."""
    extra: str = ""
    """JSON of what only its kind has."""
    answers: tuple[int, ...] = ()
    """The messages, in the same channel, that `context` was made of."""

    @property
    def kind(self) -> Kind:
        return KIND_OF[self.id[0]]

    def expired(self, now: float) -> bool:
        """Whether its lifetime is over."""
        lifetime = LIFETIMES.get(self.kind)
        return lifetime is not None and now > (self.until or self.at) + lifetime


def new_id(kind: Kind, at: float) -> str:
    """Return an id whose order is that of time: kind, 12 digits of milliseconds, 8 of chance."""
    return f"{kind.value}{int(at * 1000):012x}{secrets.token_hex(4)}"


def retention(item: Item, used: float) -> float:
    """Return what an item is worth keeping, as the time until which it outlives its like.

    Recency, importance and repetition count here, and only here: never in finding.
    """
    return used + 7 * DAY * item.importance + 3 * DAY * min(item.seen, 10)


def superseded(item: Item, now: float) -> Item:
    """Return the tombstone of an item whose place another takes; it knows the one before it."""
    before = json.dumps({"before": item.replaces}) if item.replaces else ""
    ident = new_id(Kind.SUPERSEDED, now)
    return item._replace(id=ident, until=now, replaces=item.id, extra=before)


def restored(tombstone: Item) -> Item:
    """Return the item that a tombstone was made of, by its owner's wish: nothing replaces it."""
    return tombstone._replace(
        id=tombstone.replaces,
        until=0.0,
        replaces=before(tombstone),
        extra="",
        pinned=True,
    )


def before(item: Item) -> str:
    """Return the id of the tombstone of what an item, or a tombstone's item, took the place of."""
    if item.kind is not Kind.SUPERSEDED:
        return item.replaces
    return str(json.loads(item.extra)["before"]) if item.extra else ""


def without(item: Item, gone: Collection[tuple[int, int]]) -> Item | None:
    """Return what is left of an item without some messages; None for nothing."""
    left = tuple(source for source in item.sources if source not in gone)
    if item.kind is Kind.TASTE:
        # A pair holds the question and both replies: it goes with any of them.
        return item if left == item.sources else None
    if item.sources and not left:
        return None
    if any((item.channel, message) in gone for message in item.answers):
        return item._replace(sources=left, context="", answers=())
    return item if left == item.sources else item._replace(sources=left)
