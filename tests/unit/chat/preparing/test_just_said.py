"""Which lines may be the beginning of what a person is saying."""

from __future__ import annotations

from bot.chat.conversation import Conversation, Exchange, Said
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.preparing.just_said import LATELY, just_said
from bot.chat.turn import Message, Speaker, Trigger, Turn, TurnId

NOW = 1_000_000.0
PLACE = Place(ChannelId(5), GuildId(7))
ALICE, BOB = Speaker(UserId(1), "Alice"), Speaker(UserId(2), "Alice")


def said(number: int, who: Speaker, text: str, ago: float) -> Exchange:
    return Exchange(TurnId(str(number)), (Said(MessageId(number), who, text, NOW - ago),))


def test_only_own_lines_of_the_last_minute_before_the_message() -> None:
    conversation = Conversation(
        PLACE,
        (
            said(80, ALICE, "long ago", LATELY + 1),
            said(90, ALICE, "i will", 20.0),
            said(100, BOB, "not hers", 10.0),
            said(110, ALICE, "", 9.0),
            said(120, ALICE, "kill", 5.0),
            said(130, ALICE, "the message itself, as it is answered once more", 0.0),
            said(140, ALICE, "later", -5.0),
        ),
    )
    turn = Turn((Message(MessageId(130), PLACE, ALICE, "time", NOW),), Trigger.MENTION)
    assert [each.text for each in just_said(turn, conversation)] == ["i will", "kill"]
