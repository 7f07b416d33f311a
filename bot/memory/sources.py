"""The messages that memories came from, as people delete and edit them.

Events of a channel reach one process only, so that what was deleted in it is known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog

from bot.chat.conversation import Exchange
from bot.chat.place import MessageId, Place, UserId
from bot.chat.turn import Message
from bot.errors import ConsentRequired, RecordCorrupt, StoreError
from bot.memory.item import LONGEST_EPISODE, Kind, new_id, without
from bot.memory.learning import schedule
from bot.memory.sensitive import sensitive_class
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, MemoryStore, Put
from bot.ports import Clock
from bot.recent import Recent

REMOVED: Final = 5_000
"""Deleted and edited messages that are kept in mind while their turns may still be under way."""
MAKE_UP_PAUSES: Final = (0.5, 2.0, 8.0)
"""Seconds between attempts to remove what was deleted while it was being written."""

log = structlog.get_logger(__name__)


class Sources:
    """Deletions and edits of the process."""

    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._gone = Recent[tuple[int, int], None](REMOVED)
        self._edited = Recent[tuple[int, int], str](REMOVED)

    async def deleted(self, place: Place, message_ids: Sequence[MessageId]) -> int:
        """Remove what came from deleted messages alone. Return how many items that were.

        Raises:
            StoreError: the store is away.
        """
        for message in message_ids:
            self._gone[place.channel, message] = None
            self._edited.pop((place.channel, message), None)
        owners = await self._store.owners(place.channel, message_ids)
        count = 0
        for person in set(owners.values()):
            gone = {(int(place.channel), int(m)) for m, owner in owners.items() if owner == person}
            count += await self._remove_sources(person, gone)
        return count

    async def edited(self, place: Place, message: MessageId, text: str) -> int:
        """Rewrite what a message said, and forget what was drawn from its old words.

        Returns how many items changed.

        Raises:
            StoreError: the store is away.
        """
        source = (int(place.channel), int(message))
        self._edited[source] = text
        owners = await self._store.owners(place.channel, [message])
        person = owners.get(message)
        shelf = None if person is None else await self._opened(person)
        if person is None or shelf is None:
            return 0
        old = next(
            (i for i in shelf.of(Kind.EPISODE) if source in i.sources and i.text != text), None
        )
        if old is None and any(i.kind is Kind.EPISODE and source in i.sources for i in shelf.items):
            return 0
        count = await self._remove_sources(person, {source})
        if old is not None and text.strip() and not sensitive_class(text):
            # A new id: it is read once more, as what it says now.
            new = old._replace(
                id=new_id(Kind.EPISODE, self._clock.now()), text=text[:LONGEST_EPISODE]
            )
            again = await self._opened(person)
            if again is not None and source not in self._gone:
                changes = Changes((Put(new),))
                await self._apply_for(person, again, changes)
                await schedule(self._store, person, self._clock.now())
        return count

    async def _remove_sources(self, person: UserId, gone: set[tuple[int, int]]) -> int:
        """Remove what came from messages, until nothing is left: more may be learned meanwhile."""
        count = 0
        while (shelf := await self._opened(person)) is not None:
            left = [(item.id, item, without(item, gone)) for item in shelf.items]
            remove = tuple(ident for ident, _, now in left if now is None)
            keep = tuple(Put(now) for _, item, now in left if now is not None and now is not item)
            if not (remove or keep):
                break
            try:
                written = await self._store.apply(
                    person, shelf, Changes(keep, remove), by_person=True, if_unchanged=True
                )
            except ConsentRequired:
                log.info("memory was forgotten meanwhile")
                break
            count += 0 if written.stale else len(remove)
        return count

    async def _opened(self, person: UserId) -> Shelf | None:
        """Return a memory; None where there is none, or its key is lost: what nobody can read any
        more must not hold up what others delete."""
        try:
            return await self._store.load(person)
        except RecordCorrupt as error:
            log.warning("memory unreadable", reason=str(error))
            return None

    async def _apply_for(self, person: UserId, shelf: Shelf, changes: Changes) -> None:
        try:
            await self._store.apply(person, shelf, changes, by_person=True)
        except ConsentRequired:
            log.info("memory was forgotten meanwhile")

    async def make_up_for(self, place: Place, messages: Sequence[MessageId]) -> None:
        """Do again what was deleted or edited while we wrote, also past a store that falters.

        Raises:
            StoreError: the store is away for longer.
        """
        for pause in MAKE_UP_PAUSES:
            with suppress(StoreError):
                await self._made_up(place, messages)
                return
            await asyncio.sleep(pause)
        await self._made_up(place, messages)

    async def _made_up(self, place: Place, messages: Sequence[MessageId]) -> None:
        for message in messages:
            source = (int(place.channel), int(message))
            if source in self._gone:
                await self.deleted(place, [message])
            elif source in self._edited:
                await self.edited(place, message, self._edited[source])

    def stands(self, place: Place, exchange: Exchange) -> bool:
        """Whether an exchange is as it was loaded: nothing of it was deleted or edited since."""
        replies = (message for each in exchange.variants for message in each.message_ids)
        ids = (*(said.message_id for said in exchange.said), *replies)
        return not any((place.channel, each) in self._gone for each in ids) and all(
            self._edited.get((place.channel, said.message_id), said.text) == said.text
            for said in exchange.said
        )

    def taken_back(self) -> set[tuple[int, int]]:
        """Return the messages that were deleted or edited of late."""
        return {*self._gone, *self._edited}

    def is_gone(self, message: Message) -> bool:
        """Whether a message was deleted of late."""
        return (message.place.channel, message.id) in self._gone

    def as_edited(self, message: Message) -> Message:
        """Return a message as it says now."""
        text = self._edited.get((message.place.channel, message.id))
        return message if text is None else replace(message, text=text)
