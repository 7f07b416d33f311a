"""What the program itself adds under a reply: that this is an AI, or that a break would be good."""

from __future__ import annotations

from bot.chat.account import TurnAccount
from bot.chat.notices import small_print
from bot.chat.preparing.caring import needs_care
from bot.chat.preparing.files import unread_line
from bot.chat.turn import Turn
from bot.guardrails.caring.disclosure import Disclosures, Reminder
from bot.guardrails.verdict import Action
from bot.languages.spoken import spoken_language
from bot.ports import Clock

TELLS = "sh_crisis"
"""The category whose card says by itself, in words of its own, that an AI writes it."""


class Closing:
    """The small print of one turn's reply."""

    def __init__(
        self, disclosures: Disclosures, turn: Turn, account: TurnAccount, clock: Clock
    ) -> None:
        self._disclosures = disclosures
        self._turn = turn
        self._account = account
        self._clock = clock
        self._due: Reminder | None = None

    async def under(self, text: str) -> str:
        """Return a final text with what is due under it."""
        verdicts = [verdict for stage, verdict in self._account.verdicts if stage == "input"]
        found = verdicts[0] if verdicts else None
        told = found is not None and found.category == TELLS and found.reply is not None
        self._due = await self._disclosures.due(
            self._turn.speaker.id,
            self._turn.place,
            spoken_language(self._turn.text) or self._turn.speaker.locale,
            self._clock.now(),
            turn=self._turn.id,
            text=text,
            told=told,
            grave=found is not None and (needs_care(found) or found.action is Action.REFUSE),
        )
        lines = [self._due.line if self._due is not None else "", self._unread()]
        under = "\n".join(small_print(line) for line in lines if line)
        return f"{text}\n\n{under}" if under else text

    def _unread(self) -> str:
        account = self._account
        return unread_line(self._turn, account.report, pictures=account.pictures)

    async def stands(self) -> None:
        """The text stands before the person: remember what it said."""
        if self._due is not None:
            turn, due = self._turn, self._due
            await self._disclosures.said(due, turn.speaker.id, turn.place, self._clock.now())
