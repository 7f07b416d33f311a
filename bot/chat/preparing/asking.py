"""What the router is asked about a turn: the message, and what of the conversation bears on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import Place, UserId
from bot.chat.turn import Turn, TurnId
from bot.routing import PreviousRoute
from bot.routing.dispatch import Ask
from bot.routing.policy import IDLE_SECONDS, live
from bot.routing.previous import LATELY, after
from bot.routing.route import Route
from bot.routing.scene import Told, open_after

LINES = 3
"""Exchanges that show what a scene is about."""


def ask_of(turn: Turn, conversation: Conversation, *, shared: bool, now: float) -> Ask:
    """Return what to ask about a turn. `shared`: several personas share the place as a scene."""
    return ask_about(
        turn.text,
        turn.place,
        turn.speaker.id,
        conversation,
        before=turn.id,
        shared=shared,
        now=now,
    )


def ask_about(
    message: str,
    place: Place,
    person: UserId,
    conversation: Conversation,
    *,
    before: TurnId,
    shared: bool,
    now: float,
) -> Ask:
    """Return what to ask about a message that a person says after the turns `before` another."""
    earlier = answered(conversation, before)
    previous = previous_route(earlier, person)
    whose = person if live(previous, now) else None
    return Ask(
        message=message,
        place=place,
        person=person,
        now=now,
        previous=previous,
        standing=previous_route(earlier, None),
        history=last_exchanges(earlier, whose, now=now),
        in_scene=scene_running(earlier, shared=shared, now=now),
        left_scene=whose is not None and scene_left(earlier, person),
    )


def answered(conversation: Conversation, before: TurnId) -> list[Exchange]:
    """Return what was said and answered here before a turn."""
    return [each for each in conversation.exchanges if each.reply and int(each.turn) < int(before)]


def previous_route(earlier: Sequence[Exchange], person: UserId | None) -> PreviousRoute | None:
    """Return the route of the last turn that was answered: a person's, or anybody's."""
    theirs = [each for each in earlier if _is_of(each, person)]
    if not theirs or (reply := theirs[-1].reply) is None:
        return None
    lately = [each.reply for each in theirs[-LATELY:] if each.reply]
    routes = [each.route for each in lately if reply.at - each.at <= IDLE_SECONDS]
    return after(routes, reply.at, scene=_scene_open(theirs))


def last_exchanges(
    earlier: Sequence[Exchange], person: UserId | None, *, now: float
) -> tuple[tuple[str, str], ...]:
    """Return the last questions and replies as (role, text) pairs, save those of long ago: a
    person's, or anybody's."""
    found: list[tuple[str, str]] = []
    theirs = [each for each in earlier if _is_of(each, person)]
    for exchange in theirs[-LINES:]:
        reply = exchange.reply
        if reply is None or not exchange.said or now - reply.at > IDLE_SECONDS:
            continue
        found += [("user", _said(exchange)), ("assistant", reply.text)]
    return tuple(found)


def scene_running(earlier: Sequence[Exchange], *, shared: bool, now: float) -> bool:
    """Whether a role-play scene is under way in the place, whoever began it.

    It is that of the person who spoke last. Where several personas share the place, any creative
    turn is one.
    """
    last = earlier[-1].reply if earlier else None
    if last is None or now - last.at > IDLE_SECONDS:
        return False
    if shared and last.route is Route.CREATIVE:
        return True
    said = earlier[-1].said
    return bool(said) and _scene_open([e for e in earlier if _is_of(e, said[0].speaker.id)])


def scene_left(earlier: Sequence[Exchange], person: UserId) -> bool:
    """Whether a person's last turn was the companion's, and a scene was open for them until it."""
    theirs = [each for each in earlier if _is_of(each, person)]
    reply = theirs[-1].reply if theirs else None
    return reply is not None and reply.route is Route.COMPANION and _scene_open(theirs[:-1])


def _is_of(exchange: Exchange, person: UserId | None) -> bool:
    return person is None or any(said.speaker.id == person for said in exchange.said)


def _said(exchange: Exchange) -> str:
    return "\n".join(said.text for said in exchange.said)


def _scene_open(exchanges: Sequence[Exchange]) -> bool:
    """Whether a scene is open after some exchanges; a long silence ends it.

    What a persona says unasked, such as its greeting, opens none: nobody plays with it yet.
    """
    return open_after(_last_first(exchanges))


def _last_first(exchanges: Sequence[Exchange]) -> Iterator[Told]:
    later: float | None = None
    for exchange in reversed(exchanges):
        reply = exchange.reply
        if reply is None or not exchange.said:
            continue
        if later is not None and later - reply.at > IDLE_SECONDS:
            return
        later = reply.at
        yield Told(_said(exchange), reply.route, reply.text)
