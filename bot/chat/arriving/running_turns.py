"""The running turns of a process: how they begin, join, give way, stop and drain."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator

from bot.chat.account import TurnAccount
from bot.chat.place import MessageId, Place, UserId
from bot.chat.preparing.admitting import Admission
from bot.chat.preparing.looking_up import LookedUp
from bot.chat.running import MERGE, Ending, Running
from bot.chat.turn import DIRECT, Message, Trigger, Turn, TurnId
from bot.ports import Clock

Work = Callable[[Running], Coroutine[None, None, None]]
"""What a turn does from its beginning to its settled end."""

QUIET = 1.2
"""Seconds of silence of the speaker before their burst is answered, in auto mode."""
QUIET_AT_MOST = 6.0

CUT_OFF_AT_MOST = 5.0
"""Seconds that turns have to mark their visible part when the process stops."""


class RunningTurns:
    """Owns the tasks of all turns, and knows each person's last one in each place."""

    def __init__(
        self, clock: Clock, work: Callable[[Running], Coroutine[None, None, None]]
    ) -> None:
        """`work` is what a turn does from its beginning to its settled end."""
        self._clock = clock
        self._work = work
        self._runs: dict[TurnId, Running] = {}
        self._by_person: dict[tuple[Place, UserId], Running] = {}
        self.draining = False
        """Whether no turn begins any more: what is journalled is the successor's."""

    def __iter__(self) -> Iterator[Running]:
        """Iterate over those that run now; they may begin and end meanwhile."""
        return iter(tuple(self._runs.values()))

    def get(self, turn: TurnId) -> Running | None:
        """Return a turn if it runs."""
        return self._runs.get(turn)

    def last_of(self, place: Place, person: UserId) -> Running | None:
        """Return the turn in which a person spoke last, if it runs."""
        return self._by_person.get((place, person))

    def account(self, place: Place, message: MessageId | None) -> TurnAccount | None:
        """Return what is known so far of a turn of a place, named by one of its messages or one in
        which its reply stands; of the newest that runs, if None."""
        found = [
            run.account
            for run in self
            if run.account is not None
            and run.turn.place == place
            and (message is None or message in {*run.turn.message_ids, *run.standing})
        ]
        return max(found, key=lambda account: int(account.turn), default=None)

    def overtaken(self, run: Running) -> bool:
        """Whether the person said something newer."""
        return self.last_of(run.turn.place, run.turn.speaker.id) is not run

    def may_join(self, run: Running) -> bool:
        """Whether what the person says now belongs to their turn."""
        window = QUIET_AT_MOST if run.quiet else MERGE
        return run.silent and run.ending is None and self._clock.monotonic() - run.began <= window

    def begins_alone(self, message: Message, trigger: Trigger) -> bool:
        """Whether a message, once taken in, begins a turn at once, as far as can be told."""
        last = self.last_of(message.place, message.speaker.id)
        return last is None and trigger is not Trigger.AUTO

    def enter(
        self,
        message: Message,
        trigger: Trigger,
        admission: Admission,
        looked: LookedUp | None = None,
    ) -> None:
        """Begin a turn, or join the person's turn that is not visible yet.

        `admission` lets in the turn that begins; `looked` is what was looked up for one that
        begins at once.
        """
        current = self.last_of(message.place, message.speaker.id)
        run = Running(Turn((message,), trigger), self._clock.monotonic(), admission=admission)
        if current is not None and current.turn.cue is not None and self.may_join(current):
            self.stop(current, Ending.OVERTAKEN)
        if current is None or current.ending is not None:
            run.quiet = QUIET if trigger is Trigger.AUTO else 0.0
            if current is None:
                run.looked = looked
            else:
                run.after = current.task
            self.start(run)
        elif self.may_join(current):
            together = sorted((*current.turn.messages, message), key=lambda each: each.id)
            asked = trigger in DIRECT and current.turn.trigger not in DIRECT
            why = trigger if asked else current.turn.trigger
            # Who asks directly need not be silent first: their burst is answered at once.
            quiet = 0.0 if asked else current.quiet
            self.supersede(current, Turn(tuple(together), why), quiet=quiet)
        else:
            run.after = current.task
            self.start(run)

    def supersede(self, run: Running, turn: Turn, *, quiet: float) -> None:
        """Stop a turn of which nothing is visible, and begin it anew with other messages.

        One that is being stopped already has been begun anew, or is not wanted any more.
        """
        if run.over or run.ending is not None:
            return
        self.stop(run, Ending.MERGED)
        anew = Running(turn, run.began, run.progress, run.task, quiet, run.admission)
        self.start(anew)

    def start(self, run: Running) -> None:
        """Begin a turn that is journalled; while draining it is left to the successor."""
        if self.draining:
            return
        self._runs[run.turn.id] = run
        if run.turn.again is None and run.turn.trigger is not Trigger.COMMAND:
            self._by_person[run.turn.place, run.turn.speaker.id] = run
        run.task = asyncio.create_task(self._work(run), name=f"turn {run.turn.id}")
        run.task.add_done_callback(lambda _: self._forget(run))

    def stop(self, run: Running, ending: Ending) -> None:
        """Stop a turn unless its end stands already."""
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

    def about(self, turn: TurnId | None, message: MessageId | None) -> list[asyncio.Task[None]]:
        """Return what runs of a turn and of wishes about its reply; see `Running.is_about`."""
        return [run.task for run in self if run.task and run.is_about(turn, message)]

    async def drain(self, timeout: float) -> int:
        """Begin no new turn; let running ones finish within `timeout` seconds.

        The rest are stopped, their visible part marked. Return how many.
        """
        self.draining = True
        tasks = {run.task for run in self if run.task}
        if tasks:
            await asyncio.wait(tasks, timeout=timeout)
        late = [run for run in self if run.task and not run.task.done()]
        for run in late:
            self.stop(run, Ending.RESTART)
        if late:
            await asyncio.wait([run.task for run in late if run.task], timeout=CUT_OFF_AT_MOST)
        return len(late)
