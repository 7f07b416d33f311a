"""The risk trend of a person in a place: numbers only, never text.

A state is a handful of floats. It rises with each worrying message, halves every four hours, and
remembers when a card was last shown, so that care is neither late nor a nagging loop.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Protocol

from bot.chat.place import Place, UserId

HALF_LIFE = 4 * 3600.0
"""Seconds in which the trend halves."""
LIFETIME = 7 * 24 * 3600
"""Seconds that a store keeps a state after its last change."""
CARD_WINDOW = 30 * 60.0
"""Seconds in which the crisis card is not shown again."""
RESOURCE_WINDOW = 24 * 3600.0
SESSION_GAP = 30 * 60.0
"""Seconds of silence that end a session."""
BREAK_AFTER = 3600.0
BREAK_TURNS = 40
LEGAL_REMINDER = 3 * 3600.0
"""New York GBL §1702 and California SB 243: a reminder at least every three hours."""
USE_GAP = LEGAL_REMINDER
"""Seconds of silence that end a use; who writes now and then all day long is using it."""
MINOR_REMINDER = 3600.0
"""Washington HB 2225: hourly for minors."""
MINOR_FOR = 180 * 24 * 3600.0
CALM_AFTER = 24 * 3600.0
PLAIN_FOR = 24 * 3600.0
"""Seconds after a crisis in which no persona plays for the person."""
CLAIMED_FOR = 10
"""Seconds in which a reply is shown, or never will be."""
PLAIN = "plain_until"
ELSEWHERE = "plain_elsewhere"
DEPENDENCY_DECAY = 0.9
DEPENDENCY_LIMIT = 1.0


class Level(IntEnum):
    """How worrying the trend is."""

    CALM = 0
    WATCH = 1
    ELEVATED = 2
    CRISIS = 3


THRESHOLDS = ((Level.CRISIS, 0.8), (Level.ELEVATED, 0.5), (Level.WATCH, 0.25))


@dataclass(frozen=True, slots=True)
class RiskState:
    """Everything that is remembered. Times are unix seconds, 0 for never."""

    trend: float = 0.0
    dependency: float = 0.0
    held: float = 0.0
    """The level that stays for a day after a peak."""
    peak_at: float = 0.0
    last_at: float = 0.0
    session_at: float = 0.0
    using_at: float = 0.0
    """Since when the person has come back within `USE_GAP` each time."""
    turns: float = 0.0
    card_at: float = 0.0
    resource_at: float = 0.0
    disclosed_at: float = 0.0
    reminded_at: float = 0.0
    minor_until: float = 0.0
    plain_until: float = 0.0
    """Until when no persona plays for the person after a crisis here."""
    plain_elsewhere: float = 0.0
    """The same after a crisis in another place; read from there, and never written here."""
    needed_at: float = 0.0
    """When signs of need last sent the person to the companion."""
    past_at: float = 0.0
    """When a danger that is over was last told of."""
    strain_at: float = 0.0
    """When everyday strain was last told of, such as a test."""
    leaning: float = 0.0
    """Log odds that the talk is of need, as the care head heard it (`leaning.py`)."""
    heard: float = 0.0
    """What the last message added to them."""

    @property
    def level(self) -> Level:
        """Return the level of the trend itself."""
        return next((level for level, least in THRESHOLDS if self.trend >= least), Level.CALM)

    def held_level(self, now: float) -> Level:
        """Return the level with hysteresis: a crisis does not end with the next joke."""
        held = Level(int(self.held)) if now - self.peak_at < CALM_AFTER else Level.CALM
        return max(self.level, held)

    def plain_voice(self, now: float) -> bool:
        """Whether a crisis, wherever it was, is so recent that no persona plays."""
        return max(self.plain_until, self.plain_elsewhere) > now

    def plain_unseen(self, now: float) -> bool:
        """Whether that crisis was in other places alone, of which nobody is to learn here."""
        return self.plain_until <= now < self.plain_elsewhere

    def in_session(self, now: float) -> bool:
        """Whether the person has said something a short while ago."""
        return self.last_at > 0 and now - self.last_at <= SESSION_GAP

    def looking_back(self, now: float) -> bool:
        """Whether the person is telling of a danger that is over."""
        return now - self.past_at < SESSION_GAP

    def strained(self, now: float) -> bool:
        """Whether the person is telling of everyday strain."""
        return now - self.strain_at < SESSION_GAP

    def minor(self, now: float) -> bool:
        return self.minor_until > now

    def resource_due(self, now: float) -> bool:
        """Whether lines to call were not named within a day."""
        return now - self.resource_at >= RESOURCE_WINDOW

    @property
    def as_numbers(self) -> dict[str, float]:
        return {name: float(value) for name in _NUMBERS if (value := getattr(self, name))}

    @classmethod
    def of(cls, numbers: Mapping[str, float]) -> RiskState:
        """Return the state with these numbers; unknown names are of another version."""
        return cls(**{name: float(value) for name, value in numbers.items() if name in _NUMBERS})


_NUMBERS = tuple(field.name for field in fields(RiskState))


def advance(state: RiskState, now: float, *, weight: float, dependency: float) -> RiskState:
    """Return the state after a message of this weight (0 to 1) at `now`."""
    elapsed = max(0.0, now - state.last_at) if state.last_at else 0.0
    faded = state.trend * 2.0 ** (-elapsed / HALF_LIFE)
    trend = 1 - (1 - faded) * (1 - 0.6 * weight)
    if weight >= 0.8:
        trend = max(trend, weight)
    fresh = not state.last_at or elapsed > SESSION_GAP
    session = now if fresh else state.session_at
    using = state.using_at if state.using_at and elapsed <= USE_GAP else now
    turns = 1.0 if fresh else state.turns + 1
    bond = (0.0 if fresh and elapsed > CALM_AFTER else state.dependency) * DEPENDENCY_DECAY
    # Hours of use weigh in: the same sentence means more at the end of a long night.
    hours = (now - session) / 3600.0
    bond += dependency * min(2.0, 1.0 + 0.25 * hours)
    changed = replace(
        state,
        trend=trend,
        dependency=bond,
        last_at=now,
        session_at=session,
        using_at=using,
        turns=turns,
    )
    if changed.level >= Level(int(changed.held_level(now))) and changed.level > Level.CALM:
        changed = replace(changed, held=float(changed.level), peak_at=now)
    return changed


def reminder_due(state: RiskState, now: float) -> str | None:
    """Return why the person should be told again that this is an AI, or None.

    `first` on the first contact, `legal` at the legal interval, `break` after an hour or forty
    turns without a pause.
    """
    if not state.disclosed_at:
        return "first"
    told = max(state.disclosed_at, state.reminded_at)
    # Only time in use counts: a person who comes back tomorrow is greeted, not lectured.
    since = max(told, state.using_at)
    interval = MINOR_REMINDER if state.minor(now) else LEGAL_REMINDER
    if now - since >= interval:
        return "legal"
    long = now - state.session_at >= BREAK_AFTER or state.turns >= BREAK_TURNS
    return "break" if long and state.reminded_at < state.session_at else None


def taken_back(state: RiskState) -> RiskState:
    """Return the state of a person who says that the crisis card was a mistake: watched, and free
    to play again."""
    calm = min(state.trend, THRESHOLDS[-1][1])
    return replace(
        state, trend=calm, held=0.0, plain_until=0.0, needed_at=0.0, leaning=0.0, heard=0.0
    )


def seen_from(
    numbers: Mapping[str, float], others: Iterable[Mapping[str, float]]
) -> Mapping[str, float]:
    """Return the numbers of a place with the one thing that those of a person's other places say
    of them wherever they talk: until when no persona plays.

    The trend itself stays where it arose: a server's is no business of another's. That no persona
    plays must go along, since the danger does; it is a time and nothing else, it is not written
    down a second time, and a place that it comes to from elsewhere shows nothing of it
    (`bot.chat.character.plain_voice`). What a person, or their server, has forgotten is forgotten
    everywhere.
    """
    latest = max((each.get(PLAIN, 0.0) for each in others), default=0.0)
    own = {name: value for name, value in numbers.items() if name != ELSEWHERE}
    return {**own, ELSEWHERE: latest} if latest else own


class TrendStore(Protocol):
    """Keeps states by person and place, encrypted or not: they hold no text."""

    async def load(self, person: UserId, where: str) -> Mapping[str, float]:
        """Return the numbers, as they are `seen_from` this place; empty for a person never seen.

        Raises:
            StoreError: the store is away.
        """
        ...

    async def save(self, person: UserId, where: str, numbers: Mapping[str, float]) -> None:
        """Replace the numbers, for `LIFETIME` seconds."""
        ...

    async def claim(self, person: UserId, where: str, turn: str) -> bool:
        """Whether this turn may tell the person there what speaks to them: no other one has been
        about to for `CLAIMED_FOR` seconds. A turn that asks again may still.

        Raises:
            StoreError: the store is away.
        """
        ...


def where_of(place: Place) -> str:
    """Return what a trend belongs to: a guild, or the person's DMs."""
    return "dm" if place.guild is None else str(place.guild)


class ProcessTrends:
    """Trends of this process alone, for `play`, `chat` and evaluation."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._states: OrderedDict[UserId, dict[str, Mapping[str, float]]] = OrderedDict()
        """By person and place."""
        self._claims: dict[tuple[UserId, str], tuple[str, float]] = {}
        """By person and place: whose turn, until when."""

    async def load(self, person: UserId, where: str) -> Mapping[str, float]:
        places = self._states.get(person, {})
        others = (numbers for place, numbers in places.items() if place != where)
        return seen_from(places.get(where, {}), others)

    async def save(self, person: UserId, where: str, numbers: Mapping[str, float]) -> None:
        self._states.setdefault(person, {})[where] = dict(numbers)
        self._states.move_to_end(person)
        while len(self._states) > self._most:
            self._states.popitem(last=False)

    async def claim(self, person: UserId, where: str, turn: str) -> bool:
        now = time.monotonic()
        self._claims = {key: held for key, held in self._claims.items() if held[1] > now}
        return self._claims.setdefault((person, where), (turn, now + CLAIMED_FOR))[0] == turn
