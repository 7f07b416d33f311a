"""Runs one turn to its end: performed, failed, stopped or cut off, and always settled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from bot.chat.account import TurnAccount
from bot.chat.accounts import Accounts, AccountStore
from bot.chat.notices import BROKEN_OFF, CUT_SHORT, INTERRUPTED, notice_for, small_print
from bot.chat.pipeline import TurnPipeline
from bot.chat.place import MessageId
from bot.chat.replying.breaking_off import broken_off
from bot.chat.replying.closing import Closing
from bot.chat.replying.counting import count, count_undelivered
from bot.chat.replying.in_time import in_time
from bot.chat.replying.outlasting import once_back
from bot.chat.replying.quietly import log_undelivered, quietly
from bot.chat.replying.stored import forget, stored
from bot.chat.running import Ending, Running, SinkFactory, WatchedSink
from bot.chat.turn import Turn
from bot.chat.wishes.variants import controls_of
from bot.errors import (
    Busy,
    DeliveryDelayed,
    DeliveryError,
    OwnershipLost,
    StoreError,
    TargetGone,
    TroupeError,
)
from bot.guardrails.caring.disclosure import Disclosures
from bot.languages import reading, translated
from bot.observability import Metrics, turn_logs
from bot.personas.casting import Casting
from bot.ports import (
    Clock,
    ConversationStore,
    Face,
    Outcome,
    Progress,
    ReplySink,
    TurnJournal,
)

log = structlog.get_logger(__name__)

EVENT_DELAY = 2.0
"""Seconds by which the event of a removal may come after a call was refused for it."""
_FINAL = (Ending.DELETED, Ending.CLOSED, Ending.STOPPED, Ending.OVERTAKEN)
"""Endings after which there is nothing more to do for a turn."""
OWNERSHIP_TIMEOUT = 2.0
"""Seconds to find out whether a turn is ours still, once that is in doubt."""


class Aftercare(Protocol):
    """What follows from a turn's verdicts, once it is over."""

    def over(self, turn: Turn, account: TurnAccount) -> None:
        """A turn is over and settled. Never waits, never raises."""
        ...


class TurnRunner:
    """Gives each running turn its ending, and tells the person about every failure."""

    def __init__(
        self,
        *,
        pipeline: TurnPipeline,
        journal: TurnJournal,
        conversations: ConversationStore,
        casting: Casting,
        sinks: SinkFactory,
        accounts: Accounts,
        metrics: Metrics,
        clock: Clock,
        own_face: Face,
        disclosures: Disclosures | None = None,
        aftercare: Sequence[Aftercare] = (),
        kept: AccountStore | None = None,
    ) -> None:
        """`kept` keeps the accounts over a restart."""
        self._pipeline = pipeline
        self._journal = journal
        self._conversations = conversations
        self._casting = casting
        self._sinks = sinks
        self._accounts = accounts
        self._metrics = metrics
        self._clock = clock
        self._own_face = own_face
        self._disclosures = disclosures
        self._aftercare = tuple(aftercare)
        self._kept = kept
        self._unsettled: dict[tuple[MessageId, ...], Outcome] = {}

    async def run(self, run: Running) -> TurnAccount:
        """Perform a turn and settle it, whatever happens. Return its account."""
        again = run.turn.again
        account = TurnAccount(again.turn if again else run.turn.id, run.turn.trigger)
        run.account = account
        began = self._clock.monotonic()
        outcome: Outcome | None
        self._metrics.turns.started()
        with turn_logs(run.turn.id), reading(run.turn.speaker.locale):
            try:
                run.started = True
                if run.ending is not None:
                    raise asyncio.CancelledError
                outcome = await self._perform(run, account)
                run.over = True
            except asyncio.CancelledError:
                outcome = await self._cancelled(run, account)
            except DeliveryDelayed as error:
                outcome = None
                self._delay(run, error)
            except TroupeError as error:
                outcome = await self._failed(run, account, error)
            except Exception as error:  # a bug must not leave a person waiting
                log.exception("turn failed")
                outcome = await self._failed(run, account, error)
            account.outcome = outcome
            account.timings["total"] = self._clock.monotonic() - began
            count(self._metrics, run, account, outcome)
            if outcome is None and run.notes:
                await asyncio.wait(run.notes)  # the successor must find what is visible
            if outcome is not None:
                await self._close(run, account, outcome)
        return account

    async def _close(self, run: Running, account: TurnAccount, outcome: Outcome) -> None:
        """Settle a turn, and let follow what follows from it; nothing where its place is gone."""
        if run.ending is Ending.CLOSED:
            await self._settle(run, outcome)
            return
        self._accounts.keep(account)
        if run.hand_on is not None:
            await run.hand_on(account)
        await self._keep(run, account)  # whoever waits for the end asks for it next
        await self._settle(run, outcome)
        for each in self._aftercare if run.turn.again is None else ():
            each.over(run.turn, account)

    async def _perform(self, run: Running, account: TurnAccount) -> Outcome:
        if run.after is not None:
            await asyncio.wait([run.after])
        if run.quiet:
            await asyncio.sleep(run.quiet)
        again = run.turn.again
        resumed = run.progress is not None and again is None
        if resumed and (outcome := await self._delivered(run, account)) is not None:
            return outcome
        try:
            async with in_time(run.turn, self._clock):
                return await self._pipeline.perform(
                    run.turn,
                    lambda face: self._open(run, account, face),
                    account,
                    stop=run.stop,
                    looked=run.looked,
                    admission=run.admission,
                )
        except TargetGone:
            # Somebody may have removed the reply: the event that tells of it ends the turn.
            await asyncio.sleep(EVENT_DELAY)
            raise

    async def _delivered(self, run: Running, account: TurnAccount) -> Outcome | None:
        """Deliver what is stored of a reply; None where nothing is."""
        try:
            return Outcome.ANSWERED if await self._deliver_stored(run, account) else None
        except TargetGone:
            if run.turn.answering is not None:
                raise
        # What stood there of it was removed while nobody wrote.
        await forget(self._conversations, run.turn)
        if run.sink is not None:
            await quietly(run.sink.withdraw())
        return Outcome.CANCELLED

    async def _deliver_stored(self, run: Running, account: TurnAccount) -> bool:
        """Deliver a reply that was stored but not delivered when the process died."""
        conversation, exchange = await stored(self._conversations, run.turn)
        reply = exchange.reply if exchange else None
        if exchange is None or reply is None:
            return False
        persona = await self._casting.author(reply.persona, reply.route, run.turn.place)
        account.persona, account.reply = persona, reply.text
        ids = reply.message_ids
        if not ids:
            sink = self._open(run, account, Face(persona.id, persona.name, persona.avatar))
            ids = await sink.finish(reply.text, controls_of(exchange))
            delivered = exchange.delivered(ids)
            await once_back(lambda: self._conversations.record(run.turn.place, delivered))
        account.message_ids = ids
        account.cue = await self._pipeline.cue_after(run.turn, conversation, reply)
        return True

    async def has_written(self, turn: Turn) -> bool:
        """Whether the whole reply of a turn is stored, so that it only has to stand there.

        Raises:
            StoreError: the store is away.
        """
        _, exchange = await stored(self._conversations, turn)
        return turn.again is None and exchange is not None and exchange.reply is not None

    def _open(self, run: Running, account: TurnAccount, face: Face) -> ReplySink:
        def note(progress: Progress) -> None:
            run.progress = progress
            account.message_ids = progress.reply_ids
            run.beside(self._note(run, progress))
            if run.shows is not None:
                run.shows()

        closing = None
        if self._disclosures is not None and run.turn.again is None:
            closing = Closing(self._disclosures, run.turn, account, self._clock)

        async def ours() -> bool:
            if not self._journal.holds(run.turn.messages[0].id):
                with contextlib.suppress(TimeoutError):  # the store is away: nobody else answers
                    async with asyncio.timeout(OWNERSHIP_TIMEOUT):
                        await self._note(run, run.progress or Progress())
            return run.ending is not Ending.LOST

        sink = self._sinks.open(run.turn, face, run.progress, note, ours)
        run.sink = WatchedSink(sink, run, closing)
        return run.sink

    async def _note(self, run: Running, progress: Progress) -> None:
        try:
            await self._journal.progress(run.turn.messages[0].id, progress)
        except OwnershipLost:
            # Another process took this turn over: it answers, we stop.
            if run.ending is None and run.task is not None:
                run.ending = Ending.LOST
                run.task.cancel()
        except StoreError:
            log.warning("progress not journalled: a crash now would post this reply again")

    async def _cancelled(self, run: Running, account: TurnAccount) -> Outcome | None:
        """End a turn that was stopped from outside. None: it is not over, or not ours any more."""
        sink = run.sink
        if sink is not None and run.ending is Ending.RESTART:
            if run.shown and not run.whole:
                mark = f"{run.shown}\n\n{small_print(translated(INTERRUPTED))}"
                await quietly(sink.finish(mark))
        elif run.ending is Ending.STOPPED and run.turn.again is not None:
            await quietly(self._restore(run, account))
        elif sink is not None and run.ending not in (Ending.LOST, Ending.CLOSED):
            await quietly(sink.withdraw())
        return Outcome.CANCELLED if run.ending in _FINAL else None

    def _delay(self, run: Running, error: DeliveryDelayed) -> None:
        """Leave a turn unsettled: what stands there of its reply is not the end of it."""
        run.over = run.delayed = True
        log.warning("reply delayed", reason=str(error))

    async def _failed(
        self, run: Running, account: TurnAccount, error: BaseException
    ) -> Outcome | None:
        """Tell the person, in one line, what went wrong. None: it is left."""
        run.over = True
        account.notice = notice_for(error)
        log.warning("turn failed", error=error)
        if isinstance(error, DeliveryError):
            count_undelivered(self._metrics, error)
        if run.turn.again is not None:
            try:
                await self._restore(run, account)
            except DeliveryDelayed as delayed:
                self._delay(run, delayed)
                return None
            await self._answer_wish(run, account.notice)
            return Outcome.BUSY if isinstance(error, Busy) else Outcome.FAILED
        if isinstance(error, DeliveryError):
            await forget(self._conversations, run.turn)
        if run.turn.cue is not None:  # nobody is waiting for it
            if run.shown and run.sink is not None:
                mark = f"{run.shown}\n\n{small_print(translated(CUT_SHORT))}"
                await quietly(run.sink.finish(mark))
            return Outcome.FAILED
        if run.sink is None:
            await self.say(run.turn, account.notice, run.progress)
        else:
            await quietly(run.sink.notice(account.notice))
        return Outcome.BUSY if isinstance(error, Busy) else Outcome.FAILED

    async def _restore(self, run: Running, account: TurnAccount) -> None:
        """Put a reply back as it was before somebody had a wish about it.

        Raises:
            DeliveryDelayed: not yet.
        """
        again = run.turn.again
        if again is None:
            return
        try:
            sink = run.sink or self._open(run, account, self._own_face)
            await self._pipeline.restore(run.turn, again, sink)
        except DeliveryDelayed:
            raise
        except (StoreError, DeliveryError) as error:
            log.warning("reply not put back", error=error)

    async def _answer_wish(self, run: Running, line: str) -> None:
        """Tell whoever had a wish why it is not fulfilled; in the channel after a restart."""
        if run.tell is None:
            await self.say(run.turn, line)
        else:
            await run.tell(line)

    async def give_up(self, run: Running, line: str) -> None:
        """End what can't be begun any more, and settle it: what stands there of its reply is
        marked as broken off; where nothing does, its person is told why.

        Raises:
            DeliveryDelayed: not yet.
        """
        turn, noted = run.turn, run.progress or Progress()
        if turn.again is not None:
            await self._restore(run, TurnAccount(turn.again.turn, turn.trigger))
            await self._answer_wish(run, line)
        elif not await self._broken_off(turn, noted) and turn.cue is None:
            # What a webhook left that is gone stands there still, and can't be marked.
            line = translated(BROKEN_OFF) if noted.reply_ids else line
            try:
                await self._tell(turn, line, noted)
            except DeliveryDelayed:
                raise
            except DeliveryError as error:
                log_undelivered(error)
        await self._settle(run, Outcome.EXPIRED)

    async def _broken_off(self, turn: Turn, noted: Progress) -> bool:
        """Mark what stands there of a reply; False where nothing does, or can't be reached."""
        try:
            return await self._sinks.amend(turn, self._own_face, noted, broken_off)
        except DeliveryDelayed:
            raise
        except DeliveryError as error:
            log.warning("reply not marked", error=error)
            return False

    async def take_back(self, turn: Turn, progress: Progress) -> None:
        """End what is not to be begun since its question is gone: what is visible goes, too."""
        if turn.again is None:
            sink = self._sinks.open(turn, self._own_face, progress, lambda _: None, _unowned)
            await quietly(sink.withdraw())
        await self.settle(turn.message_ids, Outcome.CANCELLED)

    async def say(self, turn: Turn, line: str, progress: Progress | None = None) -> bool:
        """Say a line to the person of a turn; False where Discord does not take it."""
        return await quietly(self._tell(turn, line, progress))

    async def _tell(self, turn: Turn, line: str, progress: Progress | None) -> None:
        sink = self._sinks.open(turn, self._own_face, progress, lambda _: None, _unowned)
        await sink.notice(line)

    async def _keep(self, run: Running, account: TurnAccount) -> None:
        if self._kept is None or account.persona is None:
            return
        try:
            await self._kept.keep_account(run.turn.place, account.turn, account.summary())
        except StoreError:
            log.info("account not kept over a restart")

    async def _settle(self, run: Running, outcome: Outcome) -> None:
        if run.notes:
            await asyncio.wait(run.notes)
        await self.settle(run.turn.message_ids, outcome)

    async def settle(self, messages: tuple[MessageId, ...], outcome: Outcome) -> None:
        """Settle messages for good; while the store is away, as soon as it is back."""
        try:
            await self._journal.settle(messages, outcome)
        except StoreError:
            self._unsettled[messages] = outcome
            log.warning("turn not settled yet")

    async def settle_rest(self) -> None:
        """Settle what was over while the store was away: nobody is to answer it once more.

        Raises:
            StoreError: it is away still.
        """
        for messages, outcome in list(self._unsettled.items()):
            await self._journal.settle(messages, outcome)
            del self._unsettled[messages]


async def _unowned() -> bool:
    """A line about a message that was never ours may always be said."""
    return True
