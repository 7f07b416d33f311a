"""Example dialogues of a card, as blocks of who says what."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_BLOCKS = 200

_START = re.compile(r"<START>", re.I)


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """One turn of an example. `by_character` or by the person."""

    by_character: bool
    text: str


def parse_examples(mes_example: str, user: str, char: str) -> tuple[tuple[ExampleLine, ...], ...]:
    """Return the blocks of `mes_example`, its macros already replaced.

    Blocks are separated by `<START>` in any case; a missing first one is supposed. A line that
    begins with a name and a colon changes the speaker, other speakers' lines stay where they
    stand, and text before the first speaker joins the first message. Empty blocks vanish.
    """
    blocks = []
    for block in _START.split(mes_example)[: MAX_BLOCKS + 1]:
        lines = _lines(block.strip("\n"), user, char)
        if lines:
            blocks.append(tuple(lines))
    return tuple(blocks[:MAX_BLOCKS])


def _lines(block: str, user: str, char: str) -> list[ExampleLine]:
    said: list[ExampleLine] = []
    speaker: bool | None = None
    pending: list[str] = []

    def close() -> None:
        if speaker is not None and pending:
            said.append(ExampleLine(speaker, "\n".join(pending).strip()))

    for line in block.split("\n"):
        spoken = _speaker(line, user, char)
        if spoken is None:
            pending.append(line)
            continue
        by_character, rest = spoken
        if speaker is None:
            pending.append(rest)  # what stood before the first speaker joins it
        else:
            close()
            pending = [rest]
        speaker = by_character
    if speaker is None and "\n".join(pending).strip():
        speaker = True  # narration alone is in the character's voice
    close()
    return [line for line in said if line.text]


def _speaker(line: str, user: str, char: str) -> tuple[bool, str] | None:
    for name, by_character in ((char, True), (user, False)):
        if name and line.startswith(f"{name}:"):
            return by_character, line[len(name) + 1 :]
    return None
