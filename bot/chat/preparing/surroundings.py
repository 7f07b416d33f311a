"""What was said around a turn, outside the stored conversation: its reply chain, and what its
thread began with. Asked for only where the conversation does not hold it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final, Protocol

import structlog

from bot.chat.conversation import Conversation
from bot.chat.place import MessageId, Place
from bot.chat.turn import Quoted, Turn

log = structlog.get_logger(__name__)

CHAIN: Final = 4
"""Messages of a reply chain, beside the one that is replied to."""
PATIENCE: Final = 2.0
"""Seconds that a turn waits for its surroundings."""


class Surroundings(Protocol):
    """Reads messages that people refer to. Never raises; what can't be read is left out."""

    async def chain(self, place: Place, message: MessageId, most: int) -> tuple[Quoted, ...]:
        """Return a message, what it replies to, and so on, newest first."""
        ...

    async def starter(self, place: Place) -> Quoted | None:
        """Return the message that a thread or a forum post began with."""
        ...


async def surrounded(turn: Turn, conversation: Conversation, around: Surroundings) -> Turn:
    """Return the turn with what was said before it elsewhere, oldest first."""
    if turn.cue is not None or turn.again is not None or turn.answering is not None:
        return turn
    if turn.place.parent is None and turn.messages[-1].replies_to is None:
        return turn  # it refers to nothing, as most do
    stored = _ids(conversation) | set(turn.message_ids)
    wanted = []
    if turn.place.parent is not None and MessageId(turn.place.channel) not in stored:
        wanted.append(_starter(around, turn.place))
    quoted = turn.messages[-1].replies_to
    if quoted is not None and quoted.answers is not None and quoted.message_id not in stored:
        wanted.append(around.chain(turn.place, quoted.answers, CHAIN))
    if not wanted:
        return turn
    try:
        async with asyncio.timeout(PATIENCE):
            found = await asyncio.gather(*wanted)
    except TimeoutError:
        log.info("surroundings late", place_kind="thread" if turn.place.parent else "channel")
        return turn
    known = stored | ({quoted.message_id} if quoted is not None else set())
    before = {each.message_id: each for part in found for each in part if each.text.strip()}
    outside = sorted(i for i in before if i not in known)
    last = replace(turn.messages[-1], before=tuple(before[ident] for ident in outside))
    return replace(turn, messages=(*turn.messages[:-1], last))


async def _starter(around: Surroundings, place: Place) -> tuple[Quoted, ...]:
    found = await around.starter(place)
    return (found,) if found is not None else ()


def _ids(conversation: Conversation) -> set[MessageId]:
    """Return the messages that a conversation holds."""
    found: set[MessageId] = set()
    for exchange in conversation.exchanges:
        found.update(said.message_id for said in exchange.said)
        for variant in exchange.variants:
            found.update(variant.message_ids)
    return found
