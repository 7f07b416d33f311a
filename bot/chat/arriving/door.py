"""Which messages are for us, and may be answered. Who asked directly is told why theirs is not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

from bot.chat.arriving.patience import Patience
from bot.chat.arriving.refusing import Refused
from bot.chat.arriving.triggers import why_answer
from bot.chat.notices import notice_for
from bot.chat.place import Place, UserId
from bot.chat.turn import DIRECT, Message, Trigger, Turn
from bot.errors import NotAllowed, StoreError
from bot.languages import mark, reading, t, translated
from bot.observability import Metrics
from bot.personas.binding import ResolvedBinding, TriggerMode
from bot.personas.casting import Casting
from bot.ports import Clock, Outcome
from bot.recent import Recent
from bot.scheduling.admission import Barrier, Refusal, refusal

AGAIN_AFTER: Final = 600.0
"""Seconds in which the same person is told once: a notice for each message would be a flood."""
_TOLD: Final = 2000
NOT_ALLOWED: Final = mark("An admin has set who may talk to me here, and that leaves you out.")


class Voice(Protocol):
    """Says a line to the person of a turn; returns whether it stands there."""

    async def say(self, turn: Turn, line: str) -> bool: ...


class Door:
    """Decides by the binding; keeps only whom it told lately."""

    def __init__(
        self,
        voice: Voice,
        casting: Casting,
        refused: Refused,
        patience: Patience,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._voice = voice
        self._patience = patience
        self._refused = refused
        self._casting = casting
        self._metrics = metrics
        self._clock = clock
        self._told = Recent[tuple[Place, UserId, Barrier], float](_TOLD)

    async def concerns(self, message: Message, *, own_thread: bool) -> Trigger | None:
        """Return why a message is for us and may be answered, or None.

        Raises:
            StoreError: what is set there can't be read. Who asked us directly was told.
        """
        try:
            binding = await self._patience.over(lambda: self._casting.resolved(message.place))
        except StoreError as error:
            unbound = self._casting.unbound(message.place)
            trigger = why_answer(message, unbound.mode, unbound.words, own_thread=own_thread)
            if trigger in DIRECT:
                await self.store_away(message, trigger, error)
            raise
        members = self._casting.scene(binding, message.place)
        words = (*binding.words, *(member.name for member in members))
        trigger = why_answer(message, binding.mode, words, own_thread=own_thread)
        if trigger is None or not await self._lets_in(message, trigger, binding):
            return None
        return trigger

    async def store_away(self, message: Message, trigger: Trigger, error: StoreError) -> None:
        """Tell whoever asked that their message could not be taken in."""
        if message.cue is None:
            with reading(message.speaker.locale):
                turn, line = Turn((message,), trigger), notice_for(error)
                await self._refused.tell(message, trigger, lambda: self._voice.say(turn, line))
        self._metrics.turns.count(route=None, trigger=trigger.value, outcome=Outcome.FAILED)

    async def _lets_in(self, message: Message, trigger: Trigger, binding: ResolvedBinding) -> bool:
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
        return True


def line_for(refused: Refusal) -> str:
    """Return what a person reads who is turned away."""
    if refused.barrier is Barrier.QUIET:
        # Discord shows the time in the reader's own zone.
        return t("Quiet hours: I answer here again at {time}.", time=f"<t:{refused.until:.0f}:t>")
    return translated(NOT_ALLOWED)
