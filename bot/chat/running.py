"""A turn under way, and what may end it from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.chat.account import TurnAccount
from bot.chat.place import MessageId, UserId
from bot.chat.preparing.admitting import Admission
from bot.chat.preparing.looking_up import LookedUp
from bot.chat.replying.closing import Closing
from bot.chat.replying.stopping import Stop
from bot.chat.turn import Message, Turn, TurnId
from bot.ports import Controls, Face, Progress, ReplySink
from bot.prompting.small_print import code_closed

MERGE = 2.0
"""Seconds within which a person's next message joins their turn, while nothing of it is visible."""


class Ending(StrEnum):
    """Why a running turn was stopped from outside."""

    MERGED = "merged"
    DELETED = "deleted"
    CLOSED = "closed"
    """The channel or the server is gone, with all that was said there."""
    STOPPED = "stopped"
    OVERTAKEN = "overtaken"
    """A persona had taken the floor by itself, and the person spoke before it did."""
    RESTART = "restart"
    LOST = "lost"


Tell = Callable[[str], Awaitable[None]]


class Amended(Protocol):
    """What is to stand in place of the end of a reply."""

    def __call__(self, shown: str, room: int, *, complete: bool) -> str | None:
        """Return it, in at most `room` of Discord's units; None leaves what is shown there, and
        an empty text removes it. `complete`: by all signs nothing is missing."""
        ...


class SinkFactory(Protocol):
    """Opens the place where a turn's reply becomes visible."""

    def open(
        self,
        turn: Turn,
        face: Face,
        progress: Progress | None,
        on_progress: Callable[[Progress], None],
        ours: Callable[[], Awaitable[bool]],
    ) -> ReplySink: ...

    async def amend(self, turn: Turn, face: Face, noted: Progress, amended: Amended) -> bool: ...


@dataclass(slots=True, eq=False)
class Running:
    """A turn under way."""

    turn: Turn
    began: float
    progress: Progress | None = None
    after: asyncio.Task[None] | None = None
    quiet: float = 0.0
    admission: Admission = field(default_factory=Admission)
    """Shared with the turn that it takes the place of."""
    looked: LookedUp | None = None
    """What was looked up while its message was written down."""
    task: asyncio.Task[None] | None = None
    sink: ReplySink | None = None
    started: bool = False
    visible: bool = False
    over: bool = False
    """How it ended stands, and is being told or settled: nothing may stop it any more."""
    delayed: bool = False
    """Discord takes nothing of it for now: it is left, and begun again later."""
    ending: Ending | None = None
    shown: str = ""
    whole: bool = False
    """Its final text stands there: only the rest is to be done."""
    hand_on: Callable[[TurnAccount], Awaitable[None]] | None = None
    """Called before the turn is settled: what follows from it must be written down by then."""
    follow_up: Message | None = None
    """The cue that was written down."""
    notes: set[asyncio.Task[None]] = field(default_factory=set)
    shows: Callable[[], None] | None = None
    """Called each time another message of its reply stands there."""
    account: TurnAccount | None = None
    """What is known of it so far."""
    stop: Stop = field(default_factory=Stop)
    tell: Tell | None = None
    """For a wish about a reply: says a line to whoever had it, for their eyes only."""

    @property
    def concerns(self) -> frozenset[MessageId]:
        """Return the messages without which there is nothing to do."""
        again = self.turn.again
        if again is not None:
            return frozenset(again.question)
        return frozenset(message.about or message.id for message in self.turn.messages)

    @property
    def standing(self) -> frozenset[MessageId]:
        """Return the messages in which its reply stands, as far as they are noted."""
        return frozenset(self.progress.reply_ids if self.progress else ())

    def beside(self, work: Coroutine[None, None, None]) -> None:
        """Do something beside the turn, which is not settled before."""
        task = asyncio.create_task(work)
        self.notes.add(task)
        task.add_done_callback(self.notes.discard)

    @property
    def silent(self) -> bool:
        """Whether nobody has heard of it yet, so that it may begin anew with other messages."""
        return not (self.visible or self.over)

    def is_about(self, turn: TurnId | None, message: MessageId | None) -> bool:
        """Whether this writes or changes a turn's reply, named by the turn or by its message."""
        again = self.turn.again
        named = turn is not None and turn in (self.turn.id, again and again.turn)
        return named or message in self.standing

    def may_stop(self, person: UserId) -> bool:
        """Whether this person, who is no moderator, may stop it."""
        again = self.turn.again
        return person == self.turn.speaker.id or (again is not None and person == again.requester)


class WatchedSink:
    """A sink that tells the running turn when something became visible."""

    def __init__(self, sink: ReplySink, run: Running, closing: Closing | None = None) -> None:
        """`closing` knows what the program adds under the final text."""
        self._sink = sink
        self._run = run
        self._closing = closing

    def begin(self) -> None:
        self._sink.begin()

    def wait(self, line: str) -> None:
        if not self._run.visible:
            self._sink.wait(line)

    def ready(self) -> bool:
        return self._sink.ready()

    def show(self, text: str) -> None:
        self._run.visible, self._run.shown, self._run.whole = True, text, False
        self._sink.show(text)

    async def finish(self, text: str, controls: Controls | None = None) -> tuple[MessageId, ...]:
        self._run.visible, self._run.shown = True, text
        closing = self._closing if self._run.ending is None and text.strip() else None
        final = await closing.under(text) if closing is not None else text
        ids = await self._sink.finish(code_closed(final), controls)
        self._run.whole = True
        if closing is not None:
            await closing.stands()
        return ids

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        self._run.visible = True
        return await self._sink.notice(text)

    async def withdraw(self) -> None:
        await self._sink.withdraw()
