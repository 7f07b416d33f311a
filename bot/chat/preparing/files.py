"""Which of the attached files were not read, and why, in words for the person."""

from __future__ import annotations

from typing import Final

from bot.chat.turn import Turn
from bot.languages import mark, t, translated
from bot.prompting import PromptReport
from bot.prompting.late import is_picture

UNREADABLE: Final = mark("not an image or a text")
TOO_LARGE_TEXT: Final = mark("a text of more than 256 KB")
TOO_LARGE_IMAGE: Final = mark("an image of more than 8 MB or 40 megapixels")
TOO_MANY: Final = mark("more than 4 files")
NOT_FETCHED: Final = mark("could not be fetched")
NOT_KEPT: Final = mark("too large to be kept over a restart")
NOT_WHAT_IT_SAYS: Final = mark("its content is something else")
DAMAGED: Final = mark("an image that is damaged: it can't be read")
NOT_TEXT: Final = mark("not in UTF-8 or UTF-16")
NO_EYES: Final = mark("the model here sees no images")
NO_ROOM: Final = mark("too long for the model")
FILE: Final = "file "
"""How a prompt's report names the part of an attached text."""


def unread(name: str, reason: str) -> str:
    """Return what stands for a file that was not read: its name, and one of the reasons above."""
    return f"{name} ({reason})"


def has_pictures(turn: Turn) -> bool:
    """Whether a turn came with pictures that were read."""
    return any(is_picture(file) for message in turn.messages for file in message.attachments)


def unread_line(turn: Turn, report: PromptReport | None, *, pictures: bool) -> str:
    """Return one line about the files that the model did not get; empty when it got all.

    `pictures`: whether the model sees.
    """
    if report is None:
        return ""  # nothing was asked of a model
    found: list[tuple[str, str]] = []
    for message in turn.messages:
        found += [_parts(each) for each in message.unread_attachments]
        if not pictures:
            found += [(file.name, NO_EYES) for file in message.attachments if is_picture(file)]
    found += [
        (part.name.removeprefix(FILE), NO_ROOM)
        for part in report.parts
        if part.name.startswith(FILE) and not part.kept
    ]
    files = " · ".join(f"{name} ({translated(reason)})" for name, reason in found)
    return t("Not read: {files}", files=files) if files else ""


def _parts(stated: str) -> tuple[str, str]:
    name, _, reason = stated.rpartition(" (")
    return name or stated, reason.removesuffix(")")
