"""A memory that people own: asked for, kept where it was told, shown, and forgotten completely."""

from __future__ import annotations

from bot.memory.explicit import Wish
from bot.memory.item import Item, Kind, Slot
from bot.memory.learning import Learner
from bot.memory.notebook import Asking, Notebook
from bot.memory.recollection import NOTHING, Recollection
from bot.memory.retrieval import Passage, retrieve
from bot.memory.service import Fulfilled, Memory
from bot.memory.store import Consent, MemoryStore
from bot.memory.undo import Undo

__all__ = [
    "NOTHING",
    "Asking",
    "Consent",
    "Fulfilled",
    "Item",
    "Kind",
    "Learner",
    "Memory",
    "MemoryStore",
    "Notebook",
    "Passage",
    "Recollection",
    "Slot",
    "Undo",
    "Wish",
    "retrieve",
]
