"""One room for all tests of this folder: loading compiles a thousand patterns."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Message, Quoted, Speaker, Trigger, Turn
from bot.guardrails import GuardContext, Guardrails
from bot.routing.route import Route

PLACE = Place(ChannelId(1), GuildId(2))
NOW = 1_800_000_000.0


@pytest.fixture(scope="session")
def room() -> Guardrails:
    return Guardrails.load(None)


@pytest.fixture
def context() -> Callable[..., GuardContext]:
    def make(**changes: object) -> GuardContext:
        values: dict[str, object] = {
            "route": Route.FACTUAL,
            "place": PLACE,
            "person": UserId(7),
            "now": NOW,
        }
        return GuardContext(**(values | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def turn() -> Callable[..., Turn]:
    def make(text: str, quoted: str | None = None) -> Turn:
        reply = None if quoted is None else Quoted(MessageId(1), "bob", False, quoted)
        speaker = Speaker(UserId(7), "alice")
        message = Message(MessageId(2), PLACE, speaker, text, NOW, replies_to=reply)
        return Turn((message,), Trigger.MENTION)

    return make
