"""What goes when something is forgotten: whatever else holds the same. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bot.chat.place import ChannelId, GuildId, MessageId, Place
from bot.memory.explicit import speaks_of
from bot.memory.item import STATEMENTS, Item, Kind, before, without
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, Put
from bot.memory.undo import Undo

SAID: Final = (*STATEMENTS, Kind.EPISODE)
"""Kinds that words can mean."""


def messages_of(items: Iterable[Item]) -> dict[Place, list[MessageId]]:
    """Return the messages that say these items, by the place where each was said."""
    found: dict[Place, set[MessageId]] = {}
    for item in items:
        for channel, message in item.sources:
            place = Place(ChannelId(channel), GuildId(item.guild) if item.guild else None)
            found.setdefault(place, set()).add(MessageId(message))
    return {place: sorted(messages) for place, messages in found.items()}


def forget(shelf: Shelf, chosen: Sequence[Item], about: str = "") -> tuple[Changes, Undo]:
    """Return the changes that forget some items, and what brings them back.

    With an item goes what it took the place of, the messages that say either, and our replies to
    these, which are keys of the messages after them. So do replies that speak of what a request
    in words is `about`.
    """
    by_id = {item.id: item for item in shelf.items}
    gone = {item.id: item for item in chosen}
    for item in chosen:
        name = before(item)
        while name in by_id and name not in gone:
            gone[name] = by_id[name]
            name = before(by_id[name])
    sources = {source for item in gone.values() for source in item.sources}
    before_cut: list[Item] = []
    puts: list[Put] = []
    for item in shelf.items:
        if item.id in gone or item.kind in STATEMENTS or item.kind is Kind.SUPERSEDED:
            continue
        left = without(item, sources)
        if left is not None and about and left.context and speaks_of(left.context, about):
            left = left._replace(context="", answers=())
        if left is None:
            gone[item.id] = item
        elif left is not item:
            before_cut.append(item)
            puts.append(Put(left))
    undo = Undo(tuple(gone.values()), changed=tuple(before_cut), epoch=shelf.epoch)
    return Changes(tuple(puts), tuple(gone)), undo
