"""What goes when something is forgotten: whatever else holds the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.memory.explicit import speaks_of
from bot.memory.item import STATEMENTS, Item, Kind, before, without

SAID: Final = (*STATEMENTS, Kind.EPISODE)
"""Kinds that words can mean."""


def forgotten(
    items: Sequence[Item], chosen: Sequence[Item], about: str = ""
) -> tuple[list[Item], list[tuple[Item, Item]]]:
    """Return what goes with some items, and what stays but changes, as (before, after).

    With an item goes what it took the place of, the messages that say either, and our replies to
    these, which are keys of the messages after them. So do replies that speak of what a request
    in words is `about`.
    """
    by_id = {item.id: item for item in items}
    gone = {item.id: item for item in chosen}
    for item in chosen:
        name = before(item)
        while name in by_id and name not in gone:
            gone[name] = by_id[name]
            name = before(by_id[name])
    sources = {source for item in gone.values() for source in item.sources}
    changed: list[tuple[Item, Item]] = []
    for item in items:
        if item.id in gone or item.kind in STATEMENTS or item.kind is Kind.SUPERSEDED:
            continue
        left = without(item, sources)
        if left is not None and about and left.context and speaks_of(left.context, about):
            left = left._replace(context="", answers=())
        if left is None:
            gone[item.id] = item
        elif left is not item:
            changed.append((item, left))
    return list(gone.values()), changed
