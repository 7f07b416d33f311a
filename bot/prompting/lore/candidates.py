"""Entries prepared for scanning: sorted once, keys compiled once per book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.personas.lorebook import Entry, Lorebook
from bot.prompting.kept import Kept
from bot.prompting.lore.key_index import KeyIndex
from bot.prompting.lore.keys import Key, Literal, Pattern, compile_key, escaped, is_pattern
from bot.prompting.lore.timed import entry_key
from bot.prompting.macro_values import MacroContext

MAX_HELD = 500_000
"""Entries and keys of the books that are held ready, all together; of more the oldest go."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An entry with its keys ready. `number` is its place among all candidates."""

    entry: Entry
    book: Lorebook
    number: int
    tier: int
    key: str
    """What the entry's effects are kept under."""
    depth: int | None
    """How many messages are searched for its keys, where it says so itself."""
    primary: tuple[Key, ...]
    secondary: tuple[Key, ...]
    additional: tuple[tuple[Key, ...], ...]
    excluded: tuple[Key, ...]
    has_macros: bool

    @property
    def size(self) -> int:
        """Itself, and its keys."""
        keys = (self.primary, self.secondary, *self.additional, self.excluded)
        return 1 + sum(map(len, keys))

    @property
    def needs_no_literal(self) -> bool:
        """Whether it may fire without one of its literal keys being found."""
        entry, decorators = self.entry, self.entry.decorators
        return bool(
            entry.constant
            or entry.sticky
            or decorators.activate
            or decorators.keep_after_match
            or self.has_macros
            or any(isinstance(key, Pattern) for key in self.primary)
        )


@dataclass(frozen=True, slots=True)
class Matching:
    """How keys are compared where the entry does not say."""

    case_sensitive: bool = False
    whole_words: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The enabled entries of some books, and what can be known of them before any scan."""

    candidates: tuple[Candidate, ...]
    index: KeyIndex
    by_key: Mapping[Literal, tuple[int, ...]]
    """Whose primary key a literal is, by number."""
    anyway: tuple[int, ...]
    """Those to be looked at whatever is found, by number."""
    by_name: Mapping[str, Entry]
    """Entries by what their effects are kept under."""
    levels: tuple[int, ...]
    """The levels of recursion that entries wait for, rising."""
    depths: frozenset[int]
    """The depths that entries ask for."""
    books: tuple[Lorebook, ...]
    size: int
    """Its entries and their keys."""


_prepared: Kept[tuple[object, ...], tuple[object, Prepared]] = Kept(
    MAX_HELD, lambda held: held[1].size
)


def prepare(
    tiers: Sequence[Sequence[Lorebook]], matching: Matching, context: MacroContext | None = None
) -> Prepared:
    """Return the enabled entries of all books: tier by tier, in each by falling order.

    The work is done once per set of books; keys with macros are made anew for each context.
    """
    key = (matching, *(tuple(map(id, tier)) for tier in tiers))
    # The books are held too, so that no other book gets their ids.
    _, prepared = _prepared.get(key, lambda: (tuple(map(tuple, tiers)), _made(tiers, matching)))
    if context is None or not any(each.has_macros for each in prepared.candidates):
        return prepared
    made = tuple(
        _candidate(each.entry, each.book, each.number, each.tier, matching, context)
        if each.has_macros
        else each
        for each in prepared.candidates
    )
    return replace(prepared, candidates=made)


def _made(tiers: Sequence[Sequence[Lorebook]], matching: Matching) -> Prepared:
    made: list[Candidate] = []
    index = KeyIndex()
    by_key: dict[Literal, list[int]] = defaultdict(list)
    for tier, books in enumerate(tiers):
        entries = [(book, entry) for book in books for entry in book.entries if entry.enabled]
        entries.sort(key=lambda each: -each[1].order)
        for book, entry in entries:
            candidate = _candidate(entry, book, len(made), tier, matching, None, index)
            made.append(candidate)
            for key in candidate.primary:
                if isinstance(key, Literal):
                    by_key[key].append(candidate.number)
    return Prepared(
        candidates=tuple(made),
        index=index,
        by_key={key: tuple(numbers) for key, numbers in by_key.items()},
        anyway=tuple(each.number for each in made if each.needs_no_literal),
        by_name={each.key: each.entry for each in made},
        levels=tuple(sorted({e.entry.recursion_level for e in made if e.entry.recursion_level})),
        depths=frozenset(each.depth for each in made if each.depth is not None),
        books=tuple(book for tier in tiers for book in tier),
        size=sum(each.size for each in made),
    )


def _candidate(
    entry: Entry,
    book: Lorebook,
    number: int,
    tier: int,
    matching: Matching,
    context: MacroContext | None,
    index: KeyIndex | None = None,
) -> Candidate:
    case = matching.case_sensitive if entry.case_sensitive is None else entry.case_sensitive
    whole = matching.whole_words if entry.whole_words is None else entry.whole_words
    decorators = entry.decorators
    patterns = bool(decorators.exclude_keys) and any(map(is_pattern, entry.keys))
    has_macros = any("{{" in key or "<" in key for key in entry.every_key)
    literal = Literal if index is None or has_macros else index.literal

    def ready(keys: tuple[str, ...]) -> tuple[Key, ...]:
        compiled = (
            compile_key(
                _expanded(key, context),
                case_sensitive=case,
                whole_words=whole,
                must_be_valid=entry.use_regex,
                literal=literal,
            )
            for key in keys
        )
        return tuple(key for key in compiled if key is not None)

    return Candidate(
        entry=entry,
        book=book,
        number=number,
        tier=tier,
        key=entry_key(entry),
        depth=decorators.scan_depth if decorators.scan_depth is not None else entry.scan_depth,
        primary=ready(entry.keys),
        secondary=ready(entry.secondary_keys) if entry.selective else (),
        additional=tuple(ready(group) for group in decorators.additional_keys),
        # Character Card V3: `exclude_keys` is ignored where keys are patterns.
        excluded=() if patterns else ready(decorators.exclude_keys),
        has_macros=has_macros,
    )


def _expanded(key: str, context: MacroContext | None) -> str:
    if context is None or ("{{" not in key and "<" not in key):
        return key
    if not is_pattern(key):
        return context.expand(key)
    as_said = replace(
        context,
        user=escaped(context.user),
        char=escaped(context.char),
        others=tuple(map(escaped, context.others)),
        values={name: escaped(value) for name, value in context.values.items()},
    )
    return as_said.expand(key)
