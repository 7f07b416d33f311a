"""What became of messages that are stored, while nobody listened.

What is stored of a place is held against a page of its channel, and what is older than the page is
asked for by itself: whatever people deleted, hid or rewrote meanwhile must be in no prompt, though
no event will tell of it any more. A moderator may have deleted a reply of ours, or a message that
somebody asked about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bot.chat.arriving.looking_again import SIDE_BY_SIDE, Channels, Fate
from bot.chat.arriving.taking_back import TakesBack
from bot.chat.arriving.thread_opening import may_stand_above
from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import MessageId, Place
from bot.ports import ConversationStore

log = structlog.get_logger(__name__)

AT_MOST: Final = 200
"""Messages of a place that are looked at, the newest ones: more than a prompt holds."""
ASKED_FOR: Final = 50
"""Of these, how many are asked for one by one, the newest ones."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message of a channel that is stored, or that something stored was said about."""

    message: MessageId
    text: str | None = None
    """What a person said with it; None where nothing but its presence counts."""


@dataclass(frozen=True, slots=True)
class Page:
    """The latest messages of a channel as they stand now, read after what is held against it."""

    begins: MessageId
    """From this id on the page leaves no message out, save those that their authors hide."""
    says: Mapping[MessageId, str | None]
    """The text of each message that was rewritten since we last listened, empty where there is
    none that we may read. None: it says what it said."""

    def holds(self, message: MessageId) -> bool:
        """Whether the page tells what became of a message."""
        return message in self.says or message >= self.begins

    def fate(self, message: MessageId) -> Fate:
        """Return what became of a message that it tells of."""
        return Fate(text=self.says[message]) if message in self.says else Fate(gone=True)


class LookingBack:
    """Finds out what became of what is stored, and does what the missed events would have done."""

    def __init__(
        self, conversations: ConversationStore, channels: Channels | None, takes_back: TakesBack
    ) -> None:
        """`channels` tells of single messages."""
        self._conversations = conversations
        self._channels = channels
        self._takes_back = takes_back

    async def kept(self, place: Place) -> Sequence[Kept]:
        """Return the messages of a channel that are stored, newest first.

        Raises:
            StoreError: the store is away.
        """
        return kept_of(await self._conversations.load(place))

    async def look(self, place: Place, kept: Sequence[Kept], page: Page) -> None:
        """Hold what is kept against what the channel says now.

        Raises:
            StoreError: the store is away. What is gone is deleted once it is back.
        """
        gone, texts = await compared(place, kept, page, self._channels)
        if gone:
            await self._takes_back.deleted(place, gone)
        for message, text in texts.items():
            await self._takes_back.edited(place, message, text)
        if gone or texts:
            log.info("changed unheard", deleted=len(gone), edited=len(texts))


def kept_of(conversation: Conversation) -> tuple[Kept, ...]:
    """Return the messages that stand in a conversation's channel, newest first."""
    found: dict[MessageId, Kept] = {}
    for exchange in reversed(conversation.exchanges):
        for each in _standing_of(exchange):
            if each.message not in found or each.text is not None:
                found[each.message] = each
    return tuple(found.values())[:AT_MOST]


def _standing_of(exchange: Exchange) -> Iterator[Kept]:
    if exchange.reply is not None:
        yield from map(Kept, exchange.reply.message_ids)
    for said in reversed(exchange.said):
        if not said.by_command:
            yield Kept(said.message_id, said.text)
        elif said.about is not None:
            yield Kept(said.about)


async def compared(
    place: Place, kept: Sequence[Kept], page: Page, channels: Channels | None
) -> tuple[tuple[MessageId, ...], Mapping[MessageId, str]]:
    """Return what is gone of what is kept, and what says something else now.

    What a thread began with stands in the channel above: `channels` tells of it, and of what is
    older than the page.
    """
    names = [each.message for each in kept]
    there = page.says.keys() - {MessageId(place.channel)}  # of the thread itself
    above = [name for name in names if name not in there and may_stand_above(place, name)]
    within = [name for name in names if page.holds(name) and name not in above]
    older = [name for name in names if name not in above and name not in within]
    fates = {name: page.fate(name) for name in within}
    fates |= await _asked_for(place, (above + older)[:ASKED_FOR], channels)
    gone: list[MessageId] = []
    texts: dict[MessageId, str] = {}
    for each in kept:
        now = fates.get(each.message, Fate())
        if now.gone:
            gone.append(each.message)
        elif None not in (now.text, each.text) and now.text != each.text:
            texts[each.message] = now.text or ""
    return tuple(sorted(gone)), texts


async def _asked_for(
    place: Place, messages: Sequence[MessageId], channels: Channels | None
) -> dict[MessageId, Fate]:
    """Return what became of messages, by themselves."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def ask(message: MessageId) -> Fate:
        async with room:
            return await channels.fate(place, message) if channels else Fate()

    found = await asyncio.gather(*map(ask, messages))
    return dict(zip(messages, found, strict=True))
