"""Scenes: several personas in one place, who answers, and who after that.

A persona's reply may be followed by another persona's: a turn of its own, begun by a cue in place
of a person's words, and journalled like any other. Cues end: nobody speaks twice before a person
does, and their number is bounded.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from bot.chat.conversation import Conversation
from bot.chat.place import MessageId
from bot.chat.turn import Cue, Message, Turn
from bot.personas import Persona
from bot.personas.scenes import Member, SceneLimits, addressed, who_speaks

YOUR_TURN = (
    "It is {name}'s turn in the scene. Nobody has said anything new to you; react to what was "
    "just said, briefly, only as {name}, and leave room for the others."
)


def speakers(
    turn: Turn, members: Sequence[Persona], conversation: Conversation, limits: SceneLimits
) -> tuple[str, ...]:
    """Return the ids of the personas that answer a person, in order; at least one.

    The draw depends on the turn alone, so that a turn taken up after a crash has the same cast.
    """
    chosen = who_speaks(
        [_member(persona) for persona in members],
        turn.text,
        chance=random.Random(int(turn.id)),
        replied_to=_replied_to(turn, conversation),
        most=max(1, limits.left(0)),
    )
    return tuple(member.id for member in chosen)


def next_cue(
    members: Sequence[Persona],
    speaker: str,
    planned: Sequence[str],
    spoken: Sequence[str],
    reply: str,
    limits: SceneLimits,
) -> Cue | None:
    """Return who speaks after a reply: those planned, then those that the reply names."""
    heard = (*spoken, speaker)
    if limits.in_a_row <= len(heard):
        return None
    silent = [_member(persona) for persona in members if persona.id not in heard]
    ids = {member.id for member in silent}
    named = [member.id for member in addressed(silent, reply)]
    order = tuple(dict.fromkeys([*(each for each in planned if each in ids), *named]))
    return Cue(order[: limits.in_a_row - len(heard)], heard) if order else None


def cued_message(turn: Turn, reply: MessageId, cue: Cue, at: float) -> Message:
    """Return what stands for a persona's reply as the beginning of the next persona's turn."""
    last = turn.messages[-1]
    return Message(reply, last.place, last.speaker, "", at, cue=cue)


def asked_about(conversation: Conversation, gone: Collection[MessageId]) -> frozenset[MessageId]:
    """Return the questions that were asked about these messages: their replies may quote them."""
    return frozenset(
        said.message_id
        for exchange in conversation.exchanges
        for said in exchange.said
        if said.about in gone
    )


def follow_ups_of(conversation: Conversation, gone: Collection[MessageId]) -> frozenset[MessageId]:
    """Return the replies that go with these messages: those of the cued turns they led to."""
    led: set[int] = set()
    found: set[MessageId] = set()
    for exchange in conversation.exchanges:
        asked = [said.message_id for said in exchange.said]
        lost = bool(asked) and all(message in gone for message in asked)
        cued = not asked and int(exchange.turn) in led
        if not (lost or cued):
            continue
        replies = [ident for variant in exchange.variants for ident in variant.message_ids]
        led.update(replies)
        if cued:
            found.update(replies)
    return frozenset(found)


def guidance_for(persona: Persona) -> str:
    """Return what the model is told when it speaks on cue."""
    return YOUR_TURN.format(name=persona.name)


def _member(persona: Persona) -> Member:
    return Member(persona.id, persona.name, persona.card.talkativeness)


def _replied_to(turn: Turn, conversation: Conversation) -> str | None:
    """Return the persona whose message a person replies to."""
    quoted = turn.messages[-1].replies_to
    if quoted is None:
        return None
    for exchange in reversed(conversation.exchanges):
        for variant in exchange.variants:
            if quoted.message_id in variant.message_ids:
                return variant.persona
    return None
