"""What a person has just said here, before the message that is being answered."""

from __future__ import annotations

from bot.chat.conversation import Conversation, Said
from bot.chat.turn import Turn

LATELY = 60.0
"""Seconds before a message in which somebody may have typed the rest of its sentence."""
MOST = 8
"""Exchanges that are looked through: nobody types more in a minute."""


def just_said(turn: Turn, conversation: Conversation) -> tuple[Said, ...]:
    """Return the person's own lines of the last minute, oldest first; never those of others."""
    person, came_at = turn.speaker.id, turn.messages[0].at
    return tuple(
        said
        for exchange in conversation.exchanges[-MOST:]
        for said in exchange.said
        if said.speaker.id == person
        and said.text
        and int(exchange.turn) < int(turn.id)
        and 0.0 <= came_at - said.at <= LATELY
    )
