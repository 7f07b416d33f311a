"""Lorebooks as values: facts that a keyword pulls into the prompt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

MAX_KEYS = 256
"""Of one kind that an entry may have."""
MAX_KEY_CHARS = 2_000


class Position(StrEnum):
    """Where an entry stands. All of them render into the last user message, in this order."""

    BEFORE_CHAR = "before_char"
    BEFORE_DESC = "before_desc"
    AFTER_DESC = "after_desc"
    PERSONALITY = "personality"
    SCENARIO = "scenario"
    AFTER_CHAR = "after_char"
    EXAMPLES_TOP = "examples_top"
    EXAMPLES_BOTTOM = "examples_bottom"
    NOTE_TOP = "note_top"
    NOTE_BOTTOM = "note_bottom"
    AT_DEPTH = "at_depth"
    OUTLET = "outlet"
    """Only where a `{{outlet::name}}` macro asks for it."""


class Logic(IntEnum):
    """How the secondary keys count, by SillyTavern's numbers."""

    AND_ANY = 0
    NOT_ALL = 1
    NOT_ANY = 2
    AND_ALL = 3


ROLES = ("system", "user", "assistant")
"""Roles of an injection, by SillyTavern's numbers."""


@dataclass(frozen=True, slots=True)
class Decorators:
    """The `@@…` lines at the head of an entry (Character Card V3, "Decorators")."""

    only_after: int | None = None
    only_every: int | None = None
    keep_after_match: bool = False
    never_after_match: bool = False
    depth: int | None = None
    reverse_depth: int | None = None
    role: str | None = None
    scan_depth: int | None = None
    greeting: int | None = None
    position: Position | None = None
    drop_first: bool = False
    """`ignore_on_max_context`: the first to go when the context is full."""
    additional_keys: tuple[tuple[str, ...], ...] = ()
    """Each group must have one match."""
    exclude_keys: tuple[str, ...] = ()
    activate: bool = False
    dont_activate: bool = False


@dataclass(frozen=True, slots=True)
class CharacterFilter:
    """Which personas may use an entry, by name or id and by tag, in small letters. Both count
    where both are given."""

    names: frozenset[str]
    exclude: bool = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact. Counts of messages, tokens of budget and percent as in the card."""

    index: int
    uid: str
    content: str
    """Without its decorators, line ends as `\\n`."""
    keys: tuple[str, ...] = ()
    secondary_keys: tuple[str, ...] = ()
    selective: bool = False
    logic: Logic = Logic.AND_ANY
    enabled: bool = True
    constant: bool = False
    order: int = 100
    priority: int | None = None
    name: str = ""
    use_regex: bool = False
    """Only where the key came from; a key is a pattern when it is written `/pattern/flags`."""
    case_sensitive: bool | None = None
    whole_words: bool | None = None
    scan_depth: int | None = None
    position: Position = Position.BEFORE_CHAR
    depth: int = 4
    role: str = "system"
    outlet: str = ""
    probability: float = 100.0
    groups: tuple[str, ...] = ()
    group_override: bool = False
    group_weight: float = 100.0
    group_scoring: bool | None = None
    exclude_recursion: bool = False
    prevent_recursion: bool = False
    recursion_level: int = 0
    """Waits for a recursion pass of at least this level; 0 does not wait."""
    sticky: int = 0
    cooldown: int = 0
    delay: int = 0
    ignore_budget: bool = False
    characters: CharacterFilter | None = None
    triggers: frozenset[str] = frozenset()
    decorators: Decorators = field(default_factory=Decorators)
    digest: str = ""
    """Changes when the author changes the entry; ends its timed effects."""

    @property
    def every_key(self) -> tuple[str, ...]:
        """Return all that is searched for it, those in its decorators included."""
        decorators = self.decorators
        additional = (key for group in decorators.additional_keys for key in group)
        return (*self.keys, *self.secondary_keys, *additional, *decorators.exclude_keys)


@dataclass(frozen=True, slots=True)
class Lorebook:
    """Entries in the author's order; None where the book leaves the choice to us."""

    name: str = ""
    description: str = ""
    scan_depth: int | None = None
    token_budget: int | None = None
    recursive: bool | None = None
    entries: tuple[Entry, ...] = ()
