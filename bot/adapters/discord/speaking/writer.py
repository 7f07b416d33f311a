"""Brings the messages of one reply in line with its text, one call at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import discord
import structlog
from discord.http import Route

from bot.adapters.discord.calling.calls import Posted
from bot.adapters.discord.calling.pacing import bucket_of
from bot.adapters.discord.calling.refusals import ARCHIVED, FAILED, UNCERTAIN, delivery_error
from bot.adapters.discord.speaking.desk import Desk
from bot.adapters.discord.speaking.rows import Rows, ids_in
from bot.adapters.discord.speaking.speaking import Speaking
from bot.adapters.discord.speaking.voices import Voice
from bot.chat.place import MessageId
from bot.chat.turn import Turn
from bot.delivery.pacing import EDIT_SPACING, Priority, Ticket
from bot.delivery.split import LIMIT, rest_after, split, units
from bot.errors import (
    DeliveryDelayed,
    DeliveryError,
    PermissionMissing,
    TargetGone,
    ThreadClosed,
)
from bot.ports import Progress

log = structlog.get_logger(__name__)

_AHEAD: Final = 0.1
"""Seconds before the next edit at which its text may be made up."""
_BACK_OFF: Final = 0.5
"""Seconds after the first failure, twice that after the second, and so on."""
_LONGEST_BACK_OFF: Final = 5.0
_FOR_GOOD: Final = (PermissionMissing, TargetGone, ThreadClosed)
"""What no further try would change."""
_TRIES: Final = 3
"""Changes in a row that may fail for a passing reason before the writer stops; the end of
a reply that was begun has more of them while Discord is away."""


@dataclass(slots=True)
class _Shown:
    """A message of the reply, and the text that stands in it; None when nobody knows."""

    id: int
    text: str | None
    rows: Rows | None = None
    """The buttons under it; None when nobody knows."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What brings the visible nearer to the text: a new message, an edit or a removal."""

    index: int
    text: str | None
    message: int | None
    rows: Rows = field(default_factory=list)


Ours = Callable[[], Awaitable[bool]]


class ReplyWriter:
    """Latest text wins; never two calls at once.

    Its task lives only while the visible differs from the text, so a writer that is dropped
    leaves nothing behind.
    """

    def __init__(
        self,
        desk: Desk,
        turn: Turn,
        speaking: Speaking,
        on_progress: Callable[[Progress], None],
        rows: Rows,
        ours: Ours,
    ) -> None:
        """`rows` stand under the last message while the reply is written; `ours` says before each
        change whether the turn is ours still."""
        self._desk = desk
        self._turn = turn
        self._speaking = speaking
        self._on_progress = on_progress
        self._text = ""
        self._rows = self._rows_if_split = rows
        self._ours = ours
        self._split: tuple[str, str, list[str]] = ("", "", [])
        self._voice: Voice | None = None
        self._shown: list[_Shown] = []
        self._behind: list[list[str]] = []
        """What stands in messages of webhooks that were removed: nobody can change it."""
        self._behind_ids: tuple[MessageId, ...] = ()
        self._task: asyncio.Task[None] | None = None
        self._ticket: Ticket | None = None
        self._hurry = asyncio.Event()
        self._last_change = float("-inf")
        self._changing = False
        self._failures = 0
        self._reopened = False
        self.erased = False
        self.error: DeliveryError | None = None
        """Why the writer stopped before the text stood there."""

    @property
    def ids(self) -> tuple[MessageId, ...]:
        """Return the messages that the reply can be changed in, or those that it stands in."""
        return tuple(MessageId(each.id) for each in self._shown) or self._behind_ids

    @property
    def text(self) -> str:
        return self._text

    @property
    def webhook(self) -> int | None:
        """Return the webhook that speaks, if one does."""
        return None if self._voice is None else self._voice.webhook

    @property
    def refused(self) -> DeliveryError | None:
        """Return why no text will stand there any more, where that is so."""
        return self.error if isinstance(self.error, _FOR_GOOD) else None

    def ready(self) -> bool:
        """Whether a longer text would stand there soon: always while none does."""
        if not self._shown:
            return not self._changing
        return not self._changing and self._wait() <= _AHEAD

    def want(self, text: str) -> None:
        """Take a new text; never waits."""
        if self.erased or self.error is not None:
            return
        self._text = text
        if self._task is None or self._task.done():
            self._task = self._desk.own(self._write(), "write")

    async def settle(
        self, text: str, timeout: float, rows: Rows, if_split: Rows | None = None
    ) -> None:
        """Wait until `text` stands there with `rows` under it, ahead of what is in between.

        `if_split` stands under it instead where it takes more than one message.

        Raises:
            DeliveryError: it can't be shown, or not within `timeout` seconds.
        """
        if self.refused is None:
            self.error, self._failures = None, 0
        self._rows = rows
        self._rows_if_split = rows if if_split is None else if_split
        self._hurry.set()
        if self._ticket is not None:
            self._desk.throttle.promote(self._ticket, Priority.FINAL)
        self.want(text)
        await self._ended(timeout)
        self._hurry.clear()
        if self.error is not None:
            raise self.error

    async def erase(self, timeout: float) -> None:
        """Remove every message. A call that is under way is waited for, then undone."""
        self.erased = True
        self._hurry.set()
        if self._ticket is not None:
            self._desk.throttle.give_up(self._ticket)
        await self._ended(timeout)
        if self._voice is None and self._speaking.resumed:
            with contextlib.suppress(DeliveryError):  # who wrote it is gone, and so is the right
                self._voice, standing = await self._speaking.found()
                self._shown = [_Shown(message, None) for message in standing]
        for shown in tuple(self._shown) if self._voice is not None else ():
            await self._remove(shown.id)
        self._shown.clear()

    def tell(self, *, final: bool) -> None:
        """Report what of the reply is visible."""
        self._on_progress(Progress(self.ids, self.webhook, final))

    # ── the task ────────────────────────────────────────────────────────────────────────────

    async def _ended(self, timeout: float) -> None:
        """Wait for the task. Whoever waits may be cancelled; the call under way goes on."""
        task = self._task
        if task is None or task.done():
            return
        await asyncio.wait((task,), timeout=timeout)
        if not task.done():
            task.cancel()
            self.error = DeliveryDelayed(f"Discord did not take the reply within {timeout:.0f} s")

    async def _write(self) -> None:
        try:
            if self._voice is None:
                self._voice, standing = await self._speaking.found()
                self._shown = [_Shown(message, None) for message in standing]
            while not self.erased and (change := self._next(self._voice)) is not None:
                if self._turn.answering is None and change.message is None:
                    self._desk.check(self._turn.place)  # what stands there may be finished
                ticket = await self._turn_of(self._voice, change)
                if ticket is not None:
                    await self._change(self._voice, ticket)
        except DeliveryError as error:
            self.error = error

    def _next(self, voice: Voice) -> _Change | None:
        """Return what to do next; None when all is in line."""
        texts = self._texts(voice)
        last = self._rows if len(texts) == 1 else self._rows_if_split
        for index, text in enumerate(texts):
            rows = last if index == len(texts) - 1 else []
            if index >= len(self._shown):
                return _Change(index, text, None, rows)
            shown = self._shown[index]
            if shown.text != text or shown.rows != rows:
                return _Change(index, text, shown.id, rows)
        if texts and len(self._shown) > len(texts) and self._hurry.is_set():
            return _Change(len(texts), None, self._shown[len(texts)].id)
        return None

    def _texts(self, voice: Voice) -> list[str]:
        """Return the messages that the text makes, split once for each text."""
        text, header, texts = self._split
        if text != self._text or header != voice.header:
            left = self._text
            for standing in self._behind:
                left = rest_after(left, standing)
            parts = split(left, first=LIMIT - units(voice.header))
            texts = [part.text for part in parts]
            if texts:
                texts[0] = voice.header + texts[0]
            self._split = (self._text, voice.header, texts)
        return texts

    async def _turn_of(self, voice: Voice, change: _Change) -> Ticket | None:
        """Wait for this change's turn; None when something else has to be done by then."""
        first = change.index == 0 and change.message is None
        if not first:
            await self._space_out()
            if self.erased or self._next(voice) is None:
                return None
        if self._hurry.is_set():
            priority = Priority.FINAL
        else:
            priority = Priority.FIRST if first else Priority.EDIT
        throttle = self._desk.throttle
        self._ticket = throttle.ask(_route(voice, change), priority)
        try:
            return self._ticket if await throttle.granted(self._ticket) else None
        finally:
            self._ticket = None

    async def _space_out(self) -> None:
        """Let the reply's edits keep their distance; its end need not wait."""
        pause = self._pause()
        if pause > 0 and not self._hurry.is_set():
            try:
                async with asyncio.timeout(pause):
                    await self._hurry.wait()
            except TimeoutError:
                pass  # the usual way: nobody was in a hurry

    def _pause(self) -> float:
        """Return the seconds until the reply's next edit may be asked for."""
        return self._last_change + EDIT_SPACING - asyncio.get_running_loop().time()

    def _wait(self) -> float:
        """Return the seconds until the next edit comes, at the least."""
        ticket = self._ticket
        return self._pause() if ticket is None else self._desk.throttle.wait(ticket)

    async def _change(self, voice: Voice, ticket: Ticket) -> None:
        """Make the change that is due now: the text may have grown while we waited."""
        change = self._next(voice)
        if change is None or self.erased or ticket.key != bucket_of(_route(voice, change)):
            self._desk.throttle.give_up(ticket)
            return
        if not await self._ours():
            self._desk.throttle.give_up(ticket)
            raise DeliveryError("another process answers this now")
        self._changing = True
        self._last_change = asyncio.get_running_loop().time()
        try:
            await self._perform(voice, change, ticket)
            self._failures = 0
        except FAILED as error:
            await self._failed(error, voice, change)
        finally:
            self._changing = False

    async def _perform(self, voice: Voice, change: _Change, ticket: Ticket) -> None:
        if change.text is None or change.message is None:
            if change.text is None:
                self._desk.throttle.give_up(ticket)
                surplus = self._shown.pop()
                self.tell(final=False)  # before Discord says so: it is not the reply that is gone
                await self._remove(surplus.id)
            else:
                posted = await self._posted(voice, change.index, change.text, change.rows, ticket)
                standing = _standing(posted, change.text)
                rows = change.rows if posted.buttons == ids_in(change.rows) else None
                self._shown.append(_Shown(posted.id, standing, rows))
                self.tell(final=False)
            return
        await voice.edit(change.message, change.text, change.rows, ticket)
        shown = self._shown[change.index]
        shown.text, shown.rows = change.text, change.rows

    async def _posted(
        self, voice: Voice, index: int, text: str, rows: Rows, ticket: Ticket
    ) -> Posted:
        """Post a part, unless it stands there since before a crash."""
        found = await self._speaking.posted_before(voice, index, text)
        if found is None or found.id in [shown.id for shown in self._shown]:
            return await voice.send(index, text, rows, ticket)
        self._desk.throttle.give_up(ticket)
        return found

    async def _failed(self, error: Exception, voice: Voice, change: _Change) -> None:
        """Go on another way, or later, or raise what the turn will be told."""
        if (own := self._speaking.without_token(voice, error)) is not None:
            self._voice = own
            return
        if await self._reopens(error):
            return
        standing = [shown.text for shown in self._shown if shown.text is not None]
        if len(standing) == len(self._shown):
            other = await self._speaking.instead(voice, error, begun=bool(standing))
            if other is not None:
                self._leave_behind(standing)
                self._voice = other
                return
        # A change that is refused says nothing of what else we may do there.
        new = change.message is None
        known = self._desk.refused(error, self._turn.place) if new else delivery_error(error)
        self._failures += 1
        # What was begun is ended, for as long as its turn waits: else the beginning stays alone.
        ending = bool(self._shown) and self._hurry.is_set() and isinstance(error, UNCERTAIN)
        over = self._failures >= _TRIES and not ending
        if over or isinstance(known, _FOR_GOOD):
            raise known from error
        log.info("delivery retried", reason=str(known), part=change.index)
        await asyncio.sleep(min(_BACK_OFF * self._failures, _LONGEST_BACK_OFF))

    async def _reopens(self, error: Exception) -> bool:
        """Open a thread that was archived midway, once: whoever writes there opens it, too."""
        archived = isinstance(error, discord.HTTPException) and error.code == ARCHIVED
        if not archived or self._reopened:
            return False
        self._reopened = True
        try:
            await self._desk.calls.reopen_thread(self._turn.place.channel)
        except discord.Forbidden as refusal:
            raise ThreadClosed("the thread is archived and locked") from refusal
        except FAILED:
            return False
        log.info("archived thread reopened", channel=self._turn.place.channel)
        return True

    def _leave_behind(self, standing: list[str]) -> None:
        """Go on after messages that only a webhook could change which is gone."""
        if standing:
            log.info("reply goes on in another message", parts=len(standing))
            self._behind.append(standing)
            self._split = ("", "", [])
            self._behind_ids = self.ids
            self._shown = []

    async def _remove(self, message: int) -> None:
        """Delete one of our messages; that it is gone already is fine."""
        if self._voice is None:
            return
        try:
            await self._voice.delete(message)
        except discord.NotFound:
            pass
        except FAILED as error:
            reason = str(self._desk.refused(error, self._turn.place))
            log.warning("reply not removed", reason=reason)


def _route(voice: Voice, change: _Change) -> Route:
    return voice.send_route() if change.message is None else voice.edit_route(change.message)


def _standing(posted: Posted, text: str) -> str:
    """Return what stands in a new message: an older text, if its nonce had been used before."""
    return text if posted.content.strip() == text.strip() else posted.content
