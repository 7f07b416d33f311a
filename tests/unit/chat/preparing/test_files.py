"""What a person reads of files that the model did not get."""

from __future__ import annotations

import pytest

from bot.chat.place import ChannelId, MessageId, Place, UserId
from bot.chat.preparing import files
from bot.chat.turn import Attachment, Message, Speaker, Trigger, Turn
from bot.languages import reading
from bot.prompting import PromptReport

PICTURE = Attachment("cat.png", "image/png", b"")


def turn(*unread: str, attachments: tuple[Attachment, ...] = ()) -> Turn:
    message = Message(
        MessageId(1),
        Place(ChannelId(2)),
        Speaker(UserId(3), "Ann"),
        "look",
        0.0,
        attachments=attachments,
        unread_attachments=unread,
    )
    return Turn((message,), Trigger.DM)


def line(of: Turn, *, pictures: bool = True) -> str:
    return files.unread_line(of, PromptReport((), 0, 0), pictures=pictures)


@pytest.mark.parametrize("name", ["a.zip", "a (1).zip", "a: b.zip"])
def test_a_file_is_named_once_with_the_reason(name: str) -> None:
    assert line(turn(files.unread(name, files.NOT_KEPT))) == f"Not read: {name} ({files.NOT_KEPT})"


def test_the_reason_is_in_the_readers_language() -> None:
    with reading("de"):
        told = line(turn(files.unread("a.zip", files.NOT_KEPT)))
    assert "a.zip (zu groß" in told


def test_pictures_are_named_where_the_model_sees_none() -> None:
    seen = turn(attachments=(PICTURE,))
    assert line(seen) == ""
    assert line(seen, pictures=False) == f"Not read: cat.png ({files.NO_EYES})"
