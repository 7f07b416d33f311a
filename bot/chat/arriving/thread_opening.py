"""Where a conversation gets a thread of its own, and which one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final, Protocol

from bot.chat.conversation import Conversation
from bot.chat.place import ChannelId, MessageId, Place, UserId, snowflake_seconds
from bot.chat.running import MERGE
from bot.chat.turn import Message, Trigger
from bot.personas.binding import TriggerMode
from bot.personas.casting import Casting
from bot.ports import ConversationStore
from bot.recent import Recent

OPENS_THREADS = frozenset({Trigger.MENTION, Trigger.REPLY, Trigger.WORD})
"""What begins a conversation, in a channel where each gets a thread."""


class ThreadOpener(Protocol):
    """Opens threads for conversations."""

    async def open(self, message: Message) -> Place | None:
        """Return the thread that begins with a message, opened if need be; None when there can
        be none.

        Raises:
            StoreError: it could not be written down which thread that is.
        """
        ...


JOINED: Final = "joined_thread"
"""In the state of the thread that a message would have begun: the thread that it went to."""
_KEPT: Final = 1000


class OneForABurst:
    """Opens one thread for what a person says in a channel within seconds."""

    def __init__(self, opener: ThreadOpener, conversations: ConversationStore) -> None:
        self._opener = opener
        self._conversations = conversations
        self._latest = Recent[tuple[Place, UserId], tuple[float, asyncio.Task[Place | None]]](_KEPT)

    async def open(self, message: Message) -> Place | None:
        """Return the thread of the burst that a message belongs to; see `ThreadOpener`."""
        key = (message.place, message.speaker.id)
        latest = self._latest.get(key)
        if latest is None or not 0 <= message.at - latest[0] <= MERGE:
            latest = message.at, asyncio.create_task(self._opener.open(message))
            self._latest[key] = latest
        thread = await asyncio.shield(latest[1])
        own = thread_from(message)
        if thread is not None and thread != own:
            # Whoever deletes the message does so in the channel above: it must be found from there.
            await self._conversations.keep(own, {JOINED: str(thread.channel)})
        return thread


def may_stand_above(thread: Place, message: MessageId) -> bool:
    """Whether a thread's message, by its age, may be the rest of a burst in the channel above."""
    after = snowflake_seconds(message) - snowflake_seconds(thread.channel)
    return thread.parent is not None and 0 <= after <= MERGE


def joined(conversation: Conversation) -> Place | None:
    """Return the thread that a message went to instead of this one, which it would have begun."""
    thread = conversation.state.get(JOINED)
    return Place(ChannelId(int(thread)), conversation.place.guild) if thread else None


async def in_thread(
    message: Message, trigger: Trigger, casting: Casting, threads: ThreadOpener | None
) -> Message:
    """Return a message in the thread that its conversation gets, where it gets one."""
    if threads is None or not await gets_thread(message, trigger, casting):
        return message
    return replace(message, place=await threads.open(message) or message.place)


async def where_answered(message: Message, trigger: Trigger, casting: Casting) -> Message:
    """Return a message in the thread that its answer went to, if it went to one. Opens none."""
    if not await gets_thread(message, trigger, casting):
        return message
    return replace(message, place=thread_from(message))


def thread_from(message: Message) -> Place:
    """Return the thread that begins with a message, and so has its id."""
    place = message.place
    return replace(place, channel=ChannelId(message.id), parent=place.channel)


async def gets_thread(message: Message, trigger: Trigger, casting: Casting) -> bool:
    """Whether the conversation that a message begins gets a thread of its own.

    Raises:
        StoreError: what is set there can't be read.
    """
    place = message.place
    if trigger not in OPENS_THREADS or place.guild is None or place.parent is not None:
        return False
    return (await casting.resolved(place)).mode is TriggerMode.THREAD
