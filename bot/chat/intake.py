"""From a message to a running turn and back: claim, journal, bursts, deletes, drain, take-up.

A message is claimed and journalled before anything else is done for it, and settled only when its
reply stands there or its person was told why there is none. Whatever the process was doing when
it died is taken up by its successor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import structlog

from bot.chat.account import TurnAccount
from bot.chat.arriving.delayed import Delayed
from bot.chat.arriving.door import Door
from bot.chat.arriving.ending import ended
from bot.chat.arriving.left_over import rerun
from bot.chat.arriving.looking_again import Channels, LookingAgain
from bot.chat.arriving.looking_ahead import Ahead, Ask, LookingAhead
from bot.chat.arriving.looking_back import LookingBack
from bot.chat.arriving.parting import KeepsPlaces, KeepsServers, Parting
from bot.chat.arriving.patience import Patience
from bot.chat.arriving.refusing import Refused
from bot.chat.arriving.running_turns import RunningTurns
from bot.chat.arriving.taking_back import TakingBack
from bot.chat.arriving.taking_up import TakingUp
from bot.chat.arriving.thread_opening import OneForABurst, ThreadOpener, in_thread
from bot.chat.arriving.triggers import is_only_files
from bot.chat.arriving.unsaying import Mindful, Unsaying
from bot.chat.place import MessageId, Place, UserId
from bot.chat.preparing.admitting import Admission
from bot.chat.preparing.scene_turns import cued_message
from bot.chat.runner import TurnRunner
from bot.chat.running import Ending, Running, Tell
from bot.chat.turn import Again, Message, Trigger, Turn, TurnId
from bot.chat.wishes.claims import ReplyClaims
from bot.errors import Busy, NotAllowed, NotFound, StoreError
from bot.memory import Memory
from bot.observability import Metrics
from bot.personas.casting import Casting
from bot.ports import Clock, ConversationStore, Outcome, TurnJournal

log = structlog.get_logger(__name__)

TAKE_UP_EVERY = 5.0
"""Seconds between two looks for turns of processes that are gone."""


@dataclass(frozen=True, slots=True)
class _Arriving:
    """Why a message that is being written down is for us, and what lets its turn in."""

    trigger: Trigger
    admission: Admission


class Intake:
    """Takes in what is said, and lets it become turns."""

    def __init__(
        self,
        *,
        runner: TurnRunner,
        journal: TurnJournal,
        conversations: ConversationStore,
        casting: Casting,
        metrics: Metrics,
        clock: Clock,
        mindful: Sequence[Mindful] = (),
        memory: Memory | None = None,
        threads: ThreadOpener | None = None,
        claims: ReplyClaims | None = None,
        channels: Channels | None = None,
        ask: Ask | None = None,
        servers: Sequence[KeepsServers] = (),
        places: Sequence[KeepsPlaces] = (),
    ) -> None:
        """`ask` asks the database what a turn needs, while its message is written down.

        `servers` and `places` forget those that are gone.
        """
        self._runner = runner
        self._journal = journal
        self._conversations = conversations
        self._casting = casting
        self._clock = clock
        self._threads = OneForABurst(threads, conversations) if threads is not None else None
        self._refused = Refused(journal, runner.settle)
        self._patience = Patience()
        self._door = Door(runner, casting, self._refused, self._patience, metrics, clock)
        self._claims = claims
        self._turns = RunningTurns(clock, self._work)
        self._again = LookingAgain(channels, self._turns, self)
        self.past = LookingBack(conversations, channels, self)
        """Finds out what became of what is stored, while nobody listened."""
        self._arriving: dict[tuple[Place, UserId], _Arriving] = {}
        """Whose message is being written down."""
        self._unsaying = Unsaying(conversations, mindful, memory)
        self._ahead = LookingAhead(ask, self._turns, self._unsaying, casting, clock)
        self.parting = Parting(self._turns, self._unsaying, servers, places)
        """Told when the bot leaves a server, and when it is back."""
        delayed = Delayed(clock)
        self._taking_back = TakingBack(
            self._turns,
            self._unsaying,
            conversations,
            delayed,
            self._is_arriving,
            runner.settle,
        )
        self._gone = self._taking_back.gone
        self._taking_up = TakingUp(
            turns=self._turns,
            runner=runner,
            journal=journal,
            casting=casting,
            threads=self._threads,
            metrics=metrics,
            clock=clock,
            gone=self._gone,
            delayed=delayed,
            parting=self.parting,
            refused=self._refused,
            look=self._again.look_at,
        )

    # ── what comes in ───────────────────────────────────────────────────────────────────────

    async def concerns(self, message: Message, *, own_thread: bool = False) -> Trigger | None:
        """Return why a message is for us, or None.

        Raises:
            StoreError: what is set there can't be read. Who asked us directly was told.
        """
        trigger = await self._door.concerns(message, own_thread=own_thread)
        if trigger is None and is_only_files(message):
            return self._asked_just_now(message)
        return trigger

    def _asked_just_now(self, message: Message) -> Trigger | None:
        """Return why the question is for us that a file without a word belongs to, if one is."""
        key = (message.place, message.speaker.id)
        current = self._turns.last_of(*key)
        if current is None or current.turn.cue is not None:
            arriving = self._arriving.get(key)
            return arriving.trigger if arriving else None
        return current.turn.trigger if self._turns.may_join(current) else None

    def _is_arriving(self, place: Place) -> bool:
        return any(at == place for at, _ in self._arriving)

    async def receive(self, message: Message, trigger: Trigger) -> None:
        """Claim and journal a message that is for us, and begin its turn."""
        if self._turns.draining:
            return  # not claimed: the successor catches up on it
        key = (message.place, message.speaker.id)
        before = self._arriving.get(key)
        admission = before.admission if before else Admission()
        arriving = self._arriving[key] = _Arriving(trigger, admission)
        ahead, begun = None, False
        try:
            if before is None:  # asked for first, so that the claim takes it along
                ahead = await self._ahead.begin(message, trigger, admission)
            begun = await self._receive(message, trigger, admission, ahead)
        finally:
            if ahead is not None and not begun:
                ahead.dismiss()
            if self._arriving.get(key) is arriving:
                del self._arriving[key]

    async def _receive(
        self, message: Message, trigger: Trigger, admission: Admission, ahead: Ahead | None
    ) -> bool:
        """Return whether its turn was begun."""
        try:
            fresh = await self._patience.over(lambda: self._journal.accept(message, trigger))
        except StoreError as error:
            await self._door.store_away(message, trigger, error)
            raise
        self._patience.back()
        if not fresh:
            log.debug("claimed already", message=message.id)
            return False
        try:
            message = await in_thread(message, trigger, self._casting, self._threads)
        except StoreError as error:
            log.info("turn not begun yet", message=message.id, reason=str(error))
            self._taking_up.leave(message, trigger)
            return False
        return await self._begin(message, trigger, admission, ahead)

    async def _begin(
        self,
        message: Message,
        trigger: Trigger,
        admission: Admission,
        ahead: Ahead | None = None,
    ) -> bool:
        """Begin the turn of a message that was written down. Return whether it may begin."""
        # What was deleted before this was said must not be in its prompt.
        await self._unsaying.settled(message.place)
        looked = await self._ahead.end(ahead)
        if message.id in self._gone or message.place in self.parting:
            await self._runner.settle((message.id,), Outcome.CANCELLED)
            return False
        if self._turns.draining:
            return False  # written down: the successor begins with it
        message = self._taking_back.as_it_is_now(message, trigger)
        self._turns.enter(message, trigger, admission, looked)
        return True

    async def again(self, message: Message, tell: Tell | None = None) -> bool:
        """Claim and journal a wish about a reply, and begin with it. False when it is known.

        `tell` says a line to whoever had the wish.

        Raises:
            Busy: the bot is about to restart.
            StoreError: the wish could not be journalled.
        """
        if message.again is None:
            raise ValueError("the message is no wish about a reply")
        if self._turns.draining:
            raise Busy("I'm restarting. Please try again in a minute.")
        if not await self._journal.accept(message, Trigger.AGAIN):
            return False
        run = rerun(Turn((message,), Trigger.AGAIN), message.again, self._clock.monotonic())
        # Claims end by themselves: another wish about the reply may still be under way.
        before = self._turns.about(message.again.turn, None)
        run.tell, run.after = tell, before[-1] if before else None
        self._turns.start(run)
        return True

    async def ordered(self, message: Message) -> bool:
        """Claim and journal what was asked by command, and begin with it. False when it is known.

        Raises:
            NotAllowed: the bot is off here, or the person may not talk to it here or now.
            NotFound: it is about a message that was deleted meanwhile.
            Busy: the bot is about to restart.
            StoreError: the order could not be journalled.
        """
        if self._turns.draining:
            raise Busy("I'm restarting. Please try again in a minute.")
        await self.admits(message.place, message.speaker.id, message.roles)
        if message.about in self._gone:
            raise NotFound("That message is gone.")
        if not await self._journal.accept(message, Trigger.COMMAND):
            return False
        self._turns.start(Running(Turn((message,), Trigger.COMMAND), self._clock.monotonic()))
        return True

    async def admits(self, place: Place, person: UserId, roles: Collection[int]) -> None:
        """Make sure that somebody may ask for something by a command or a button.

        Raises:
            NotAllowed: the bot is off here, or the person may not talk to it here or now.
            StoreError: what is set there can't be read.
        """
        self._door.check(await self._casting.resolved(place), person, roles)

    async def edited(self, place: Place, message: MessageId, text: str) -> None:
        """Rewrite what was said; see `bot.chat.arriving.taking_back`."""
        await self._taking_back.edited(place, message, text)

    async def deleted(self, place: Place, messages: Sequence[MessageId]) -> None:
        """Remove what was said, and stop the turns whose question or reply is gone."""
        await self._taking_back.deleted(place, messages)

    async def hidden(
        self, place: Place, message: MessageId, by: UserId, author: UserId | None = None
    ) -> None:
        """A person hides a message from us. Anybody else's stays as it is."""
        await self._taking_back.hidden(place, message, by, author)

    async def closed(self, place: Place) -> None:
        """A channel or thread is gone, with all that was said there."""
        await self.parting.closed(place)

    def stop(self, turn: TurnId, by: UserId, *, moderator: bool) -> bool:
        """Stop a turn at a person's wish, at once. What is visible stays. False when it is over.

        Raises:
            NotAllowed: it is somebody else's.
        """
        run = self._turns.get(turn)
        if run is None or run.over:
            return False
        if not moderator and not run.may_stop(by):
            raise NotAllowed("Only who asked for this, or a moderator, can stop it.")
        if run.visible:
            return run.stop.press()
        self._turns.stop(run, Ending.STOPPED)
        return True

    async def ended(self, turn: TurnId | None = None, message: MessageId | None = None) -> bool:
        """Wait, not for long, until a turn is over; see `bot.chat.arriving.ending`."""
        return await ended(self._turns, self._journal, turn, message)

    def running(self, place: Place) -> tuple[Turn, ...]:
        """Return the turns under way in a place."""
        return tuple(run.turn for run in self._turns if run.turn.place == place)

    def under_way(self, place: Place, message: MessageId | None) -> TurnAccount | None:
        """Return what is known of a turn that runs; see `RunningTurns.account`."""
        return self._turns.account(place, message)

    # ── what a turn is, and what follows from it ────────────────────────────────────────────────

    async def _work(self, run: Running) -> None:
        run.hand_on = lambda account: self._hand_on(run, account)
        run.shows = lambda: self._taking_back.shows(run)
        account = await self._runner.run(run)
        if run.delayed:
            self._taking_up.delayed.add(run)
            return
        if run.turn.again is not None:
            await self._fulfilled(run, run.turn.again, account)
            return
        if run.follow_up is None:
            return
        if self._turns.overtaken(run):
            await self._runner.settle((run.follow_up.id,), Outcome.CANCELLED)
        else:
            await self._begin(run.follow_up, Trigger.SCENE, Admission(granted=True))

    async def _hand_on(self, run: Running, account: TurnAccount) -> None:
        """Write down that another persona is to follow, unless the person spoke meanwhile."""
        if (
            account.cue is None
            or not account.message_ids
            or run.ending
            or self._turns.overtaken(run)
        ):
            return
        message = cued_message(run.turn, account.message_ids[-1], account.cue, self._clock.now())
        try:
            if await self._journal.accept(message, Trigger.SCENE):
                run.follow_up = message
        except StoreError as error:
            log.info("scene not continued", reason=str(error))

    async def _fulfilled(self, run: Running, again: Again, account: TurnAccount) -> None:
        """Let others have wishes about the reply, unless this one is left to the successor."""
        if account.outcome is None or self._claims is None:
            return
        try:
            await self._claims.release(run.turn.place, again.turn, run.turn.messages[0].id)
        except StoreError as error:
            log.info("reply stays claimed for a while", reason=str(error))

    # ── upkeep ──────────────────────────────────────────────────────────────────────────────

    async def upkeep(self) -> None:
        """Take up what dead processes left, and repeat what the store missed. Endless."""
        while True:
            try:
                await self._runner.settle_rest()
                await self.take_up()
                await self._unsaying.catch_up()
                await self.parting.catch_up()
                self._patience.back()
            except StoreError as error:
                self._patience.away()
                log.warning("upkeep failed", reason=str(error))
            await asyncio.sleep(TAKE_UP_EVERY)

    async def take_up(self) -> int:
        """Continue unsettled turns of processes that are gone. Return how many messages."""
        return await self._taking_up.take_up()

    async def look_again(self) -> None:
        """Look at the questions under way: nobody listened for a while, and no event of that time
        will come any more."""
        await self._again.look_again()

    async def drain(self, timeout: float) -> int:
        """Begin no new turn; let running ones finish within `timeout` seconds.

        The rest stay journalled for the successor, their visible part marked. Return how many.
        """
        left = await self._turns.drain(timeout)
        with contextlib.suppress(StoreError):  # away still: the successor takes them up
            await self._runner.settle_rest()
            await self._refused.write_down()
        return left
