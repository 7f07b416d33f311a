"""Decrypted conversations that this process has just seen, each with the version it had.

Never trusted by itself: every read asks Redis whether the version still stands.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import ChannelId

CHARACTERS = 8_000_000
"""All cached texts together; the least recently used conversation goes first."""
LINE_CHARACTERS = 200
"""What each message, reply and exchange counts besides its text."""


@dataclass(frozen=True, slots=True)
class _Cached:
    version: bytes
    conversation: Conversation
    characters: int


class ConversationCache:
    """A bounded map from place to (version, conversation)."""

    def __init__(self, characters: int = CHARACTERS) -> None:
        self._limit = characters
        self._total = 0
        self._entries: OrderedDict[ChannelId, _Cached] = OrderedDict()

    def version(self, channel: ChannelId) -> bytes:
        """Return the version held, or empty bytes."""
        entry = self._entries.get(channel)
        return entry.version if entry else b""

    def get(self, channel: ChannelId, version: bytes) -> Conversation | None:
        """Return the conversation if it is held in this version."""
        entry = self._entries.get(channel)
        if entry is None or entry.version != version:
            return None
        self._entries.move_to_end(channel)
        return entry.conversation

    def put(self, channel: ChannelId, version: bytes, conversation: Conversation) -> None:
        """Hold a conversation, and let older ones go."""
        self._put(channel, _Cached(version, conversation, _characters(conversation)))

    def _put(self, channel: ChannelId, entry: _Cached) -> None:
        self.drop(channel)
        self._entries[channel] = entry
        self._total += entry.characters
        while self._total > self._limit:
            self._total -= self._entries.popitem(last=False)[1].characters

    def advance(
        self,
        channel: ChannelId,
        previous: bytes,
        version: bytes,
        change: Callable[[Conversation], Conversation],
        grows: int,
    ) -> None:
        """Apply our own write, if nobody else wrote between our last read and it.

        `grows` is what it adds in characters. What it replaces is not counted off: the size is
        an upper bound, made exact by the next full read.
        """
        entry = self._entries.get(channel)
        if entry is None:
            return
        if entry.version == previous and previous:
            self._put(
                channel, _Cached(version, change(entry.conversation), entry.characters + grows)
            )
        else:
            self.drop(channel)

    def drop(self, channel: ChannelId) -> None:
        """Let a conversation go."""
        entry = self._entries.pop(channel, None)
        if entry is not None:
            self._total -= entry.characters


def _characters(conversation: Conversation) -> int:
    total = LINE_CHARACTERS + len(conversation.summary or "")
    total += sum(len(key) + len(value) for key, value in conversation.state.items())
    return total + sum(map(characters_of, conversation.exchanges))


def characters_of(exchange: Exchange) -> int:
    """Estimate what an exchange holds."""
    total = LINE_CHARACTERS
    for said in exchange.said:
        total += LINE_CHARACTERS + len(said.text)
    for variant in exchange.variants:
        total += LINE_CHARACTERS + len(variant.text)
    return total
