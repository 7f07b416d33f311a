"""What brings a change of a memory back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.memory.item import STATEMENTS, Item, Kind

KEPT: Final = 1_000
"""Changes by wishes in chat that can still be taken back."""


@dataclass(frozen=True, slots=True)
class Undo:
    """What brings a change back: the items that were there, and those that took their place."""

    restore: tuple[Item, ...] = ()
    remove: tuple[str, ...] = ()
    changed: tuple[Item, ...] = ()
    """Messages as they were before our reply to what is forgotten was cut from them."""
    epoch: bytes = b""
    """The memory that it belongs to: another one, begun since, gets nothing back."""

    def __bool__(self) -> bool:
        return bool(self.restore or self.remove or self.changed)

    def counts(self) -> tuple[int, int]:
        """Return how many statements, and how many messages, were taken away."""
        kinds = [item.kind for item in self.restore]
        return sum(kind in STATEMENTS for kind in kinds), kinds.count(Kind.EPISODE)


NO_UNDO: Final = Undo()
