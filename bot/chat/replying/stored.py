"""What is stored of a turn's reply, whether or not anybody has seen it."""

from __future__ import annotations

import structlog

from bot.chat.conversation import Conversation, Exchange
from bot.chat.turn import Turn
from bot.errors import StoreError
from bot.ports import ConversationStore

log = structlog.get_logger(__name__)


async def stored(
    conversations: ConversationStore, turn: Turn
) -> tuple[Conversation, Exchange | None]:
    """Return the conversation of a turn, and the turn as it is stored there, if it is.

    Raises:
        StoreError: the store is away.
    """
    conversation = await conversations.load(turn.place)
    exchange = conversation.exchange(turn.id)
    if exchange is None and turn.cue is None:
        exchange = await conversations.find(turn.place, turn.messages[0].id)
    return conversation, exchange


async def forget(conversations: ConversationStore, turn: Turn) -> None:
    """Forget a turn whose reply was stored, and stands nowhere."""
    try:
        await conversations.delete(turn.place, turn.message_ids)
    except StoreError as error:
        log.warning("undelivered reply not forgotten", reason=str(error))
