"""What a route may say of a memory at a place: the lines that go into the prompt. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from bot.chat.place import Place
from bot.memory.explicit import Wish, asks_about_self, matching, read_request
from bot.memory.item import DAY, Item, Kind, Slot
from bot.memory.retrieval import Vectors
from bot.memory.scope import Use
from bot.memory.shelf import Shelf, View
from bot.memory.style import persona_text
from bot.memory.words import UNSPACED
from bot.routing.profiles import MemoryPolicy

WORDS: Final = 200
"""The budget of facts and turns together, half for each."""
WORDS_WHEN_ASKED: Final = 60
"""The budget on a route that has none, when the person asks about themselves."""
EPISODE_WORDS: Final = 60
ALWAYS: Final = 20
"""Preferences that go in without being searched for: similarity does not find them."""
DEPTH: Final = 12

_PLAIN: Final = frozenset({Slot.LANGUAGE, Slot.TIMEZONE, Slot.REPLY_LENGTH})
"""Profile slots that also the factual route obeys."""
_SILENT: Final = "(obey this, never mention it)"
_YIELDS: Final = "(What a message itself asks for wins over this.)"


@dataclass(frozen=True, slots=True)
class Recollection:
    """What the prompt gets. Lines are the person's own statements: data, never instructions."""

    memories: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    user_persona: str | None = None
    ids: tuple[str, ...] = field(default=())
    """The items behind the lines."""


NOTHING: Final = Recollection()


def recollect(
    shelf: Shelf,
    place: Place,
    persona: str,
    question: str,
    policy: MemoryPolicy,
    now: float,
    *,
    vector: Vectors | None = None,
) -> tuple[Recollection, View]:
    """Return what of a memory may be used for an answer, and the view it came from."""
    view = shelf.view(place, persona, now)
    lines = _Lines(_unwanted(question, shelf))
    for item, use in view.profile:
        obeyed = item.slot in _PLAIN
        if obeyed or (policy is not MemoryPolicy.CONSTRAINTS and use is Use.OPEN):
            note = f" {_SILENT}" if use is Use.SILENT else ""
            lines.add(item, f"{_slot(item)}{item.text}{note}", rule=obeyed)
    for item in view.constraints:
        lines.add(item, item.text, rule=True)
    if policy is not MemoryPolicy.CONSTRAINTS:
        for item in view.preferences[-ALWAYS:]:
            lines.add(item, item.text)
    budget = WORDS if policy is MemoryPolicy.ALL else 0
    if not budget and asks_about_self(question):
        budget = WORDS_WHEN_ASKED
    if budget:
        near = None if vector is None else shelf.near(vector)
        facts = shelf.find(view.facts, question, near, DEPTH)
        turns = shelf.find(view.episodes, question, near, DEPTH)
        left = budget - lines.fill([found.item for found in facts], budget // 2)
        lines.fill([found.item for found in turns], left)
    style = None if policy is MemoryPolicy.CONSTRAINTS else _user_persona(shelf)
    recollection = Recollection(
        tuple(lines.memories), tuple(lines.constraints), style, tuple(lines.ids)
    )
    return recollection, view


class _Lines:
    """The lines so far."""

    def __init__(self, unwanted: frozenset[str]) -> None:
        self.memories: list[str] = []
        self.constraints: list[str] = []
        self.ids: list[str] = []
        self._unwanted = unwanted

    def add(self, item: Item, line: str, *, rule: bool = False) -> None:
        if item.id not in self._unwanted:
            (self.constraints if rule else self.memories).append(line)
            self.ids.append(item.id)

    def fill(self, items: Sequence[Item], words: int) -> int:
        """Add items in their order while there is room, and return the words they took.

        The lines stand by kind and time, so that the same items give the same text.
        """
        taken: list[tuple[Item, str]] = []
        used = 0
        for item in items:
            line = _line(item)
            count = _words(line)
            if used + count <= words:
                taken.append((item, line))
                used += count
        for item, line in sorted(taken, key=lambda pair: pair[0].id):
            self.add(item, line)
        return used


def _line(item: Item) -> str:
    day = item.date or _month(int(item.at // DAY))
    text = " ".join(item.text.split())
    if item.kind is not Kind.EPISODE:
        return f"[{day}] {text}"
    words = text.split(" ")
    if len(words) > EPISODE_WORDS:
        text = " ".join(words[:EPISODE_WORDS]) + " …"
    return f'[{day}] said: "{text[:600]}"'


@lru_cache(maxsize=1024)
def _month(day: int) -> str:
    """Return the month of a day that is counted from 1970 on."""
    return datetime.fromtimestamp(day * DAY, UTC).strftime("%Y-%m")


def _words(line: str) -> int:
    """Count words; of scripts without spaces two characters are one."""
    unspaced = 0 if line.isascii() else sum(map(len, UNSPACED.findall(line)))
    return len(line.split()) + unspaced // 2


def _slot(item: Item) -> str:
    return f"{item.slot.replace('_', ' ')}: " if item.slot and item.slot != Slot.OTHER else ""


def _user_persona(shelf: Shelf) -> str | None:
    ids = frozenset(shelf.ids_of(Kind.TASTE))
    text = "".join(persona_text(item, ids) for item in shelf.of(Kind.PERSONA))
    return f"{text} {_YIELDS}" if text else None


def _unwanted(question: str, shelf: Shelf) -> frozenset[str]:
    """Return what the message just asks to forget: it must not be said once more."""
    request = read_request(question)
    if request is None or request.wish is not Wish.FORGET:
        return frozenset()
    return frozenset(item.id for item in matching(request.text, shelf.items))
