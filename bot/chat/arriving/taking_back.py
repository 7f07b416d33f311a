"""What is done when people rewrite, hide or take back what they said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

import structlog

from bot.chat.arriving.delayed import Delayed
from bot.chat.arriving.left_over import asked_anew, left_of
from bot.chat.arriving.running_turns import RunningTurns
from bot.chat.arriving.triggers import HIDDEN_PREFIX
from bot.chat.arriving.unsaying import Unsaying
from bot.chat.place import MessageId, Place, UserId
from bot.chat.running import Ending, Running
from bot.chat.turn import Message, Trigger, Turn
from bot.errors import StoreError
from bot.ports import ConversationStore, Outcome
from bot.recent import Recent

log = structlog.get_logger(__name__)

GONE_KEPT: Final = 1000
"""Ids of deleted messages that are remembered: a message may be deleted while it is taken in."""
REWORDED_KEPT: Final = 200
"""New texts of messages that are remembered: so may it be rewritten then."""


class TakesBack(Protocol):
    """Does what the events of edits and deletions ask for; `bot.chat.intake.Intake` fulfils it."""

    async def edited(self, place: Place, message: MessageId, text: str) -> None:
        """Rewrite what was said; an empty text takes it back."""
        ...

    async def deleted(self, place: Place, messages: Sequence[MessageId]) -> None:
        """Remove what was said, and stop the turns whose question or reply is gone."""
        ...


class TakingBack:
    """Edits and deletions, in what runs, in what waits and in what is stored."""

    def __init__(
        self,
        turns: RunningTurns,
        unsaying: Unsaying,
        conversations: ConversationStore,
        delayed: Delayed,
        is_arriving: Callable[[Place], bool],
        settle: Callable[[tuple[MessageId, ...], Outcome], Awaitable[None]],
    ) -> None:
        """`is_arriving` says whether a message of a place is being written down; `settle` ends
        those that are asked no more."""
        self._turns = turns
        self._unsaying = unsaying
        self._conversations = conversations
        self._delayed = delayed
        self._is_arriving = is_arriving
        self._settle = settle
        self.gone: Recent[MessageId, None] = Recent(GONE_KEPT)
        """What was deleted of late."""
        self._reworded = Recent[MessageId, str](REWORDED_KEPT)

    async def edited(self, place: Place, message: MessageId, text: str) -> None:
        """Rewrite what was said. Never answers anew what has an answer that somebody may see.

        An empty text: what was said there is taken back, and nothing is left that we may read.
        """
        if not text or text.startswith(HIDDEN_PREFIX):
            if text or await self._knows(place, message):
                await self.deleted(place, (message,))
            return
        self._reworded[message] = text
        for run in [r for r in self._turns if r.silent and r.ending is None]:
            turn = asked_anew(run.turn, message, text)
            if turn != run.turn:
                self._turns.supersede(run, turn, quiet=run.quiet)
        await self._unsaying.rewrite(place, message, text)

    def as_it_is_now(self, message: Message, trigger: Trigger) -> Message:
        """Return a message that was taken in, in the words that its person gave it meanwhile."""
        text = self._reworded.get(message.id)
        if text is None:
            return message
        return asked_anew(Turn((message,), trigger), message.id, text).messages[0]

    async def deleted(self, place: Place, messages: Sequence[MessageId]) -> None:
        """Remove what was said, and stop the turns whose question or reply is gone."""
        self.gone.update(dict.fromkeys(messages))
        gone = set(messages)
        taken = set(gone)
        left_out: list[MessageId] = []
        self._delayed.deleted(gone)
        for run in [r for r in self._turns if gone & r.standing]:
            if run.turn.again is None and not run.over:
                # Its whole text may be stored already, and not yet where it stands.
                taken.update(run.turn.message_ids)
            self._turns.stop(run, Ending.DELETED)
        for run in [r for r in self._turns if gone & r.concerns]:
            rest = left_of(run.turn, gone)
            if not rest:
                self._turns.stop(run, Ending.DELETED)
            elif run.silent and run.ending is None:
                self._turns.supersede(run, replace(run.turn, messages=rest), quiet=run.quiet)
                left_out += (m.id for m in run.turn.messages if m not in rest)
        try:
            await self._unsaying.remove(place, taken)
        finally:
            if left_out:
                await self._settle(tuple(left_out), Outcome.CANCELLED)

    async def hidden(
        self, place: Place, message: MessageId, by: UserId, author: UserId | None = None
    ) -> None:
        """A person hides a message from us. Anybody else's stays as it is."""
        if author is None:
            author = await self._author(place, message)
        if author == by:
            await self.deleted(place, (message,))

    def shows(self, run: Running) -> None:
        """Take a reply back that was removed before we were told that it was posted."""
        if gone := [each for each in run.standing if each in self.gone]:
            run.beside(self._removed(run.turn.place, gone))

    async def _removed(self, place: Place, messages: Sequence[MessageId]) -> None:
        try:
            await self.deleted(place, messages)
        except StoreError as error:
            log.warning("removal not recorded yet", reason=str(error))

    async def _knows(self, place: Place, message: MessageId) -> bool:
        """Whether we have the words of a person's message, or are about to."""
        if self._is_arriving(place):
            return True
        told = any(m.spoken_in == message for run in self._turns for m in run.turn.messages)
        return told or await self._unsaying.holds(place, message)

    async def _author(self, place: Place, message: MessageId) -> UserId | None:
        """Return who said a message, as far as we were told."""
        told = (m for run in self._turns for m in run.turn.messages if m.id == message)
        said = next(told, None)
        if said is not None and said.cue is None:
            return said.speaker.id
        exchange = await self._conversations.find(place, message)
        kept = exchange.said if exchange else ()
        return next((each.speaker.id for each in kept if each.message_id == message), None)
