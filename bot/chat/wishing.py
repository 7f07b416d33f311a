"""Wishes about replies: who may have them, and from a press to a journalled wish."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.chat.arriving.ending import AT_MOST, LOOK_EVERY
from bot.chat.conversation import Conversation, Exchange, Variant
from bot.chat.intake import Intake
from bot.chat.place import MessageId, Place
from bot.chat.running import Tell
from bot.chat.turn import Again, Answering, Message, Speaker, TurnId, Wish
from bot.chat.wishes.claims import Claim, ReplyClaims
from bot.chat.wishes.variants import asked_above, asker_of, changed_said, controls_of, is_latest
from bot.errors import Busy, InvalidChoice, NotAllowed, NotFound
from bot.ports import Clock, Controls, ConversationStore


@dataclass(frozen=True, slots=True)
class Standing:
    """A reply as it stands, and who had asked for it."""

    conversation: Conversation
    exchange: Exchange
    asker: Speaker | None

    @property
    def turn(self) -> TurnId:
        return self.exchange.turn

    @property
    def written(self) -> tuple[MessageId, ...]:
        """Return the messages of the channel that hold the question."""
        return tuple(said.message_id for said in self.exchange.said if not said.by_command)

    @property
    def about(self) -> MessageId | None:
        """Return the message of the channel that was asked about by command, if one was."""
        return self.exchange.said[-1].about if self.exchange.said else None

    @property
    def reply(self) -> Variant:
        """Return the variant that is shown."""
        return self.exchange.variants[self.exchange.chosen]

    @property
    def controls(self) -> Controls | None:
        """Return what is offered under it; nothing once the conversation has gone on."""
        if not is_latest(self.conversation, self.turn):
            return None
        return controls_of(self.exchange)

    def check_right(self, person: Speaker, *, moderator: bool) -> None:
        """Make sure that a person may change the reply.

        Raises:
            NotAllowed: it is somebody else's.
        """
        theirs = self.asker is not None and self.asker.id == person.id
        if not (theirs or moderator or self.conversation.place.is_dm):
            raise NotAllowed(
                "Only who asked for this reply, or a moderator with the permission Manage "
                "Messages, can do that."
            )


@dataclass(frozen=True, slots=True)
class Press:
    """What a person wants of a reply. `id` is the interaction's."""

    id: MessageId
    wish: Wish
    person: Speaker
    moderator: bool
    seen: int | None = None
    """What its button counted: characters for `CONTINUE`, else variants."""
    index: int = 0
    webhook: int | None = None
    small_print: str = ""
    text: str = ""
    roles: tuple[int, ...] = ()
    """Ids of the roles of the person."""
    answer: bool = False
    """The reply is the answer to a command, and says above what was asked."""
    answering: Answering | None = None
    """The press itself, where the reply can be changed by nothing else."""

    def is_current(self, standing: Standing) -> bool:
        """Whether the reply is as it was when the button was made."""
        if self.seen is None:
            return True
        if self.wish.writes_another:
            return self.seen == len(standing.exchange.variants)
        return self.seen == len(standing.reply.text)


@dataclass(frozen=True, slots=True)
class Found:
    """What is left of a question in its channel: its messages, and those that are gone."""

    messages: tuple[Message, ...] = ()
    gone: tuple[MessageId, ...] = ()


class Wishes:
    """Takes wishes about replies. One object for the process."""

    def __init__(
        self,
        conversations: ConversationStore,
        claims: ReplyClaims,
        intake: Intake,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._claims = claims
        self._intake = intake
        self._clock = clock

    async def standing(
        self, place: Place, *, turn: TurnId | None = None, message: MessageId | None = None
    ) -> Standing:
        """Return a reply, by its turn or by one of its messages; all of it, where both are given.

        Raises:
            NotFound: there is no such reply here.
            Busy: it is being written still.
        """
        found, over = await self._standing(place, turn, message), True
        ids = found.reply.message_ids if found is not None else ()
        if not ids or (message is not None and message not in ids):
            # Pressed so soon that its turn has not written down yet where it stands.
            over = await self._intake.ended(turn, message)
            found = await self._standing(place, turn, message)
        if found is None:
            raise _gone() if over else _unfinished()
        return found

    async def _standing(
        self, place: Place, turn: TurnId | None, message: MessageId | None
    ) -> Standing | None:
        conversation = await self._conversations.load(place)
        for exchange in reversed(conversation.exchanges):
            reply = exchange.reply
            if reply is not None and (exchange.turn == turn or message in reply.message_ids):
                return Standing(conversation, exchange, asker_of(conversation, exchange.turn))
        return None

    async def claim(self, place: Place, turn: TurnId, press: Press) -> tuple[Claim, Standing]:
        """Check a wish, and let it be the only one about a turn's reply.

        `TAKEN`: another one is being fulfilled, or its button was outdated, as that of the second
        of two clicks is.

        Raises:
            NotFound, NotAllowed, InvalidChoice: it can't be fulfilled.
            Busy: the reply is being written still.
            StoreError: the store is away.
        """
        until = self._clock.monotonic() + AT_MOST
        while True:
            standing = await self._checked(place, turn, press)
            claim = await self._claimed(place, standing, press)
            taken = claim is Claim.TAKEN and press.is_current(standing)
            if not taken or self._clock.monotonic() >= until:
                return claim, standing
            # The one before stands there already, and is only not over yet: here, or elsewhere.
            await self._intake.ended(turn)
            await asyncio.sleep(LOOK_EVERY)

    async def _checked(self, place: Place, turn: TurnId, press: Press) -> Standing:
        standing = await self._standing(place, turn, None)
        if standing is None:
            raise _gone()
        if not standing.reply.message_ids:
            raise _unfinished()  # nobody knows yet what is to be changed
        standing.check_right(press.person, moderator=press.moderator)
        if not press.wish.points:
            await self._intake.admits(place, press.person.id, press.roles)
        controls = standing.controls
        if press.wish is not Wish.EDIT and controls is None:
            raise InvalidChoice("The conversation has gone on, so this reply stays as it is.")
        if press.wish.writes_another and controls is not None and not controls.repeatable:
            raise InvalidChoice(
                "What you asked came with a file or a quote that I don't keep. Ask again, please."
            )
        return standing

    async def _claimed(self, place: Place, standing: Standing, press: Press) -> Claim:
        if not press.is_current(standing):
            return Claim.TAKEN
        return await self._claims.claim(place, standing.turn, press.id)

    async def let_go(self, place: Place, standing: Standing, press: Press) -> None:
        """Give a claim back: the wish was not begun."""
        await self._claims.release(place, standing.turn, press.id)

    async def begin(
        self, place: Place, standing: Standing, press: Press, found: Found, tell: Tell
    ) -> bool:
        """Journal a claimed wish, and begin with it. False when its question is gone.

        Raises:
            Busy: the bot is about to restart.
            StoreError: the store is away.
        """
        if found.gone:
            await self._intake.deleted(place, found.gone)
        asked = [said.about or said.message_id for said in standing.exchange.said]
        if asked and set(asked) <= set(found.gone):
            return False
        texts = {message.id: message.text for message in found.messages}
        for message, text in changed_said(standing.exchange, texts).items():
            await self._intake.edited(place, message, text)
        return await self._intake.again(self._message(place, standing, press, found), tell)

    def _message(self, place: Place, standing: Standing, press: Press, found: Found) -> Message:
        exchange = standing.exchange
        reply = standing.reply
        again = Again(
            press.wish,
            exchange.turn,
            requester=standing.asker.id if standing.asker else press.person.id,
            question=tuple(said.message_id for said in exchange.said),
            reply=reply.message_ids,
            webhook=press.webhook,
            variants=len(exchange.variants),
            size=len(reply.text),
            index=press.index,
            small_print=press.small_print,
            asked=asked_above(exchange) if press.answer else "",
        )
        made = Message(
            press.id,
            place,
            press.person,
            press.text,
            self._clock.now(),
            again=again,
            roles=press.roles,
            answering=press.answering,
        )
        return _with_files(made, found.messages)


def _gone() -> NotFound:
    return NotFound("That reply is no longer part of the conversation.")


def _unfinished() -> Busy:
    return Busy("That reply is only just being finished. Please press again in a moment.")


def _with_files(made: Message, asked: Sequence[Message]) -> Message:
    """Return a wish that brings what a question came with, and the store does not keep."""
    if not asked:
        return made
    return replace(
        made,
        attachments=tuple(file for each in asked for file in each.attachments),
        unread_attachments=tuple(name for each in asked for name in each.unread_attachments),
        replies_to=asked[-1].replies_to,
    )
