"""What a dead process left, as turns to be run again."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.arriving.running import Running
from bot.chat.place import Place, UserId
from bot.chat.turn import Again, Turn
from bot.ports import JournalEntry, Progress


def rerun(turn: Turn, again: Again, began: float, noted: Progress | None = None) -> Running:
    """Return a run that changes a reply where it stands."""
    standing = noted.reply_ids if noted and noted.reply_ids else again.reply
    return Running(turn, began, progress=Progress(standing, again.webhook))


def regrouped(entries: Sequence[JournalEntry], window: float) -> list[tuple[Turn, JournalEntry]]:
    """Put bursts together again: one person's messages in one place, close in time."""
    groups: list[list[JournalEntry]] = []
    latest: dict[tuple[Place, UserId], list[JournalEntry]] = {}
    for entry in entries:
        if entry.message.cue is not None:  # a turn of its own, whoever spoke just before
            groups.append([entry])
            continue
        key = (entry.message.place, entry.message.speaker.id)
        group = latest.get(key)
        if entry.message.again is not None or entry.message.order is not None:
            groups.append([entry])
        elif group and entry.message.at - group[-1].message.at <= window:
            group.append(entry)
        else:
            latest[key] = [entry]
            groups.append(latest[key])
    return [(Turn(tuple(e.message for e in group), group[0].trigger), group[0]) for group in groups]
