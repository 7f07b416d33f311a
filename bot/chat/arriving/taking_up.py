"""Turns that are journalled as ours and that nobody works on: a process died, a store failed, or
Discord did not take the reply."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

import structlog

from bot.chat.arriving.delayed import Delayed
from bot.chat.arriving.left_over import left_of, regrouped, rerun, reworded
from bot.chat.arriving.parting import Parting
from bot.chat.arriving.refusing import Refused
from bot.chat.arriving.running_turns import RunningTurns
from bot.chat.arriving.thread_opening import OneForABurst, in_thread, where_answered
from bot.chat.notices import EXPIRED
from bot.chat.place import MessageId
from bot.chat.preparing.admitting import Admission
from bot.chat.runner import TurnRunner
from bot.chat.running import MERGE, Running
from bot.chat.turn import Message, Trigger, Turn
from bot.errors import DeliveryDelayed, StoreError
from bot.languages import reading, translated
from bot.observability import Metrics
from bot.personas.casting import Casting
from bot.ports import Clock, JournalEntry, Outcome, TurnJournal

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 3
"""A turn that was cut off so often by a crash may be its cause: it is given up instead."""
MAX_AGE = 600.0
"""Seconds after which an unfinished turn is given up, not answered."""

Look = Callable[[Sequence[Message]], Awaitable[Mapping[MessageId, str]]]
"""Does what the missed events of messages would have done; returns what they say now."""


class TakingUp:
    """Continues what was left, or says that it is too late for it."""

    def __init__(
        self,
        *,
        turns: RunningTurns,
        runner: TurnRunner,
        journal: TurnJournal,
        casting: Casting,
        threads: OneForABurst | None,
        metrics: Metrics,
        clock: Clock,
        gone: Collection[MessageId],
        delayed: Delayed,
        parting: Parting,
        refused: Refused,
        look: Look,
    ) -> None:
        """`gone` are messages that were deleted of late, as they become known, and `parting` knows
        the places that are; `refused` are messages that may have been written down though their
        people read that there is no answer."""
        self._turns = turns
        self._runner = runner
        self._journal = journal
        self._casting = casting
        self._threads = threads
        self._metrics = metrics
        self._clock = clock
        self._gone = gone
        self._parting = parting
        self._refused = refused
        self._look = look
        self._left: list[JournalEntry] = []
        self.delayed = delayed

    def leave(self, message: Message, trigger: Trigger) -> None:
        """Keep a message for later that is journalled, so nobody else's, but not begun."""
        self._left.append(JournalEntry(message, trigger, self._clock.now()))

    async def take_up(self) -> int:
        """Continue unsettled turns of processes that are gone. Return how many messages.

        Raises:
            StoreError: the journal is away.
        """
        if self._turns.draining:
            return 0
        await self._refused.write_down()
        found = await self._journal.take_up()
        told = tuple(e.message.id for e in found if e.message.id in self._refused)
        if told:
            await self._runner.settle(told, Outcome.FAILED)
            found = [entry for entry in found if entry.message.id not in told]
        found = [*found, *self.delayed.due()]
        self._left += found
        texts = await self._look([entry.message for entry in found])
        self._left = [reworded(entry, texts) for entry in self._left]
        entries = sorted(self._left, key=lambda entry: entry.message.id)
        for turn, first in regrouped(entries, MERGE):
            try:
                await self._resume(turn, first)
            except StoreError as error:
                log.warning("turn not taken up yet", turn=turn.id, reason=str(error))
                continue
            except DeliveryDelayed:
                run = Running(turn, self._clock.monotonic(), first.progress)
                self.delayed.add(run, first.accepted_at)
            messages = turn.message_ids
            self._left = [e for e in self._left if e.message.id not in messages]
        return len(entries) - len(self._left)

    async def _resume(self, turn: Turn, first: JournalEntry) -> None:
        """Continue a turn of a process that is gone, unless it is too late for it.

        Raises:
            StoreError: nothing was done.
            DeliveryDelayed: it is too late for it, and there is no saying so for now.
        """
        if turn.place in self._parting:
            await self._runner.settle(turn.message_ids, Outcome.CANCELLED)
            return
        rest = left_of(turn, set(self._gone))  # deleted while they waited here
        if not rest:
            await self._take_back(turn, first)
            return
        if left_out := [m.id for m in turn.messages if m not in rest]:
            await self._journal.settle(left_out, Outcome.CANCELLED)
        placed = [
            await in_thread(each, turn.trigger, self._casting, self._threads) for each in rest
        ]
        turn = replace(turn, messages=tuple(placed))
        if turn.again is not None:
            run = rerun(turn, turn.again, self._clock.monotonic(), first.progress)
        else:
            run = Running(turn, self._clock.monotonic(), progress=first.progress)
        run.admission = Admission(granted=True)
        late = self._clock.now() - first.accepted_at > MAX_AGE
        over = late or first.attempts > MAX_ATTEMPTS
        # A reply that is written only has to stand there: nobody is to ask for it again.
        if over and not await self._runner.has_written(turn):
            with reading(turn.speaker.locale):
                await self._runner.give_up(run, translated(EXPIRED))
            trigger = turn.trigger.value
            self._metrics.turns.count(route=None, trigger=trigger, outcome=Outcome.EXPIRED)
        else:
            self._turns.start(run)

    async def _take_back(self, turn: Turn, first: JournalEntry) -> None:
        """Remove what was written of a reply whose question is gone."""
        answered = await where_answered(turn.messages[0], turn.trigger, self._casting)
        last = replace(turn.messages[-1], place=answered.place)
        turn = replace(turn, messages=(*turn.messages[:-1], last))
        await self._runner.take_back(turn, first.progress)
