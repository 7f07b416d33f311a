"""Turns people away where an admin has said so, and tells those who asked directly why."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Final, Protocol

from bot.chat.place import Place, UserId
from bot.chat.turn import DIRECT, Message, Trigger, Turn
from bot.errors import NotAllowed
from bot.languages import mark, reading, t, translated
from bot.observability import Metrics
from bot.personas.binding import ResolvedBinding, TriggerMode
from bot.ports import Clock, Outcome
from bot.scheduling.admission import Barrier, Refusal, refusal

AGAIN_AFTER: Final = 600.0
"""Seconds in which the same person is told once: a notice for each message would be a flood."""
_TOLD: Final = 2000
NOT_ALLOWED: Final = mark("An admin has set who may talk to me here, and that leaves you out.")


class Voice(Protocol):
    """Says a line to the person of a turn."""

    async def say(self, turn: Turn, line: str) -> None: ...


class Door:
    """Decides by the binding; keeps only whom it told lately."""

    def __init__(self, voice: Voice, metrics: Metrics, clock: Clock) -> None:
        self._voice = voice
        self._metrics = metrics
        self._clock = clock
        self._told: OrderedDict[tuple[Place, UserId, Barrier], float] = OrderedDict()

    async def lets_in(self, message: Message, trigger: Trigger, binding: ResolvedBinding) -> bool:
        """Whether a message that is for us may be answered."""
        refused = refusal(binding, message.speaker.id, message.roles, self._clock.now())
        if refused is None:
            return True
        self._metrics.turns.count(route=None, trigger=trigger.value, outcome=Outcome.BARRED)
        if trigger in DIRECT and self._first_time(message, refused):
            with reading(message.speaker.locale):
                await self._voice.say(Turn((message,), trigger), line_for(refused))
        return False

    def check(self, binding: ResolvedBinding, person: UserId, roles: Collection[int]) -> None:
        """Make sure that somebody may ask for something by a command or a button.

        Raises:
            NotAllowed: the bot is off here, or the person may not talk to it here or now.
        """
        if binding.mode is TriggerMode.OFF:
            raise NotAllowed("I am switched off here. An admin can change that.")
        refused = refusal(binding, person, roles, self._clock.now())
        if refused is not None:
            raise NotAllowed(line_for(refused))

    def _first_time(self, message: Message, refused: Refusal) -> bool:
        key = (message.place, message.speaker.id, refused.barrier)
        now = self._clock.monotonic()
        if now - self._told.get(key, float("-inf")) < AGAIN_AFTER:
            return False
        self._told[key] = now
        self._told.move_to_end(key)
        if len(self._told) > _TOLD:
            self._told.popitem(last=False)
        return True


def line_for(refused: Refusal) -> str:
    """Return what a person reads who is turned away."""
    if refused.barrier is Barrier.QUIET:
        # Discord shows the time in the reader's own zone.
        return t("Quiet hours: I answer here again at {time}.", time=f"<t:{refused.until:.0f}:t>")
    return translated(NOT_ALLOWED)
