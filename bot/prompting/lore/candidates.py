"""Entries prepared for scanning: sorted once, keys compiled once per book."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.personas.lorebook import Entry, Lorebook
from bot.prompting.lore.keys import Key, compile_key, escaped, is_pattern
from bot.prompting.macro_values import MacroContext

MAX_PREPARED = 256


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An entry with its keys ready. `number` is its place among all candidates."""

    entry: Entry
    book: Lorebook
    number: int
    tier: int
    primary: tuple[Key, ...]
    secondary: tuple[Key, ...]
    additional: tuple[tuple[Key, ...], ...]
    excluded: tuple[Key, ...]
    has_macros: bool


@dataclass(frozen=True, slots=True)
class Matching:
    """How keys are compared where the entry does not say."""

    case_sensitive: bool = False
    whole_words: bool = True


_prepared: OrderedDict[tuple[object, ...], tuple[object, tuple[Candidate, ...]]] = OrderedDict()
_lock = threading.Lock()


def prepare(
    tiers: Sequence[Sequence[Lorebook]], matching: Matching, context: MacroContext
) -> tuple[Candidate, ...]:
    """Return the enabled entries of all books: tier by tier, in each by falling order.

    The work is done once per set of books; keys with macros are made anew each time.
    """
    key = (matching, *(tuple(map(id, tier)) for tier in tiers))
    with _lock:
        held = _prepared.get(key)
        if held is not None:
            _prepared.move_to_end(key)
    if held is None:
        # The books are held too, so that no other book gets their ids.
        held = (tuple(map(tuple, tiers)), _made(tiers, matching))
        with _lock:
            _prepared[key] = held
            if len(_prepared) > MAX_PREPARED:
                _prepared.popitem(last=False)
    candidates = held[1]
    if not any(each.has_macros for each in candidates):
        return candidates
    return tuple(
        _candidate(each.entry, each.book, each.number, each.tier, matching, context)
        if each.has_macros
        else each
        for each in candidates
    )


def _made(tiers: Sequence[Sequence[Lorebook]], matching: Matching) -> tuple[Candidate, ...]:
    made: list[Candidate] = []
    for tier, books in enumerate(tiers):
        entries = [(book, entry) for book in books for entry in book.entries if entry.enabled]
        entries.sort(key=lambda each: -each[1].order)
        for book, entry in entries:
            made.append(_candidate(entry, book, len(made), tier, matching, None))
    return tuple(made)


def _candidate(
    entry: Entry,
    book: Lorebook,
    number: int,
    tier: int,
    matching: Matching,
    context: MacroContext | None,
) -> Candidate:
    case = matching.case_sensitive if entry.case_sensitive is None else entry.case_sensitive
    whole = matching.whole_words if entry.whole_words is None else entry.whole_words

    def ready(keys: tuple[str, ...]) -> tuple[Key, ...]:
        compiled = (
            compile_key(
                _expanded(key, context),
                case_sensitive=case,
                whole_words=whole,
                must_be_valid=entry.use_regex,
            )
            for key in keys
        )
        return tuple(key for key in compiled if key is not None)

    decorators = entry.decorators
    patterns = bool(decorators.exclude_keys) and any(map(is_pattern, entry.keys))
    texts = (
        *entry.keys,
        *entry.secondary_keys,
        *decorators.exclude_keys,
        *(key for group in decorators.additional_keys for key in group),
    )
    return Candidate(
        entry=entry,
        book=book,
        number=number,
        tier=tier,
        primary=ready(entry.keys),
        secondary=ready(entry.secondary_keys) if entry.selective else (),
        additional=tuple(ready(group) for group in decorators.additional_keys),
        # Character Card V3: `exclude_keys` is ignored where keys are patterns.
        excluded=() if patterns else ready(decorators.exclude_keys),
        has_macros=any("{{" in text or "<" in text for text in texts),
    )


def _expanded(key: str, context: MacroContext | None) -> str:
    if context is None or ("{{" not in key and "<" not in key):
        return key
    if not is_pattern(key):
        return context.expand(key)
    user, char = context.user, context.char
    context.user, context.char = escaped(user), escaped(char)
    try:
        return context.expand(key)
    finally:
        context.user, context.char = user, char
