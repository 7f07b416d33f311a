"""What was said as messages of alternating roles: user first, user last."""

from __future__ import annotations

from collections.abc import Sequence

from bot.ports import ChatMessage
from bot.prompting.history import Line
from bot.prompting.opening import BEGINNING


def alternating(
    system: str, opening: str, lines: Sequence[Line], last: ChatMessage, *, plain: bool
) -> tuple[ChatMessage, ...]:
    """Return the messages: the system's, what stands before the history, its lines, the last.

    `plain`: see `Line.shown`.
    """
    turns: list[tuple[bool, list[str]]] = []
    for line in lines:
        text = line.shown(plain=plain)
        if turns and turns[-1][0] == line.ours:
            turns[-1][1].append(text)
        else:
            turns.append((line.ours, [text]))
    if opening or (turns and turns[0][0]):
        head = "\n\n".join(part for part in (opening, BEGINNING) if part)
        if turns and not turns[0][0]:
            turns[0][1].insert(0, head + "\n")
        else:
            turns.insert(0, (False, [head]))
    if turns and not turns[-1][0]:
        texts = [*turns.pop()[1], "\n" + last.content]
        last = ChatMessage(last.role, "\n".join(texts), last.images)
    said = (ChatMessage("assistant" if ours else "user", "\n".join(each)) for ours, each in turns)
    return (ChatMessage("system", system), *said, last)
