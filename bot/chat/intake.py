"""From a message to a running turn and back: claim, journal, bursts, deletes, drain, take-up.

A message is claimed and journalled before anything else is done for it, and settled only when its
reply stands there or its person was told why there is none. Whatever the process was doing when
it died is taken up by its successor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace

import structlog

from bot.chat.account import TurnAccount
from bot.chat.arriving.door import Door
from bot.chat.arriving.looking_again import Channels, changed, stands_in
from bot.chat.arriving.running import MERGE, Ending, Running, Tell
from bot.chat.arriving.taking_up import asked_anew, left_of, regrouped, rerun, reworded
from bot.chat.arriving.thread_opening import (
    OneForABurst,
    ThreadOpener,
    in_thread,
    where_answered,
)
from bot.chat.arriving.triggers import HIDDEN_PREFIX, is_only_files
from bot.chat.arriving.unsaying import Mindful, Unsaying
from bot.chat.notices import EXPIRED
from bot.chat.place import ChannelId, MessageId, Place, UserId
from bot.chat.preparing.scene_turns import cued_message
from bot.chat.runner import TurnRunner
from bot.chat.turn import DIRECT, Again, Message, Trigger, Turn, TurnId
from bot.chat.wishes.claims import ReplyClaims
from bot.errors import Busy, NotAllowed, NotFound, StoreError
from bot.languages import reading, translated
from bot.memory import Memory
from bot.observability import Metrics
from bot.personas.casting import Casting
from bot.ports import Clock, ConversationStore, JournalEntry, Outcome, TurnJournal

log = structlog.get_logger(__name__)

TAKE_UP_EVERY = 5.0
"""Seconds between two looks for turns of processes that are gone."""

MAX_ATTEMPTS = 3
"""A turn that was cut off so often by a crash may be its cause: it is apologised for instead."""

QUIET = 1.2
"""Seconds of silence of the speaker before their burst is answered, in auto mode."""
QUIET_AT_MOST = 6.0
MAX_AGE = 600.0
"""Seconds after which an unfinished turn is apologised for, not answered."""

GONE_KEPT = 1000
"""Ids of deleted messages that are remembered: a message may be deleted while it is taken in."""

ENDING_AT_MOST = 1.5
"""Seconds that a press waits for what it was pressed under; Discord gives it three."""


class Intake:
    """Owns every running turn of the process."""

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
    ) -> None:
        self._runner = runner
        self._journal = journal
        self._conversations = conversations
        self._casting = casting
        self._metrics = metrics
        self._clock = clock
        self._threads = threads and OneForABurst(threads, conversations)
        self._door = Door(runner, casting, metrics, clock)
        self._claims = claims
        self._channels = channels
        self._runs: dict[TurnId, Running] = {}
        self._by_person: dict[tuple[Place, UserId], Running] = {}
        self._arriving: dict[tuple[Place, UserId], Trigger] = {}
        """Whose message is being written down, and why it is for us."""
        self._unsaying = Unsaying(conversations, mindful, memory)
        self._gone: deque[MessageId] = deque(maxlen=GONE_KEPT)
        self._untouched: list[JournalEntry] = []
        """Journalled as ours, so nobody else's, but not begun: the store failed."""
        self._draining = False

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
        current = self._by_person.get(key)
        if current is None or current.turn.cue is not None:
            return self._arriving.get(key)
        return current.turn.trigger if self._may_join(current) else None

    async def receive(self, message: Message, trigger: Trigger) -> None:
        """Claim and journal a message that is for us, and begin its turn."""
        if self._draining:
            return  # not claimed: the successor catches up on it
        key = (message.place, message.speaker.id)
        self._arriving[key] = trigger
        try:
            await self._receive(message, trigger)
        finally:
            self._arriving.pop(key, None)

    async def _receive(self, message: Message, trigger: Trigger) -> None:
        try:
            fresh = await self._journal.accept(message, trigger)
        except StoreError as error:
            await self._door.store_away(message, trigger, error)
            raise
        if not fresh:
            log.debug("claimed already", message=message.id)
            return
        try:
            message = await in_thread(message, trigger, self._casting, self._threads)
        except StoreError as error:
            log.info("turn not begun yet", message=message.id, reason=str(error))
            self._untouched.append(JournalEntry(message, trigger, self._clock.now()))
            return
        await self._begin(message, trigger)

    async def _begin(self, message: Message, trigger: Trigger) -> None:
        """Begin the turn of a message that was written down."""
        # What was deleted before this was said must not be in its prompt.
        await self._unsaying.settled(message.place)
        if message.id in self._gone:
            await self._runner.settle((message.id,), Outcome.CANCELLED)
            return
        if self._draining:
            return  # written down: the successor begins with it
        self._enter(message, trigger)

    async def again(self, message: Message, tell: Tell | None = None) -> bool:
        """Claim and journal a wish about a reply, and begin with it. False when it is known.

        `tell` says a line to whoever had the wish.

        Raises:
            Busy: the bot is about to restart.
            StoreError: the wish could not be journalled.
        """
        if message.again is None:
            raise ValueError("the message is no wish about a reply")
        if self._draining:
            raise Busy("I'm restarting. Please try again in a minute.")
        if not await self._journal.accept(message, Trigger.AGAIN):
            return False
        run = rerun(Turn((message,), Trigger.AGAIN), message.again, self._now())
        before = self._runs.get(message.again.turn)
        run.tell, run.after = tell, before.task if before else None
        self._start(run)
        return True

    async def ordered(self, message: Message) -> bool:
        """Claim and journal what was asked by command, and begin with it. False when it is known.

        Raises:
            NotAllowed: the bot is off here, or the person may not talk to it here or now.
            NotFound: it is about a message that was deleted meanwhile.
            Busy: the bot is about to restart.
            StoreError: the order could not be journalled.
        """
        if self._draining:
            raise Busy("I'm restarting. Please try again in a minute.")
        await self.admits(message.place, message.speaker.id, message.roles)
        if message.about in self._gone:
            raise NotFound("That message is gone.")
        if not await self._journal.accept(message, Trigger.COMMAND):
            return False
        self._start(Running(Turn((message,), Trigger.COMMAND), self._now()))
        return True

    async def admits(self, place: Place, person: UserId, roles: Collection[int]) -> None:
        """Make sure that somebody may ask for something by a command or a button.

        Raises:
            NotAllowed: the bot is off here, or the person may not talk to it here or now.
            StoreError: what is set there can't be read.
        """
        self._door.check(await self._casting.resolved(place), person, roles)

    async def edited(self, place: Place, message: MessageId, text: str) -> None:
        """Rewrite what was said. Never answers anew what has an answer that somebody may see."""
        if text.startswith(HIDDEN_PREFIX):
            await self.deleted(place, (message,))
            return
        for run in [r for r in self._runs.values() if r.silent and r.ending is None]:
            turn = asked_anew(run.turn, message, text)
            if turn != run.turn:
                self._supersede(run, turn, quiet=run.quiet)
        await self._unsaying.rewrite(place, message, text)

    async def deleted(self, place: Place, messages: Sequence[MessageId]) -> None:
        """Remove what was said, and stop the turns whose question or reply is gone."""
        self._gone.extend(messages)
        gone = set(messages)
        for run in [r for r in self._runs.values() if gone & r.standing]:
            self._stop(run, Ending.DELETED)
        for run in [r for r in self._runs.values() if gone & r.concerns]:
            rest = left_of(run.turn, gone)
            if not rest:
                self._stop(run, Ending.DELETED)
            elif run.silent:
                self._supersede(run, Turn(rest, run.turn.trigger), quiet=run.quiet)
        await self._unsaying.remove(place, gone)

    def closed(self, channel: ChannelId) -> None:
        """Stop the turns of a channel that is gone, and of its threads."""
        for run in list(self._runs.values()):
            if channel in (run.turn.place.channel, run.turn.place.parent):
                self._stop(run, Ending.DELETED)

    async def hidden(
        self, place: Place, message: MessageId, by: UserId, author: UserId | None = None
    ) -> None:
        """A person hides a message from us. Anybody else's stays as it is."""
        if author is None:
            author = await self._author(place, message)
        if author == by:
            await self.deleted(place, (message,))

    async def _author(self, place: Place, message: MessageId) -> UserId | None:
        """Return who said a message, as far as we were told."""
        told = (m for run in self._runs.values() for m in run.turn.messages if m.id == message)
        said = next(told, None)
        if said is not None and said.cue is None:
            return said.speaker.id
        exchange = await self._conversations.find(place, message)
        found = (each for each in (exchange.said if exchange else ()))
        return next((s.speaker.id for s in found if s.message_id == message), None)

    def stop(self, turn: TurnId, by: UserId, *, moderator: bool) -> bool:
        """Stop a turn at a person's wish, at once. What is visible stays. False when it is over.

        Raises:
            NotAllowed: it is somebody else's.
        """
        run = self._runs.get(turn)
        if run is None or run.over:
            return False
        if not moderator and not run.may_stop(by):
            raise NotAllowed("Only who asked for this, or a moderator, can stop it.")
        if run.visible:
            return run.stop.press()
        self._stop(run, Ending.STOPPED)
        return True

    async def ended(self, turn: TurnId | None = None, message: MessageId | None = None) -> None:
        """Wait, not for long, until a turn is over, and every wish about its reply.

        The turn may be named by a message in which its reply stands.
        """
        tasks = [
            run.task for run in self._runs.values() if run.task and run.is_about(turn, message)
        ]
        if tasks:
            await asyncio.wait(tasks, timeout=ENDING_AT_MOST)

    def running(self, place: Place) -> tuple[Turn, ...]:
        """Return the turns under way in a place."""
        return tuple(run.turn for run in self._runs.values() if run.turn.place == place)

    # ── running turns ───────────────────────────────────────────────────────────────────────

    def _enter(self, message: Message, trigger: Trigger) -> None:
        """Begin a turn, or join the person's turn that is not visible yet."""
        current = self._by_person.get((message.place, message.speaker.id))
        if current is None or current.ending is not None:
            quiet = QUIET if trigger is Trigger.AUTO else 0.0
            after = current.task if current else None
            self._start(Running(Turn((message,), trigger), self._now(), after=after, quiet=quiet))
        elif self._may_join(current):
            together = sorted((*current.turn.messages, message), key=lambda each: each.id)
            asked = trigger in DIRECT and current.turn.trigger not in DIRECT
            why = trigger if asked else current.turn.trigger
            # Who asks directly need not be silent first: their burst is answered at once.
            quiet = 0.0 if asked else current.quiet
            self._supersede(current, Turn(tuple(together), why), quiet=quiet)
        else:
            self._start(Running(Turn((message,), trigger), self._now(), after=current.task))

    def _may_join(self, run: Running) -> bool:
        """Whether what the person says now belongs to their turn."""
        window = QUIET_AT_MOST if run.quiet else MERGE
        return run.silent and run.ending is None and self._now() - run.began <= window

    def _supersede(self, run: Running, turn: Turn, *, quiet: float) -> None:
        """Stop a turn of which nothing is visible, and begin it anew with other messages."""
        self._stop(run, Ending.MERGED)
        self._start(Running(turn, run.began, run.progress, after=run.task, quiet=quiet))

    def _start(self, run: Running) -> None:
        """Begin a turn that is journalled; while draining it is left to the successor."""
        if self._draining:
            return
        run.hand_on = lambda account: self._hand_on(run, account)
        self._runs[run.turn.id] = run
        if run.turn.again is None and run.turn.trigger is not Trigger.COMMAND:
            self._by_person[run.turn.place, run.turn.speaker.id] = run
        run.task = asyncio.create_task(self._run(run), name=f"turn {run.turn.id}")
        run.task.add_done_callback(lambda _: self._forget(run))

    async def _run(self, run: Running) -> None:
        account = await self._runner.run(run)
        if run.turn.again is not None:
            await self._fulfilled(run, run.turn.again, account)
            return
        if run.follow_up is None:
            return
        if self._overtaken(run):
            await self._runner.settle((run.follow_up.id,), Outcome.CANCELLED)
        else:
            await self._begin(run.follow_up, Trigger.SCENE)

    async def _hand_on(self, run: Running, account: TurnAccount) -> None:
        """Write down that another persona is to follow, unless the person spoke meanwhile."""
        if account.cue is None or not account.message_ids or run.ending or self._overtaken(run):
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

    def _overtaken(self, run: Running) -> bool:
        """Whether the person said something newer."""
        return self._by_person.get((run.turn.place, run.turn.speaker.id)) is not run

    def _stop(self, run: Running, ending: Ending) -> None:
        if run.over or run.ending is not None:
            return
        run.ending = ending
        # A task that is cancelled before its first step never runs its own ending.
        if run.task is not None and run.started:
            run.task.cancel()

    def _forget(self, run: Running) -> None:
        if self._runs.get(run.turn.id) is run:
            del self._runs[run.turn.id]
        key = (run.turn.place, run.turn.speaker.id)
        if self._by_person.get(key) is run:
            del self._by_person[key]

    def _now(self) -> float:
        return self._clock.monotonic()

    # ── upkeep ──────────────────────────────────────────────────────────────────────────────

    async def upkeep(self) -> None:
        """Take up what dead processes left, and repeat what the store missed. Endless."""
        while True:
            try:
                await self._runner.settle_rest()
                await self.take_up()
                await self._unsaying.catch_up()
            except StoreError as error:
                log.warning("upkeep failed", reason=str(error))
            await asyncio.sleep(TAKE_UP_EVERY)

    async def take_up(self) -> int:
        """Continue unsettled turns of processes that are gone. Return how many messages."""
        if self._draining:
            return 0
        found = await self._journal.take_up()
        self._untouched += found
        texts = await self._look_at([entry.message for entry in found])
        self._untouched = [reworded(entry, texts) for entry in self._untouched]
        entries = sorted(self._untouched, key=lambda entry: entry.message.id)
        for turn, first in regrouped(entries, MERGE):
            try:
                await self._resume(turn, first)
            except StoreError as error:
                log.warning("turn not taken up yet", turn=turn.id, reason=str(error))
                continue
            messages = turn.message_ids
            self._untouched = [e for e in self._untouched if e.message.id not in messages]
        return len(entries) - len(self._untouched)

    async def _resume(self, turn: Turn, first: JournalEntry) -> None:
        """Continue a turn of a process that is gone, unless it is too late for it.

        Raises:
            StoreError: nothing was done.
        """
        rest = left_of(turn, set(self._gone))  # deleted while they waited here
        if not rest:
            answered = await where_answered(turn.messages[0], turn.trigger, self._casting)
            last = replace(turn.messages[-1], place=answered.place)
            turn = replace(turn, messages=(*turn.messages[:-1], last))
            await self._runner.take_back(turn, first.progress)
            return
        if left_out := [m.id for m in turn.messages if m not in rest]:
            await self._journal.settle(left_out, Outcome.CANCELLED)
        placed = [
            await in_thread(each, turn.trigger, self._casting, self._threads) for each in rest
        ]
        turn = replace(turn, messages=tuple(placed))
        if turn.again is not None:
            run = rerun(turn, turn.again, self._now(), first.progress)
        else:
            run = Running(turn, self._now(), progress=first.progress)
        late = self._clock.now() - first.accepted_at > MAX_AGE
        if late or first.attempts > MAX_ATTEMPTS:
            with reading(turn.speaker.locale):
                await self._runner.give_up(run, translated(EXPIRED))
            trigger = turn.trigger.value
            self._metrics.turns.count(route=None, trigger=trigger, outcome=Outcome.EXPIRED)
        else:
            self._start(run)

    async def look_again(self) -> None:
        """Look at the questions under way: nobody listened for a while, and no event of that time
        will come any more."""
        await self._look_at([m for run in self._runs.values() for m in run.turn.messages])

    async def _look_at(self, messages: Sequence[Message]) -> dict[MessageId, str]:
        """Do what the missed events of messages would have done. Return the new texts."""
        texts: dict[MessageId, str] = {}
        for message, now in await changed(messages, self._channels) if self._channels else ():
            try:
                if now.gone:
                    await self.deleted(message.place, (stands_in(message),))
                elif now.text is not None:
                    texts[message.id] = now.text
                    await self.edited(message.place, message.spoken_in, now.text)
            except StoreError as error:
                log.warning("change not recorded yet", message=message.id, reason=str(error))
        return texts

    async def drain(self, timeout: float) -> int:
        """Begin no new turn; let running ones finish within `timeout` seconds.

        The rest stay journalled for the successor, their visible part marked. Return how many.
        """
        self._draining = True
        tasks = {run.task for run in self._runs.values() if run.task}
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)
        late = [run for run in self._runs.values() if run.task and not run.task.done()]
        for run in late:
            self._stop(run, Ending.RESTART)
        if late:
            await asyncio.wait([run.task for run in late if run.task], timeout=5)
        with contextlib.suppress(StoreError):  # away still: the successor takes them up
            await self._runner.settle_rest()
        return len(late)
