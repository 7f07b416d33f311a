"""What a dead process, a deletion or an edit left of turns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.chat.place import MessageId, Place, UserId
from bot.chat.running import Running
from bot.chat.turn import Again, Message, Turn
from bot.ports import JournalEntry, Progress


def left_of(turn: Turn, gone: Collection[MessageId]) -> tuple[Message, ...]:
    """Return what is left of a turn without messages that were deleted; nothing of a wish about
    a reply whose whole question is gone."""
    question = turn.again.question if turn.again is not None else ()
    if question and all(each in gone for each in question):
        return ()
    return tuple(m for m in turn.messages if (m.about or m.id) not in gone)


def reworded(entry: JournalEntry, texts: Mapping[MessageId, str]) -> JournalEntry:
    """Return an entry with what its message says now, by the message's id."""
    text = texts.get(entry.message.id)
    return entry if text is None else replace(entry, message=replace(entry.message, text=text))


def asked_anew(turn: Turn, message: MessageId, text: str) -> Turn:
    """Return a question with a message's new text; what else a turn may be stays as it is."""
    if turn.again is not None or turn.cue is not None or turn.order is not None:
        return turn
    said = (replace(each, text=text) if each.id == message else each for each in turn.messages)
    return replace(turn, messages=tuple(said))


def rerun(turn: Turn, again: Again, began: float, noted: Progress | None = None) -> Running:
    """Return a run that changes a reply where it stands."""
    standing = noted.reply_ids if noted and noted.reply_ids else again.reply
    progress = Progress(standing, again.webhook, whole=noted is None)
    return Running(turn, began, progress=progress)


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
