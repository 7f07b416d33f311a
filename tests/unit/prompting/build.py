"""Short ways to write a persona, a conversation and a turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.chat.conversation import Conversation, Exchange, Said, Variant
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Attachment, Message, Quoted, Speaker, Trigger, Turn, TurnId
from bot.personas import Persona, make_persona, read_card
from bot.prompting import PromptInput, TokenEstimator
from bot.routing.profiles import RouteProfile
from bot.routing.route import Route

GUILD = Place(ChannelId(7), GuildId(1))
DM = Place(ChannelId(8))
PROFILE = RouteProfile(Route.COMPANION, "")


class WordCounter(TokenEstimator):
    """Counts words, as the observed cases do, and leaves no margin."""

    def estimate(self, text: str, model: str = "") -> int:
        return len(text.split())

    def margin(self, model: str) -> float:
        return 1.0


def persona_of(name: str = "Sera", **fields: Any) -> Persona:
    data = {"name": name, "description": "", "extensions": {}, **fields}
    card = {"spec": "chara_card_v3", "spec_version": "3.0", "data": data}
    return make_persona(read_card(json.dumps(card).encode(), f"{name}.json"), name)


def speaker(name: str, id_: int | None = None) -> Speaker:
    return Speaker(UserId(id_ if id_ is not None else sum(map(ord, name))), name)


def exchange(
    number: int, said: Sequence[tuple[str, str]], reply: str | None, persona: str = "sera"
) -> Exchange:
    """Return a stored exchange: who said what, and the reply."""
    messages = tuple(
        Said(MessageId(number * 100 + n), speaker(name), text, float(number))
        for n, (name, text) in enumerate(said)
    )
    variants = (
        (Variant(reply, (MessageId(number * 100 + 50),), persona, Route.COMPANION, "m", 0.0),)
        if reply is not None
        else ()
    )
    return Exchange(TurnId(str(number * 100)), messages, variants, 0 if variants else -1)


def turn_of(
    *texts: str,
    name: str = "Ann",
    number: int = 9_999,
    place: Place = DM,
    replies_to: Quoted | None = None,
    attachments: tuple[Attachment, ...] = (),
    unread: tuple[str, ...] = (),
) -> Turn:
    who = speaker(name)
    messages = tuple(
        Message(
            MessageId(number * 100 + n),
            place,
            who,
            text,
            float(number),
            replies_to=replies_to,
            attachments=attachments,
            unread_attachments=unread,
        )
        for n, text in enumerate(texts)
    )
    return Turn(messages, Trigger.MENTION)


def input_of(persona: Persona, turn: Turn, *exchanges: Exchange, **fields: Any) -> PromptInput:
    state = fields.pop("state", {})
    conversation = Conversation(turn.place, exchanges, state=state)
    for name in ("summary", "trimmed_to"):
        if name in fields:
            conversation = replace(conversation, **{name: fields.pop(name)})
    values: dict[str, Any] = {
        "profile": PROFILE,
        "estimator": WordCounter(),
        "num_ctx": 4_000,
        "reply_tokens": 300,
        **fields,
    }
    return PromptInput(persona=persona, conversation=conversation, turn=turn, **values)
