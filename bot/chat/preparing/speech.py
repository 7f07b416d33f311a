"""In which language a persona replies: that of the person who speaks, unless its card says."""

from __future__ import annotations

from bot.chat.conversation import Conversation
from bot.chat.turn import Turn
from bot.creative.order import Tool
from bot.languages.spoken import NAMES, last_spoken
from bot.personas import Persona
from bot.personas.speech import keeps_to_its_language

LOOKED_BACK = 12
"""Exchanges in which the language is looked for when a message does not show it."""


def reply_language(turn: Turn, conversation: Conversation, persona: Persona) -> str | None:
    """Return the code of the language to reply in; None leaves it to the model.

    The message itself decides. One that does not show its language ("ok", an emoji) is taken to be
    in the language that its writer, or else anybody here, used last; at last in that of the server.
    """
    if keeps_to_its_language(persona):
        return None
    earlier = [
        said
        for exchange in reversed(conversation.exchanges[-LOOKED_BACK:])
        for said in reversed(exchange.said)
        if exchange.turn != turn.id
    ]
    person = turn.speaker.id
    texts = [message.text for message in reversed(turn.messages)]
    if turn.order is not None:
        # A text that is written anew stays in its language, whatever the wish is written in.
        first = turn.order.tool is Tool.REWRITE
        texts = [turn.order.material, *texts] if first else [*texts, turn.order.material]
    texts += [said.text for said in earlier if said.speaker.id == person]
    texts += [said.text for said in earlier if said.speaker.id != person]
    code = last_spoken(texts) or (turn.speaker.locale or "").partition("-")[0]
    return code if code in NAMES else None


def language_instruction(code: str | None) -> str:
    """Return what the model is told about the language, if anything."""
    if code is None:
        return ""
    return (
        f"[Reply in {NAMES[code]}, unless the message asks for another language or "
        "your character's own text demands one.]"
    )
