"""What people rewrite or take back leaves every store, and nothing is said meanwhile that knew it.

What a store misses, because it is away, is tried again by the upkeep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from bot.chat.arriving.thread_opening import joined
from bot.chat.place import ChannelId, MessageId, Place
from bot.chat.preparing.scene_turns import asked_about, follow_ups_of
from bot.memory import Memory
from bot.ports import ConversationStore

AT_MOST = 5.0
"""Seconds that a message waits for edits and deletions which came before it."""


class Mindful(Protocol):
    """A store that remembers messages by their ids, beside the conversations."""

    async def forget(self, place: Place, messages: Sequence[MessageId]) -> int:
        """Remove what is kept of messages that were edited or deleted.

        Raises:
            StoreError: the store is away.
        """
        ...


class Unsaying:
    """Edits and deletions of the process."""

    def __init__(
        self, conversations: ConversationStore, mindful: Sequence[Mindful], memory: Memory | None
    ) -> None:
        self._conversations = conversations
        self._mindful = tuple(mindful)
        self._memory = memory
        self._unsaid: dict[Place, set[MessageId]] = {}
        self._changes: dict[Place, set[asyncio.Future[None]]] = {}
        self.done = 0
        """Changes that are done, at whatever place: what was read before one may be out of date."""

    async def settled(self, place: Place) -> None:
        """Wait until what is being changed at a place is changed."""
        changes = self._changes.get(place)
        if changes:
            await asyncio.wait(tuple(changes), timeout=AT_MOST)

    async def holds(self, place: Place, message: MessageId) -> bool:
        """Whether a person's message is stored.

        Raises:
            StoreError: the store is away.
        """
        threads = [place] if (own := _thread_of(place, message)) is None else [place, own]
        for named in threads:
            conversation = await self._conversations.load(named)
            if (other := joined(conversation)) is not None:
                conversation = await self._conversations.load(other)
            if any(s.message_id == message for each in conversation.exchanges for s in each.said):
                return True
        return False

    async def rewrite(self, place: Place, message: MessageId, text: str) -> None:
        """Rewrite what was said.

        Raises:
            StoreError: a store is away.
        """
        with self._changing(place):
            known = await self._conversations.edit(place, message, text)
            if not known and (thread := _thread_of(place, message)) is not None:
                began = await self._conversations.load(thread)
                await self._conversations.edit(joined(began) or thread, message, text)
            if self._memory is not None:
                await self._memory.source_edited(place, message, text)
            for store in self._mindful:
                await store.forget(place, [message])

    async def remove(self, place: Place, gone: Collection[MessageId]) -> None:
        """Remove what was said.

        Raises:
            StoreError: a store is away; it is tried again.
        """
        self._unsaid.setdefault(place, set()).update(gone)
        for message in gone:
            if (thread := _thread_of(place, message)) is not None:
                self._unsaid.setdefault(thread, set()).add(message)
        with self._changing(place):
            await self.catch_up()

    async def catch_up(self) -> None:
        """Delete from the stores what is still in them.

        Raises:
            StoreError: a store is away.
        """
        for named, unsaid in list(self._unsaid.items()):
            gone = frozenset(unsaid)  # more may be deleted meanwhile
            conversation = await self._conversations.load(named)
            place = joined(conversation) or named
            if place != named:
                conversation = await self._conversations.load(place)
            taken = gone | asked_about(conversation, gone)
            led_to = follow_ups_of(conversation, taken)
            await self._conversations.delete(place, sorted(taken | led_to))
            for store in self._mindful:
                await store.forget(place, sorted(taken))
            if self._memory is not None:
                await self._memory.source_deleted(place, sorted(taken))
            unsaid -= gone
            if not unsaid and self._unsaid.get(named) is unsaid:
                del self._unsaid[named]

    @contextmanager
    def _changing(self, place: Place) -> Iterator[None]:
        """Let messages of this place that come meanwhile wait until the block is over."""
        over = asyncio.get_running_loop().create_future()
        changes = self._changes.setdefault(place, set())
        changes.add(over)
        try:
            yield
        finally:
            over.set_result(None)
            self.done += 1
            changes.discard(over)
            if not changes and self._changes.get(place) is changes:
                del self._changes[place]


def _thread_of(place: Place, message: MessageId) -> Place | None:
    """Return the thread that may have begun with a message: it has the message's id."""
    if place.guild is None or int(place.channel) == message:
        return None
    return Place(ChannelId(message), place.guild)
