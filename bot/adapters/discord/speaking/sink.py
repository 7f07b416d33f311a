"""Where one turn's reply becomes visible in Discord."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
import zlib
from collections.abc import Callable, Iterator
from typing import Final

import aiohttp
import discord
import structlog

from bot.adapters.discord.calling.calls import Posted, Webhook
from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.speaking.amending import amend
from bot.adapters.discord.speaking.desk import Desk
from bot.adapters.discord.speaking.rows import fixed_rows, reply_rows, stop_row
from bot.adapters.discord.speaking.signs import Signs
from bot.adapters.discord.speaking.speaking import Speaking
from bot.adapters.discord.speaking.tidying import Tidying
from bot.adapters.discord.speaking.voices import BotVoice, InteractionVoice, Voice
from bot.adapters.discord.speaking.writer import Ours, ReplyWriter
from bot.chat.place import MessageId, Place
from bot.chat.running import Amended
from bot.chat.turn import Turn
from bot.delivery.pacing import Priority
from bot.delivery.split import LIMIT, is_visible
from bot.errors import DeliveryError, PermissionMissing, ThreadClosed
from bot.ports import Controls, Face, Held, Progress
from bot.scheduling.afterwards import afterwards

log = structlog.get_logger(__name__)

FINISH_TIMEOUT: Final = 180.0
"""Seconds to get the final text out, outages of Discord included."""
WAIT_PRESSURE: Final = 0.3
"""Share of the REST budget in use beyond which nobody is told about the wait."""
NOTICE_TIMEOUT: Final = 20.0
"""Seconds for a notice, and for removing a reply."""
TYPING_AFTER: Final = 0.045
"""Seconds; a reply that comes at once needs no typing."""
TYPING_EVERY: Final = 8.0
"""Seconds; Discord shows typing for ten."""
_TYPING_ROUNDS: Final = 25
"""Three minutes: longer than any turn waits for its first token."""


async def _always() -> bool:
    return True


class SinkFactory:
    """Opens the sink of a turn."""

    def __init__(self, desk: Desk, tidying: Tidying | None = None) -> None:
        """`tidying` takes the buttons off earlier replies."""
        self._desk = desk
        self._tidying = tidying
        self._signs = Signs(desk)

    def open(
        self,
        turn: Turn,
        face: Face,
        progress: Progress | None,
        on_progress: Callable[[Progress], None],
        ours: Ours = _always,
    ) -> DiscordSink:
        """Return a sink.

        `progress` is None for a new turn; for one taken up after a restart it is what had been
        noted, and messages that stand there are continued. `on_progress` is told each time
        another message of the reply is visible, and when the final text is. `ours` says whether
        this process may still change it: one that was frozen finds that another one answered.
        """
        return DiscordSink(
            self._desk, turn, face, progress, on_progress, ours, self._signs, self._tidying
        )

    async def amend(self, turn: Turn, face: Face, noted: Progress, amended: Amended) -> bool:
        """Change what an earlier process left of a reply; False where nothing stands.

        Raises:
            DeliveryError: it could not be changed.
        """
        return await amend(self._desk, turn, face, noted, amended)


class DiscordSink:
    """A `ReplySink` in a Discord channel."""

    def __init__(
        self,
        desk: Desk,
        turn: Turn,
        face: Face,
        progress: Progress | None,
        on_progress: Callable[[Progress], None],
        ours: Ours,
        signs: Signs,
        tidying: Tidying | None = None,
    ) -> None:
        self._desk = desk
        self._turn = turn
        self._signs = signs
        self._tidying = tidying
        self._speaking = Speaking(desk, turn, face, progress)
        rows = stop_row(turn.id)
        self._writer = ReplyWriter(desk, turn, self._speaking, self._told, rows, ours)
        self._on_progress = on_progress
        self._waiting = False
        """What stands there only says why the reply takes a while."""
        self._preparing: asyncio.TimerHandle | None = None
        self._typing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Show typing soon, and find out meanwhile under which name the reply will appear.

        Raises:
            PermissionMissing: we may not speak there.
        """
        anew = self._turn.again is None and not self._speaking.resumed
        if anew and self._turn.answering is None:
            self._desk.check(self._turn.place)
        if self._preparing is None:
            self._preparing = afterwards(self._prepare)

    def _prepare(self) -> None:
        self._speaking.start()
        if self._turn.answering is None:
            typing = _type(self._desk, weakref.ref(self), self._speaking)
            self._typing = self._desk.own(typing, "typing")

    def wait(self, line: str) -> None:
        """Say why the reply takes a while, until its first text. Never waits."""
        if self._turn.again is not None:
            return  # another text stands there, and stays until there is a new one
        if self._desk.throttle.pressure() > WAIT_PRESSURE:
            return  # the calls are needed for answers
        if self._waiting or not self._writer.text:
            self._waiting = True
            self._writer.want(line)

    def ready(self) -> bool:
        """Whether a longer text would be seen about now: not while edits keep their distance."""
        return self._waiting or self._writer.ready()

    def show(self, text: str) -> None:
        """Show the whole text so far; the latest text wins. Never waits.

        Raises:
            DeliveryError: nobody will ever see it.
        """
        if self._writer.refused is not None:
            raise self._writer.refused
        self._begins()
        self._writer.want(text)

    async def finish(self, text: str, controls: Controls | None = None) -> tuple[MessageId, ...]:
        """Show the final text, wait until it stands there, and return its messages' ids.

        `controls`: what is offered under the last of them.
        An empty text leaves what is visible as it is.

        Raises:
            DeliveryError: it could not be shown.
        """
        self._begins()
        try:
            final = text if is_visible(text) else self._writer.text
            rows = reply_rows(controls)
            # A later press brings a token for its own message alone, not for those before it.
            if_split = fixed_rows(controls) if self._turn.by_token else None
            await self._writer.settle(final, FINISH_TIMEOUT, rows, if_split)
        finally:
            self._leave()
        self._writer.tell(final=True)
        ids = self._writer.ids
        if self._tidying is not None and ids and not self._turn.by_token:
            turn = self._turn.again.turn if self._turn.again else self._turn.id
            # Ideas can be picked for as long as they stand there.
            passing = controls is not None and not controls.ideas
            held = Held(turn, ids[-1] if passing else None, self._writer.webhook)
            self._desk.own(self._tidying.replaced(self._turn.place, held), "tidy")
        return ids

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        """Say one short line in the bot's own voice, after whatever is visible.

        Raises:
            DeliveryError: it could not be said. Who asked us directly gets a sign if a permission
                is missing for it, or the thread is closed.
        """
        if self._waiting:
            await self._writer.erase(NOTICE_TIMEOUT)
        elif self._writer.text:
            with contextlib.suppress(DeliveryError):  # the notice may still get through
                await self._writer.settle(self._writer.text, NOTICE_TIMEOUT, [])
        self._leave()
        with self._giving_a_sign():
            return (MessageId((await self._noticed(text)).id),)

    async def _noticed(self, text: str) -> Posted:
        place, answering = self._turn.place, self._turn.answering
        voice: Voice
        if answering is not None:
            hook = Webhook(answering.application, answering.token)
            voice = InteractionVoice(self._desk.calls, hook, hidden=answering.hidden)
        else:
            self._desk.check(place)
            # By its words, so that saying another line later is not taken for saying it twice.
            seed = f"n{zlib.crc32(text.encode()) & 0xFFFF:04x}"
            voice = BotVoice(self._desk.calls, self._turn, seed=seed)
        try:
            async with asyncio.timeout(NOTICE_TIMEOUT):
                return await self._say(voice, text)
        except FAILED as error:
            raise self._desk.refused(error, place) from error

    async def _say(self, voice: Voice, text: str) -> Posted:
        ticket = self._desk.throttle.ask(voice.send_route(), Priority.FINAL)
        if not await self._desk.throttle.granted(ticket):
            raise DeliveryError("the notice was given up")
        try:
            return await voice.send(0, text[:LIMIT], [], ticket)
        except FAILED as error:
            own = self._speaking.without_token(voice, error)
            if own is None:
                raise
            return await self._say(own, text)

    async def withdraw(self) -> None:
        """Remove what is visible: the question is gone."""
        await self._writer.erase(NOTICE_TIMEOUT)
        self._leave()

    @contextlib.contextmanager
    def _giving_a_sign(self) -> Iterator[None]:
        """Let who asked know when nothing can be said there."""
        try:
            yield
        except (PermissionMissing, ThreadClosed) as error:
            self._signs.silenced(self._turn, error)
            raise

    def _told(self, progress: Progress) -> None:
        """Pass on what of the reply is visible. A line about the wait is nothing of it: after a
        crash it is found as a message that answers the question, and written over."""
        if not self._waiting:
            self._on_progress(progress)

    def _begins(self) -> None:
        """The reply's own text comes now."""
        if self._waiting:
            self._waiting = False
            if self._writer.ids:
                self._writer.tell(final=False)

    def _leave(self) -> None:
        """The reply is over: no typing."""
        if self._preparing is not None:
            self._preparing.cancel()
        if self._typing is not None:
            self._typing.cancel()

    @property
    def place(self) -> Place:
        return self._turn.place

    @property
    def is_visible(self) -> bool:
        """Whether any of the reply can be seen."""
        return bool(self._writer.ids)


async def _type(desk: Desk, sink_of: weakref.ref[DiscordSink], speaking: Speaking) -> None:
    """Show typing until the first text is visible, as far as there is room for it.

    What the text itself needs, its webhook, is found first. Holds no sink: one that is dropped,
    with its turn, must not be typing on.
    """
    await asyncio.sleep(TYPING_AFTER)
    await speaking.settled()
    for _ in range(_TYPING_ROUNDS):
        sink = sink_of()
        if sink is None or sink.is_visible or desk.missing(sink.place) is not None:
            return
        channel = sink.place.channel
        del sink
        try:
            await desk.calls.typing(channel)
        except (discord.HTTPException, discord.RateLimited) as error:
            # A reply may still get through; its own failure says what is missing.
            log.info("typing failed", reason=type(error).__name__)
            return
        except (aiohttp.ClientError, OSError) as error:
            log.info("typing failed", reason=type(error).__name__)
        await asyncio.sleep(TYPING_EVERY)
