"""What became of questions while nobody listened: people delete, hide and rewrite them then, too.

After a crash, and after a session that could not be resumed, the events that told of it are lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from bot.chat.arriving.running_turns import RunningTurns
from bot.chat.arriving.taking_back import TakesBack
from bot.chat.place import MessageId, Place
from bot.chat.turn import Message
from bot.errors import StoreError

log = structlog.get_logger(__name__)

PATIENCE: Final = 5.0
"""Seconds that turns wait until their questions were looked at."""
AT_MOST: Final = 100
"""Questions that are looked at; as many are hardly under way at once."""
SIDE_BY_SIDE: Final = 8


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a message. By itself: nothing, or nobody knows."""

    gone: bool = False
    """Deleted, or hidden from us by its author."""
    text: str | None = None
    """What it says now, where it was edited; empty where that is nothing that we may read."""


class Channels(Protocol):
    """Where people's messages stand."""

    async def fate(self, place: Place, message: MessageId) -> Fate:
        """Return what became of a message. Never raises."""
        ...


class LookingAgain:
    """Looks at questions, and does what the missed events of them would have done."""

    def __init__(
        self, channels: Channels | None, turns: RunningTurns, takes_back: TakesBack
    ) -> None:
        """Without `channels` nothing can be found out."""
        self._channels = channels
        self._turns = turns
        self._takes_back = takes_back

    async def look_again(self) -> None:
        """Look at the questions under way."""
        await self.look_at([message for run in self._turns for message in run.turn.messages])

    async def look_at(self, messages: Sequence[Message]) -> dict[MessageId, str]:
        """Look at some questions. Return the new texts of those that were rewritten."""
        texts: dict[MessageId, str] = {}
        for message, now in await changed(messages, self._channels) if self._channels else ():
            try:
                if now.gone or not now.text:
                    await self._takes_back.deleted(message.place, (stands_in(message),))
                else:
                    texts[message.id] = now.text
                    await self._takes_back.edited(message.place, message.spoken_in, now.text)
            except StoreError as error:
                log.warning("change not recorded yet", message=message.id, reason=str(error))
        return texts


async def changed(messages: Iterable[Message], channels: Channels) -> list[tuple[Message, Fate]]:
    """Return the messages that were deleted, hidden or rewritten, as far as that can be found out
    within `PATIENCE`. What was said by a command stands nowhere, and is not looked for."""
    room = asyncio.Semaphore(SIDE_BY_SIDE)
    found: list[tuple[Message, Fate]] = []

    async def look(message: Message) -> None:
        async with room:
            fate = await channels.fate(message.place, stands_in(message))
        rewritten = fate.text is not None and fate.text != message.text
        if fate.gone or (rewritten and holds_the_words(message)):
            found.append((message, fate))

    try:
        async with asyncio.timeout(PATIENCE):
            wanted = [message for message in messages if is_in_a_channel(message)]
            await asyncio.gather(*map(look, wanted[:AT_MOST]))
    except TimeoutError:
        log.info("questions not all looked at again")
    return found


def stands_in(message: Message) -> MessageId:
    """Return the message of the channel without which there is nothing to answer."""
    return message.about or message.id


def is_in_a_channel(message: Message) -> bool:
    """Whether a message of the channel holds this, or is what it is about."""
    if message.again is not None:
        return False
    return message.about is not None or not message.is_command


def holds_the_words(message: Message) -> bool:
    """Whether the words of a turn stand there: not where it is about another's message, nor where
    a persona spoke."""
    return message.cue is None and not message.is_command
