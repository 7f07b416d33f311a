"""`/route fix`: from a reply that came by the wrong route to a correction that holds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import MessageId, Place, UserId
from bot.chat.preparing.asking import answered, previous_route
from bot.errors import InvalidChoice, NotFound
from bot.ports import Clock, ConversationStore
from bot.routing import Router
from bot.routing.corrections import CONTINUES, TEXT_CHARACTERS, Correction, sketch
from bot.routing.policy import IDLE_SECONDS
from bot.routing.route import Route
from bot.routing.tally import Tally


class CorrectionStore(Protocol):
    """Where corrections are kept. Every method raises `StoreError`."""

    async def keeps_text(self, place: Place) -> bool: ...

    async def correct(self, place: Place, correction: Correction) -> None: ...

    async def forget(self, place: Place, messages: Sequence[MessageId]) -> int: ...


class CorrectionObserver(Protocol):
    """What is told about corrections."""

    def corrected(self, instead_of: str, label: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was corrected, and for which messages that holds."""

    instead_of: Route
    label: Route
    kept_text: bool
    """The message itself is kept, not only its features."""
    continues: bool = False
    """It only continues: what is nearly like it is corrected after a turn like that before it."""
    follows: Route | None = None
    """The route of that turn, if there was one."""


@dataclass(frozen=True, slots=True)
class RouteFixes:
    """Corrects routes of messages that were answered."""

    conversations: ConversationStore
    corrections: CorrectionStore
    router: Router
    observer: CorrectionObserver
    tally: Tally
    clock: Clock

    async def fix(
        self, place: Place, by: UserId, label: Route, message: MessageId | None = None
    ) -> Fixed:
        """Correct the route of a message, or of the one that a reply answers; the last, if None.

        Raises:
            NotFound: there is no such message here.
            InvalidChoice: nothing can be learned from it.
            StoreError: Redis is away.
        """
        conversation = await self.conversations.load(place)
        exchange = await self._exchange(place, conversation, message)
        if exchange is None or exchange.reply is None or not exchange.said:
            raise NotFound("I have no answered message like that here.")
        text = "\n".join(said.text for said in exchange.said if said.text)
        features = sketch(text)
        if not features:
            raise InvalidChoice("That message has no words: there is nothing to learn from it.")
        keeps_text = await self.corrections.keeps_text(place)
        author = exchange.said[0].speaker.id
        before = previous_route(answered(conversation, exchange.turn), author)
        asked_at = exchange.said[0].at
        follows = before.route if before and asked_at - before.at <= IDLE_SECONDS else None
        scores = self.router.scores(text)
        correction = Correction(
            messages=tuple(said.message_id for said in exchange.said),
            author=author,
            by=by,
            label=label,
            instead_of=exchange.reply.route,
            at=self.clock.now(),
            features=features,
            follows=follows,
            continues=scores is not None and scores.continuation > CONTINUES,
            text=text[:TEXT_CHARACTERS] if keeps_text else None,
        )
        await self.corrections.correct(place, correction)
        self.observer.corrected(correction.instead_of.value, label.value)
        self.tally.corrected(place.guild)
        return Fixed(
            correction.instead_of, label, keeps_text, correction.continues, correction.follows
        )

    async def _exchange(
        self, place: Place, conversation: Conversation, message: MessageId | None
    ) -> Exchange | None:
        if message is not None:
            return await self.conversations.find(place, message)
        answered = [each for each in conversation.exchanges if each.reply and each.said]
        return answered[-1] if answered else None
