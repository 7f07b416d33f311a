"""Which replies a person likes better: pairs, drawn from what they do with our replies.

Only who wrote the question counts, one pair a turn, and a fact is no matter of taste. A thumb alone
is no pair: it says nothing about what would have been better.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

import structlog

from bot.chat.conversation import Exchange, Variant
from bot.chat.place import MessageId, Place, UserId
from bot.chat.turn import TurnId
from bot.errors import TroupeError
from bot.memory.item import Item, Kind
from bot.memory.learning import IDLE
from bot.memory.observer import Observer
from bot.memory.sensitive import sensitive_class
from bot.memory.shelf import Shelf
from bot.memory.sources import Sources
from bot.memory.store import Changes, MemoryStore, Put
from bot.memory.style import Signal, Taste, taste_item
from bot.memory.stylist import WANTED
from bot.ports import Clock
from bot.recent import Recent
from bot.routing.route import Route

COMPARE: Final = "compare"
"""The person's value that says they want to choose between two replies now and then."""
ONE_IN: Final = 12
"""Of how many replies one comes with the offer of another to compare it with."""
REGRET: Final = 300.0
"""Seconds after a thumb down within which another reply counts as the better one."""
THUMBS: Final = 1_000

log = structlog.get_logger(__name__)


class Preferences:
    """What the reply controls tell. Each method returns whether a pair was kept; none raises."""

    def __init__(
        self, store: MemoryStore, clock: Clock, observer: Observer, sources: Sources
    ) -> None:
        self._sources = sources
        self._store = store
        self._clock = clock
        self._observer = observer
        self._disliked = Recent[tuple[UserId, Place, str], tuple[float, Variant]](THUMBS)

    async def compares(self, person: UserId, turn: TurnId, route: Route) -> bool:
        """Whether to offer another reply to compare this one with: rarely, and to who wants it."""
        if route is Route.FACTUAL or crc32(turn.encode()) % ONE_IN:
            return False
        try:
            shelf = await self._store.load(person)
        except TroupeError as error:
            log.info("no comparison offered", kind=type(error).__name__)
            return False
        if shelf is None or shelf.paused:
            return False
        return all(shelf.values.get(each) == "1" for each in (WANTED, COMPARE))

    async def voted(self, person: UserId, place: Place, exchange: Exchange, *, up: bool) -> bool:
        """Take a thumb for the reply that is shown."""
        if exchange.reply is None:
            return False
        if up:
            return await self._chose(person, place, exchange, Signal.PRAISED)
        self._disliked[person, place, exchange.turn] = (self._clock.now(), exchange.reply)
        return False

    async def regenerated(self, person: UserId, place: Place, exchange: Exchange) -> bool:
        """A new reply stands there, the newest of `exchange`. After a thumb down it is better."""
        at, old = self._disliked.pop((person, place, exchange.turn), (0.0, None))
        new = exchange.reply
        if old is None or new is None or self._clock.now() - at > REGRET:
            return False
        return await self.picked(person, place, exchange, new, old, how=Signal.PRAISED)

    async def kept(self, person: UserId, place: Place, exchange: Exchange) -> bool:
        """The person goes on with the one of several replies that is shown."""
        return await self._chose(person, place, exchange, Signal.KEPT)

    async def corrected(self, person: UserId, place: Place, exchange: Exchange, text: str) -> bool:
        """The person rewrote the reply. `exchange` is as it was before."""
        if exchange.reply is None:
            return False
        ids = exchange.reply.message_ids
        return await self._prefer(
            person, place, exchange, (text, exchange.reply.text), ids, Signal.CORRECTED
        )

    async def picked(
        self,
        person: UserId,
        place: Place,
        exchange: Exchange,
        chosen: Variant,
        rejected: Variant,
        *,
        how: Signal = Signal.PICKED,
    ) -> bool:
        """The person chose between two replies."""
        ids = (*chosen.message_ids, *rejected.message_ids)
        return await self._prefer(person, place, exchange, (chosen.text, rejected.text), ids, how)

    async def _chose(self, person: UserId, place: Place, exchange: Exchange, how: Signal) -> bool:
        """The shown reply is better than the one that was there last."""
        chosen = exchange.reply
        others = [each for each in exchange.variants if each is not chosen]
        if chosen is None or not others:
            return False
        return await self.picked(person, place, exchange, chosen, others[-1], how=how)

    async def _prefer(
        self,
        person: UserId,
        place: Place,
        exchange: Exchange,
        better: tuple[str, str],
        replies: Sequence[MessageId],
        how: Signal,
    ) -> bool:
        """Keep a pair, in place of an earlier one of the same turn. `better`: chosen, rejected."""
        if exchange.reply is None or exchange.reply.route is Route.FACTUAL:
            return False
        own = [said for said in exchange.said if said.speaker.id == person]
        taste = Taste("\n".join(said.text for said in own), *(text.strip() for text in better))
        texts = (taste.context, taste.chosen, taste.rejected)
        if not own or not all(texts) or taste.chosen == taste.rejected:
            return False
        if not self._sources.stands(place, exchange):
            return False
        try:
            if any(sensitive_class(text) for text in texts):
                return False
            ids = tuple(dict.fromkeys((*(said.message_id for said in own), *replies)))
            item = taste_item(taste, how, place, ids, self._clock.now())
            if not await self._put(person, item):
                return False
            if not self._sources.stands(place, exchange):  # taken back while we wrote
                await self._sources.make_up_for(place, ids)
                return False
            self._observer.stored(Kind.TASTE.word)
            await self._store.schedule(person, self._clock.now() + IDLE)
        except TroupeError as error:
            log.info("preference not kept", kind=type(error).__name__)
            return False
        return True

    async def _put(self, person: UserId, item: Item) -> bool:
        """Keep a pair; False where the person does not want that, or no longer."""
        stale = True
        while stale:
            shelf = await self._store.load(person)
            if shelf is None or shelf.paused or shelf.values.get(WANTED) != "1":
                return False
            changes = Changes((Put(item),), _of_same_turn(shelf, item))
            stale = (await self._store.apply(person, shelf, changes, if_unchanged=True)).stale
        return True


def _of_same_turn(shelf: Shelf, item: Item) -> tuple[str, ...]:
    question = item.sources[0]
    return tuple(each.id for each in shelf.of(Kind.TASTE) if question in each.sources)
