"""Where a conversation gets a thread of its own, and which one."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from bot.chat.place import Place
from bot.chat.turn import Message, Trigger
from bot.personas.binding import TriggerMode
from bot.personas.casting import Casting

OPENS_THREADS = frozenset({Trigger.MENTION, Trigger.REPLY, Trigger.WORD})
"""What begins a conversation, in a channel where each gets a thread."""


class ThreadOpener(Protocol):
    """Opens threads for conversations."""

    async def open(self, message: Message) -> Place | None:
        """Return the thread that begins with a message, opened if need be; None when there can
        be none. Never raises."""
        ...


async def in_thread(
    message: Message, trigger: Trigger, casting: Casting, threads: ThreadOpener | None
) -> Message:
    """Return a message in the thread that its conversation gets, where it gets one."""
    place = message.place
    if (
        threads is None
        or trigger not in OPENS_THREADS
        or place.guild is None
        or place.parent is not None
        or (await casting.resolved(place)).mode is not TriggerMode.THREAD
    ):
        return message
    return replace(message, place=await threads.open(message) or place)
