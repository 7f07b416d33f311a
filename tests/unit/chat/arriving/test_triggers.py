"""Is a message for us? Mention beats reply beats DM beats thread beats word beats auto."""

from __future__ import annotations

from typing import Any

import pytest

from bot.chat.arriving.triggers import why_answer
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Message, Quoted, Speaker, Trigger
from bot.personas.binding import TriggerMode

HERE = Place(ChannelId(1), GuildId(2))
DM = Place(ChannelId(3))


def message(text: str = "hello", place: Place = HERE, **fields: Any) -> Message:
    return Message(MessageId(9), place, Speaker(UserId(4), "Ann"), text, 0.0, **fields)


def reply(by_us: bool) -> Quoted:
    return Quoted(MessageId(8), "Troupe", by_us, "earlier")


@pytest.mark.parametrize(
    ("said", "mode", "why"),
    [
        (message(), TriggerMode.MENTION, None),
        (message(mentions_us=True), TriggerMode.MENTION, Trigger.MENTION),
        (message("", mentions_us=True), TriggerMode.MENTION, Trigger.MENTION),
        (message(replies_to=reply(True)), TriggerMode.MENTION, Trigger.REPLY),
        (message(replies_to=reply(False)), TriggerMode.AUTO, None),
        (message(mentions_us=True, replies_to=reply(True)), TriggerMode.AUTO, Trigger.MENTION),
        (message(place=DM), TriggerMode.MENTION, Trigger.DM),
        (message(), TriggerMode.AUTO, Trigger.AUTO),
        (message(""), TriggerMode.AUTO, None),
        (message("", unread_attachments=("a.zip: too big",)), TriggerMode.AUTO, Trigger.AUTO),
        (message(mentions_us=True), TriggerMode.OFF, None),
        (message("// not for you"), TriggerMode.AUTO, None),
        (message("// not for you", mentions_us=True), TriggerMode.MENTION, None),
    ],
)
def test_why(said: Message, mode: TriggerMode, why: Trigger | None) -> None:
    assert why_answer(said, mode, ()) is why


def test_a_thread_of_ours_needs_no_mention() -> None:
    assert why_answer(message(), TriggerMode.MENTION, (), own_thread=True) is Trigger.THREAD


@pytest.mark.parametrize(
    ("text", "hit"),
    [("hey Maud!", True), ("MAUD?", True), ("maudlin", False), ("(maud)", True), ("", False)],
)
def test_a_trigger_word_stands_alone(text: str, hit: bool) -> None:
    why = why_answer(message(text), TriggerMode.MENTION, ("maud",))
    assert why is (Trigger.WORD if hit else None)


def test_a_trigger_word_is_no_pattern() -> None:
    assert why_answer(message("hello"), TriggerMode.MENTION, ("h.llo",)) is None
