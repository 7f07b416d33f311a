"""What a message's turn needs of the database, asked for while the message is written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from bot.chat.arriving.running_turns import RunningTurns
from bot.chat.arriving.thread_opening import gets_thread
from bot.chat.arriving.unsaying import Unsaying
from bot.chat.preparing.admitting import Admission
from bot.chat.preparing.looking_up import Asked, LookedUp
from bot.chat.turn import Message, Trigger, Turn
from bot.errors import StoreError
from bot.personas.casting import Casting
from bot.ports import Clock

JUST_SAID: Final = 5.0
"""Seconds for which a message counts as just said."""

Ask = Callable[[Turn, Admission], Awaitable[Asked]]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What was asked, and how many edits and deletions were done by then."""

    asked: Asked
    changes: int

    def dismiss(self) -> None:
        """Let go of what was asked: the turn does not begin."""
        self.asked.dismiss()


class LookingAhead:
    """Knows for which messages it can be done: both then share one round trip.

    It takes a turn's worth of what the person may ask. What was said a while ago is left alone: it
    may be another process's by now, and answered.
    """

    def __init__(
        self,
        ask: Ask | None,
        turns: RunningTurns,
        unsaying: Unsaying,
        casting: Casting,
        clock: Clock,
    ) -> None:
        self._ask = ask
        self._turns = turns
        self._unsaying = unsaying
        self._casting = casting
        self._clock = clock

    async def begin(self, message: Message, trigger: Trigger, admission: Admission) -> Ahead | None:
        """Ask what the turn of a message needs; None where that has to wait. Never raises.

        `admission` is to let the turn in.
        """
        if self._ask is None or not self._turns.begins_alone(message, trigger):
            return None
        if self._clock.now() - message.at > JUST_SAID:
            return None
        changes = self._unsaying.done
        try:
            if await gets_thread(message, trigger, self._casting):
                return None  # the turn will be of another place
            return Ahead(await self._ask(Turn((message,), trigger), admission), changes)
        except StoreError:
            return None  # the turn will meet it too

    async def end(self, ahead: Ahead | None) -> LookedUp | None:
        """Return what was looked up; None if nothing was. Never raises."""
        if ahead is None:
            return None
        try:
            looked = await ahead.asked.answered()
        except StoreError:
            return None
        current = ahead.changes == self._unsaying.done
        return looked if current else replace(looked, conversation=None)
