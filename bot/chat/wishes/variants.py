"""Replies that stand there already: whose they are, and what they answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import MessageId
from bot.chat.turn import Cue, Message, Speaker, Trigger, Turn, TurnId
from bot.creative.ideas import ideas_in
from bot.creative.order import MOST_IDEAS
from bot.ports import Controls
from bot.prompting.small_print import without_small_print


def is_latest(conversation: Conversation, turn: TurnId) -> bool:
    """Whether a turn's reply is the last one of its place."""
    answered = [each.turn for each in conversation.exchanges if each.reply is not None]
    return bool(answered) and answered[-1] == turn


def asker_of(conversation: Conversation, turn: TurnId) -> Speaker | None:
    """Return who asked what a reply answers; in a scene, who spoke last before the personas did."""
    for exchange in reversed(conversation.exchanges):
        if int(exchange.turn) <= int(turn) and exchange.said:
            return exchange.said[-1].speaker
    return None


def question_of(conversation: Conversation, exchange: Exchange, wish: Turn) -> Turn | None:
    """Return the turn that a stored reply answers; None when nobody is known to have asked.

    Attachments and quotes, which are not stored, come with the wish.
    """
    place, turn = wish.place, MessageId(int(exchange.turn))
    said = [
        Message(each.message_id, place, each.speaker, each.text, each.at, order=each.order)
        for each in exchange.said
    ]
    if not said:
        asker, reply = asker_of(conversation, exchange.turn), exchange.reply
        if asker is None or reply is None:
            return None
        cue = Cue((reply.persona,), ())
        return Turn((Message(turn, place, asker, "", reply.at, cue=cue),), Trigger.AGAIN)
    # The turn keeps its place in the conversation, also when its first message was deleted.
    said[0] = replace(said[0], id=turn, about=said[0].id)
    brought = wish.messages[-1]
    said[-1] = replace(
        said[-1],
        attachments=brought.attachments,
        unread_attachments=brought.unread_attachments,
        replies_to=brought.replies_to,
    )
    return Turn(tuple(said), Trigger.AGAIN)


def own_text(exchange: Exchange) -> str:
    """Return the shown reply without what the program added under it."""
    return without_small_print(exchange.reply.text) if exchange.reply is not None else ""


def before(conversation: Conversation, turn: TurnId) -> Conversation:
    """Return a conversation as it was before a turn."""
    earlier = tuple(each for each in conversation.exchanges if int(each.turn) < int(turn))
    return replace(conversation, exchanges=earlier)


def changed_said(exchange: Exchange, texts: Mapping[MessageId, str]) -> dict[MessageId, str]:
    """Return the messages that now say something else than what is stored, with their texts."""
    return {
        said.message_id: texts[said.message_id]
        for said in exchange.said
        if texts.get(said.message_id) not in (None, "", said.text)
    }


def controls_of(exchange: Exchange) -> Controls:
    """Return what is offered under a reply."""
    reply = exchange.reply
    size = len(reply.text) if reply is not None else 0
    return Controls(
        exchange.turn,
        exchange.chosen,
        len(exchange.variants),
        size,
        len(ideas_of(exchange)),
        compared=exchange.compared,
        repeatable=not any(said.unkept for said in exchange.said),
    )


def asked_above(exchange: Exchange) -> str:
    """Return what stands above the answer to a command: the question, but no order."""
    said = exchange.said[-1] if exchange.said else None
    return "" if said is None or said.order is not None else said.text


def ideas_of(exchange: Exchange) -> list[str]:
    """Return the ideas of a shown reply, if several were ordered."""
    order = exchange.said[-1].order if exchange.said else None
    if order is None or order.count < 2:
        return []
    return ideas_in(own_text(exchange))[:MOST_IDEAS]
