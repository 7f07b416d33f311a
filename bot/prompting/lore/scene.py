"""What an evaluation of lorebooks is given, and what it returns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.personas.lorebook import Entry, Lorebook, Position
from bot.prompting.lore.candidates import Matching
from bot.prompting.lore.timed import LoreState
from bot.prompting.macro_values import MacroContext

MAX_PASSES = 30
"""Chains of recursion in real books have a few links; each pass costs time."""


@dataclass(frozen=True, slots=True)
class LoreSettings:
    """What holds where a book leaves the choice to us; SillyTavern's defaults."""

    depth: int = 2
    recursive: bool = True
    include_names: bool = True
    matching: Matching = field(default_factory=Matching)
    group_scoring: bool = False
    min_activations: int = 0
    """Look at older messages until so many entries fired."""
    min_activations_depth: int = 0
    """But at no more messages than these; 0 for all."""
    max_passes: int = MAX_PASSES


class ScanMessage(NamedTuple):
    """A message of the conversation, as keys are looked for in it."""

    name: str
    text: str
    by_character: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What an evaluation depends on. `chat` is oldest first; `budget` counts tokens."""

    chat: Sequence[ScanMessage]
    context: MacroContext
    budget: int
    count: Callable[[str], int]
    chance: Callable[[], float]
    length: int
    state: LoreState = field(default_factory=LoreState)
    turn: str = ""
    names: frozenset[str] = frozenset()
    """Name and id of the persona in small letters, for character filters."""
    tags: frozenset[str] = frozenset()
    """Tags of its card in small letters, for the same."""
    trigger: str = "normal"
    greeting: int | None = None
    injected: tuple[str, ...] = ()
    """Further texts to be searched, such as a summary."""


@dataclass(frozen=True, slots=True)
class Fired:
    """An entry that goes in, with its macros expanded."""

    entry: Entry
    book: Lorebook
    content: str
    depth: int
    """Messages from the end, for entries at a depth."""

    @property
    def label(self) -> str:
        """Return a name for reports: the entry's own, else its first key."""
        return label_of(self.entry)

    @property
    def prefill(self) -> bool:
        """Whether this is how the reply should begin."""
        entry = self.entry
        return entry.position is Position.AT_DEPTH and not self.depth and entry.role == "assistant"


def label_of(entry: Entry) -> str:
    """Return a name for reports: the entry's own, else its first key."""
    return entry.name or next(iter(entry.keys), f"entry {entry.uid}")


@dataclass(frozen=True, slots=True)
class LoreResult:
    """What goes in, in the order it was found; and what fired but did not fit."""

    fired: tuple[Fired, ...]
    cut: tuple[str, ...]
    state: LoreState
    tokens: int
    warnings: tuple[str, ...] = ()

    def placed(self) -> list[Fired]:
        """Return the entries as they stand in the text: rising order, ties as in the book."""
        return sorted(self.fired, key=lambda each: (each.entry.order, each.entry.index))

    def by_position(self) -> defaultdict[Position, list[Fired]]:
        """Return the entries of each position as they stand in the text."""
        found: defaultdict[Position, list[Fired]] = defaultdict(list)
        for each in self.placed():
            found[each.entry.position].append(each)
        return found
