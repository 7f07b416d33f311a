"""When a person is told that this is an AI, or that a break would be good; and that it was said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from bot.chat.place import Place, UserId
from bot.errors import StoreError
from bot.guardrails.caring.care import Care, discloses
from bot.guardrails.caring.risk import RiskState, TrendStore, reminder_due, where_of

log = structlog.get_logger(__name__)

ASKED = "asked"
"""The reply itself said it: the person had asked."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """A line to add to a reply. `line` is empty where the reply says it already."""

    reason: str
    """`first`, `legal`, `break` or `asked`; a metric label."""
    line: str


class Disclosures:
    """Decides from the person's state, which outlives the process."""

    def __init__(
        self, care: Callable[[], Care], trend: TrendStore, on_said: Callable[[str], None]
    ) -> None:
        """`on_said` is told the reason of each disclosure that stands before a person."""
        self._care = care
        self._trend = trend
        self._on_said = on_said

    async def due(
        self,
        person: UserId,
        place: Place,
        locale: str | None,
        now: float,
        *,
        turn: str,
        text: str = "",
        told: bool = False,
        grave: bool = False,
    ) -> Reminder | None:
        """Return what to add to a reply, if anything.

        `turn` is the reply's: of several that are due to tell a new person at once, one does.
        `text` is the reply; `told`: it says that this is an AI, also where it doesn't do so in our
        words. `grave`: it answers a person in need, whom nobody sends away for a break.
        """
        try:
            state = RiskState.of(await self._trend.load(person, where_of(place)))
        except StoreError:
            log.warning("disclosure unknown: the reply goes without")
            return None
        if told or discloses(self._care(), text):
            return Reminder(ASKED, "")
        reason = reminder_due(state, now)
        if reason is None or (grave and reason == "break"):
            return None
        if reason == "first" and not await self._claimed(person, place, turn):
            return None
        words = self._care().words(locale)
        line = words.first_contact if reason == "first" or grave else words.reminder
        return Reminder(reason, line)

    async def _claimed(self, person: UserId, place: Place, turn: str) -> bool:
        try:
            return await self._trend.claim(person, where_of(place), turn)
        except StoreError:
            return True  # better twice than never

    async def said(self, reminder: Reminder, person: UserId, place: Place, now: float) -> None:
        """Remember that it stands before the person."""
        self._on_said(reminder.reason)
        where = where_of(place)
        try:
            state = RiskState.of(await self._trend.load(person, where))
            if reminder.reason in ("legal", "break"):  # both speak of a break as well
                state = replace(state, reminded_at=now)
            else:
                state = replace(state, disclosed_at=now)
            await self._trend.save(person, where, state.as_numbers)
        except StoreError:
            log.warning("disclosure not remembered: it will be made again")
