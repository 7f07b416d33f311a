"""Memories that were just read, kept open while their version stands, within a bound of bytes."""

from __future__ import annotations

from collections import OrderedDict

from bot.chat.place import UserId
from bot.memory.recording import terms_for
from bot.memory.rows import from_items
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, Written


class ShelfCache:
    """The least recently used goes first."""

    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        self._limit = limit
        self._total = 0
        self._held: OrderedDict[UserId, Shelf] = OrderedDict()

    def get(self, person: UserId) -> Shelf | None:
        """Return what is held of a person; its version may be an old one."""
        if person in self._held:
            self._held.move_to_end(person)
        return self._held.get(person)

    def hold(self, person: UserId, shelf: Shelf) -> None:
        """Keep a memory open."""
        self.drop(person)
        self._held[person] = shelf
        self._total += shelf.size
        while self._total > self._limit and self._held:
            self._total -= self._held.popitem(last=False)[1].size

    def drop(self, person: UserId) -> None:
        """Let a memory go."""
        held = self._held.pop(person, None)
        if held is not None:
            self._total -= held.size

    def clear(self) -> None:
        """Let all of them go."""
        self._held.clear()
        self._total = 0

    def advance(
        self, person: UserId, previous: bytes, version: bytes, changes: Changes, written: Written
    ) -> None:
        """Bring the memory that is held up to date, so that the next turn need not read it."""
        held = self._held.get(person)
        if held is None or held.version != previous or version == previous:
            return
        self.drop(person)
        added = [put for put in changes.put if put.item.id in written.stored]
        if any(put.vector is not None for put in added):
            return
        gone = {*changes.remove, *written.evicted}
        added = [put for put in added if put.item.id not in written.evicted]
        added.sort(key=lambda put: put.item.id[1:])
        items = [put.item for put in added]
        rows = held.rows.changed(
            gone | {item.id for item in items}, from_items(items, [terms_for(i) for i in items])
        )
        if rows is not None:
            values = {**held.values, **dict(changes.values)}
            values = {name: value for name, value in values.items() if value}
            self.hold(
                person,
                Shelf(version, held.epoch, held.paused, rows, values, space=held.space),
            )
