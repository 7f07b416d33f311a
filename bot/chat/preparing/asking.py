"""What the router is asked about a turn: the message, and what of the conversation bears on it."""

from __future__ import annotations

import re

from bot.chat.conversation import Conversation
from bot.chat.place import UserId
from bot.chat.turn import Turn, TurnId
from bot.routing import PreviousRoute
from bot.routing.dispatch import Ask
from bot.routing.policy import IDLE_SECONDS
from bot.routing.route import Route

ACTION = re.compile(r"\*[^*\n]{2,}\*")
"""A role-play action, such as *opens the door*."""


def ask_of(turn: Turn, conversation: Conversation, *, shared: bool, now: float) -> Ask:
    """Return what to ask about a turn. `shared`: several personas share the place as a scene."""
    return Ask(
        message=turn.text,
        place=turn.place,
        person=turn.speaker.id,
        now=now,
        previous=previous_route(conversation, turn.speaker.id, before=turn.id),
        standing=previous_route(conversation, None, before=turn.id),
        history=last_exchange(conversation, before=turn.id, now=now),
        in_scene=scene_running(conversation, shared=shared, now=now),
    )


def previous_route(
    conversation: Conversation, person: UserId | None, *, before: TurnId
) -> PreviousRoute | None:
    """Return the route of the last turn here before a turn: a person's, or anybody's."""
    for exchange in reversed(conversation.exchanges):
        reply = exchange.reply
        if reply is None or int(exchange.turn) >= int(before):
            continue
        if person is None or any(said.speaker.id == person for said in exchange.said):
            scene = reply.route is Route.CREATIVE and ACTION.search(reply.text) is not None
            return PreviousRoute(reply.route, reply.at, scene)
    return None


def last_exchange(
    conversation: Conversation, *, before: TurnId, now: float
) -> tuple[tuple[str, str], ...]:
    """Return the last question and its reply as (role, text) pairs; nothing when it is long ago."""
    for exchange in reversed(conversation.exchanges):
        reply = exchange.reply
        if reply is None or not exchange.said or int(exchange.turn) >= int(before):
            continue
        if now - reply.at > IDLE_SECONDS:
            return ()
        question = "\n".join(said.text for said in exchange.said)
        return (("user", question), ("assistant", reply.text))
    return ()


def scene_running(conversation: Conversation, *, shared: bool, now: float) -> bool:
    """Whether a role-play scene is under way in the place, whoever began it.

    The last reply tells: creative, not long ago, and with an action, or by one of several
    personas who share the place.
    """
    last = next((each.reply for each in reversed(conversation.exchanges) if each.reply), None)
    if last is None or last.route is not Route.CREATIVE or now - last.at > IDLE_SECONDS:
        return False
    return shared or ACTION.search(last.text) is not None
