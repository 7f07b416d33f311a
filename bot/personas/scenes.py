"""Who speaks in a scene, when several personas share a place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.languages.unspaced import UNSPACED

_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(f"[{UNSPACED}]")


class Chance(Protocol):
    """The part of `random.Random` that a scene needs."""

    def random(self) -> float: ...

    @property
    def shuffle(self) -> Callable[[list[Member]], object]: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A persona in a scene. `talkativeness` is the chance to speak up unasked, 0 to 1."""

    id: str
    name: str
    talkativeness: float = 0.5


@dataclass(frozen=True, slots=True)
class SceneLimits:
    """What keeps personas from talking among themselves without end."""

    per_message: int = 2
    """Personas that answer one message of a person."""
    in_a_row: int = 4
    """Replies of personas before a person must speak again."""

    def left(self, replies_since_person: int) -> int:
        """Return how many more replies there may be now."""
        return max(0, min(self.per_message, self.in_a_row - replies_since_person))


def who_speaks(
    members: Sequence[Member],
    text: str,
    *,
    chance: Chance,
    replied_to: str | None = None,
    last_speaker: str | None = None,
    by_person: bool = True,
    may_repeat: bool = False,
    most: int | None = None,
) -> tuple[Member, ...]:
    """Return who answers a message, in order: the one replied to, those named in the order of
    their names in the text, then in random order whoever feels like it; at least one.

    `replied_to` and `last_speaker` are ids. Unless a person spoke or `may_repeat` is set, the
    last speaker does not answer themselves. A talkativeness of 0 speaks only when addressed.
    """
    silent = None if by_person or may_repeat else last_speaker
    able = [member for member in members if member.id != silent]
    chosen = [member for member in able if member.id == replied_to]
    chosen += addressed(able, text)
    keen: list[Member] = []
    shuffled = list(members)
    chance.shuffle(shuffled)
    for member in shuffled:
        if member.id == silent:
            continue
        if member.talkativeness > 0:
            keen.append(member)
        if member.talkativeness >= chance.random() and member.talkativeness > 0:
            chosen.append(member)
    pool = keen or able
    if not chosen and pool:
        chosen.append(pool[min(len(pool) - 1, int(chance.random() * len(pool)))])
    return tuple(dict.fromkeys(chosen))[:most]


def addressed(members: Sequence[Member], text: str) -> list[Member]:
    """Return the members whose name stands in a text, in the order in which they are named.

    One word of a name suffices, but never a part of a word; in scripts without spaces the name
    counts wherever it stands. A word that two share means the first.
    """
    found: list[tuple[int, Member]] = []
    lowered = text.casefold()
    words = {member.id: set(_WORD.findall(member.name.casefold())) for member in members}
    for word in _WORD.finditer(lowered):
        for member in members:
            if word[0] in words[member.id]:
                found.append((word.start(), member))
                break
    for member in members:
        name = member.name.casefold().strip()
        if _UNSPACED.search(name) and (start := lowered.find(name)) >= 0:
            found.append((start, member))
    found.sort(key=lambda each: each[0])
    return list(dict.fromkeys(member for _, member in found))
