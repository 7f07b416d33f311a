"""From a book's JSON to a `Lorebook`: the specification's names, SillyTavern's, or both at once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.errors import CardRejected
from bot.personas import rawjson
from bot.personas.coerce import Notes, flag, integer, mapping, number, plain_lines, text, texts
from bot.personas.decorators import split_decorators
from bot.personas.lorebook import (
    MAX_KEY_CHARS,
    MAX_KEYS,
    ROLES,
    CharacterFilter,
    Decorators,
    Entry,
    Logic,
    Lorebook,
    Position,
)
from bot.personas.patterns import compile_javascript, written

LOREBOOK_V3 = "lorebook_v3"
"""What a standalone book of Version 3 calls its form."""
MAX_ENTRIES = 10_000
MAX_BOOK_KEYS = 50_000
"""Of all entries: ready to be searched for, each takes some 500 bytes of memory."""
MAX_PATTERNS = 1_000
"""Patterns among the keys of one book: each takes a quarter of a millisecond to compile."""
LIVING_PATTERN = 10
"""As how many a pattern with macros counts: it is compiled anew for each person."""
MAX_PATTERN_CHARS = 100_000
"""Characters of these patterns together."""

_TAG_ID = re.compile(r"\d{9,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{9,}", re.I)
"""How SillyTavern numbers tags: by the clock, or with a UUID."""
_POSITIONS = {
    "before_char": Position.BEFORE_CHAR,
    "before_char_defs": Position.BEFORE_CHAR,
    "after_char": Position.AFTER_CHAR,
    "after_char_defs": Position.AFTER_CHAR,
    "0": Position.BEFORE_CHAR,
    "1": Position.AFTER_CHAR,
    "2": Position.NOTE_TOP,
    "3": Position.NOTE_BOTTOM,
    "4": Position.AT_DEPTH,
    "5": Position.EXAMPLES_TOP,
    "6": Position.EXAMPLES_BOTTOM,
    "7": Position.OUTLET,
}
"""SillyTavern writes numbers, also in quotes; the specification writes names."""


def lorebook_data(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what of a standalone book's JSON holds the book: its `data`, or all of it."""
    data = tree.get("data")
    return data if tree.get("spec") == LOREBOOK_V3 and isinstance(data, Mapping) else tree


def read_book(raw: Mapping[str, Any], notes: Notes, *, world_info: bool = False) -> Lorebook:
    """Read an embedded book, or the `data` of a standalone one.

    In a `world_info` file SillyTavern's names and its object of entries are no deviations.
    """
    if raw.get("extensions") is None and not world_info:
        notes.warn("the lorebook has no extensions: taken as empty")
    entries = entries_of(raw, notes, world_info=world_info)
    names = [_uid(each, index) for index, each in enumerate(entries)]
    keys = _KeyReader(notes)
    if len(set(names)) < len(names):
        notes.warn("lorebook entries share an id: told apart by their place")
    return Lorebook(
        name=text(raw.get("name"), "the lorebook's name", notes),
        description=text(raw.get("description"), "the lorebook's description", notes),
        scan_depth=integer(raw.get("scan_depth"), "scan_depth", notes, low=0, high=10_000),
        token_budget=integer(raw.get("token_budget"), "token_budget", notes, low=0),
        recursive=flag(raw.get("recursive_scanning"), "recursive_scanning", notes),
        entries=tuple(
            _entry(index, _Fields(each, notes, world_info), keys)
            for index, each in enumerate(entries)
        ),
    )


def entries_of(
    raw: Mapping[str, Any], notes: Notes, *, world_info: bool = False
) -> list[Mapping[str, Any]]:
    """Return a book's entries as a list, those of an object by their numeric key."""
    entries = raw.get("entries")
    if isinstance(entries, Mapping):
        if not world_info:
            notes.warn("the lorebook's entries are an object: ordered by their number")
        entries = [entries[key] for key in sorted(entries, key=_numeric)]
    elif not isinstance(entries, list):
        if entries is not None:
            notes.warn("the lorebook's entries are no list: left out")
        entries = []
    if len(entries) > MAX_ENTRIES:
        raise CardRejected(
            "The lorebook has more than {entries} entries.", entries=f"{MAX_ENTRIES:,}"
        )
    good = [each for each in entries if isinstance(each, Mapping)]
    if len(good) < len(entries):
        notes.warn("a lorebook entry is not an object: left out")
    return good


def _numeric(key: str) -> tuple[int, int, str]:
    digits = key.strip()
    if digits.isascii() and digits.isdigit() and len(digits) < 20:
        return (0, int(digits), key)
    return (1, 0, key)


class _Fields:
    """One entry's values under the names of both worlds; the specification's name wins."""

    def __init__(self, raw: Mapping[str, Any], notes: Notes, world_info: bool) -> None:
        self.raw = raw
        self.notes = notes
        self._world_info = world_info
        if raw.get("extensions") == "":
            notes.warn("an entry's extensions are an empty text: taken as none")
        self.extensions = mapping(raw.get("extensions"), "an entry's extensions", notes)

    def own(self, name: str, other: str) -> Any:
        """Return a top-level value: the specification's name, else SillyTavern's."""
        if self.raw.get(name) is None and self.raw.get(other) is not None:
            if not self._world_info:
                self.notes.warn(f"an entry says {other} for {name}")
            return self.raw[other]
        if self.raw.get(other) is not None and not self._world_info:
            self.notes.warn(f"an entry has both {name} and {other}: {name} counts")
        return self.raw.get(name)

    def extended(self, *names: str) -> Any:
        """Return a value of the SillyTavern set: from extensions, else from the top level."""
        for place in (self.extensions, self.raw):
            for name in names:
                if place.get(name) is not None and place[name] != "":
                    return place[name]
        return None

    def count(self, *names: str, high: int = 100_000) -> int | None:
        return integer(self.extended(*names), names[0], self.notes, low=0, high=high)

    def truth(self, *names: str) -> bool | None:
        return flag(self.extended(*names), names[0], self.notes)


def _entry(index: int, fields: _Fields, read: _KeyReader) -> Entry:
    raw, notes = fields.raw, fields.notes
    content = plain_lines(text(raw.get("content"), "an entry's content", notes), notes)
    decorators, body = split_decorators(content)
    if "{{#" in body or "<%" in body:
        notes.warn("a lorebook entry holds template code ({{#if}} or <% %>): left as text")
    if not body.strip():
        notes.warn("a lorebook entry has no content: it adds nothing")
    keys = read.keys(fields.own("keys", "key"), "keys")
    secondary = read.keys(fields.own("secondary_keys", "keysecondary"), "secondary_keys")
    decorators = read.decorated(decorators)
    constant = flag(raw.get("constant"), "constant", notes) or False
    selective = flag(raw.get("selective"), "selective", notes)
    if selective and not secondary:
        notes.warn("a selective entry has no secondary keys: they are not required")
    if not keys and not constant and not decorators.activate:
        notes.warn("a lorebook entry has no keys and is not constant: it can't fire")
    position, depth, role = _placing(fields, decorators)
    return Entry(
        index=index,
        uid=_uid(raw, index, notes),
        content=body,
        keys=keys,
        secondary_keys=secondary,
        selective=bool(selective) and bool(secondary),
        enabled=_enabled(fields),
        constant=constant,
        order=_whole(fields.own("insertion_order", "order"), "insertion_order", notes, 100),
        priority=integer(raw.get("priority"), "priority", notes),
        name=text(raw.get("name"), "an entry's name", notes)
        or text(raw.get("comment"), "an entry's comment", notes),
        use_regex=flag(raw.get("use_regex"), "use_regex", notes) or False,
        position=position,
        depth=depth,
        role=role,
        decorators=decorators,
        digest=hashlib.sha256(rawjson.write(raw).encode()).hexdigest()[:12],
        **_conditions(fields),
    )


def _enabled(fields: _Fields) -> bool:
    enabled = flag(fields.raw.get("enabled"), "enabled", fields.notes)
    if enabled is not None:
        return enabled
    return not flag(fields.raw.get("disable"), "disable", fields.notes)


def _placing(fields: _Fields, decorators: Decorators) -> tuple[Position, int, str]:
    """Return position, depth and role; decorators beat extensions, extensions beat the field."""
    notes = fields.notes
    depth = fields.count("depth", high=10_000)
    role = fields.extended("role")
    named = role if role in ROLES else None
    number_ = None if named else integer(role, "role", notes, low=0, high=2)
    said = fields.extended("position")
    if isinstance(said, str) and said not in ("before_char", "after_char"):
        notes.warn(f"an entry's position is {said[:20]!r}: read by its meaning")
    place = _POSITIONS.get(str(0 if said is None else said))
    if place is None:
        notes.warn("an entry has an unknown position: placed before the character")
        place = Position.BEFORE_CHAR
    if decorators.position is not None:
        place = decorators.position
    elif decorators.depth is not None:
        place, depth = Position.AT_DEPTH, max(0, decorators.depth)
    elif decorators.reverse_depth is not None:
        place = Position.AT_DEPTH
    spoken = decorators.role or named or ROLES[number_ or 0]
    return place, 4 if depth is None else depth, spoken


def _conditions(fields: _Fields) -> dict[str, Any]:
    """Return when an entry may fire: SillyTavern's set of extensions."""
    notes, extra, truth = fields.notes, fields.extended, fields.truth
    chance = number(extra("probability"), "probability", notes)
    if truth("useProbability", "use_probability") is False:
        chance = None
    logic = integer(
        extra("selectiveLogic", "selective_logic"), "selectiveLogic", notes, low=0, high=3
    )
    weight = number(extra("group_weight", "groupWeight"), "group_weight", notes)
    group = text(extra("group"), "group", notes)
    raw_filter = mapping(extra("characterFilter", "character_filter"), "characterFilter", notes)
    case = fields.extensions.get("case_sensitive")
    if case is None:
        case = fields.own("case_sensitive", "caseSensitive")
    return {
        "logic": Logic(logic or 0),
        "case_sensitive": flag(case, "case_sensitive", notes),
        "whole_words": truth("match_whole_words", "matchWholeWords"),
        "scan_depth": fields.count("scan_depth", "scanDepth", high=10_000),
        "outlet": text(extra("outlet_name", "outletName"), "outlet_name", notes),
        "probability": 100.0 if chance is None else min(100.0, max(0.0, chance)),
        "groups": tuple(part.strip() for part in group.split(",") if part.strip())[:16],
        "group_override": truth("group_override", "groupOverride") or False,
        "group_weight": 100.0 if weight is None else max(0.0, weight),
        "group_scoring": truth("use_group_scoring", "useGroupScoring"),
        "exclude_recursion": truth("exclude_recursion", "excludeRecursion") or False,
        "prevent_recursion": truth("prevent_recursion", "preventRecursion") or False,
        "recursion_level": _level(extra("delay_until_recursion", "delayUntilRecursion"), notes),
        "sticky": fields.count("sticky") or 0,
        "cooldown": fields.count("cooldown") or 0,
        "delay": fields.count("delay") or 0,
        "ignore_budget": truth("ignore_budget", "ignoreBudget") or False,
        "characters": _characters(raw_filter, notes),
        "triggers": frozenset(
            each.casefold() for each in texts(extra("triggers"), "triggers", notes)
        ),
    }


def _characters(raw: Mapping[str, Any], notes: Notes) -> CharacterFilter | None:
    """Return whom an entry is for. SillyTavern writes a tag's number in it: nobody knows that."""
    names = texts(raw.get("names"), "characterFilter", notes)
    tags = texts(raw.get("tags"), "characterFilter.tags", notes)
    exclude = flag(raw.get("isExclude"), "characterFilter.isExclude", notes) or False
    if any(map(_TAG_ID.fullmatch, tags)):
        effect = "the entry is kept from nobody by it" if exclude else "the entry is for nobody"
        notes.warn(f"characterFilter names a tag by its number: {effect}")
    if not names and not tags:
        return None
    return CharacterFilter(_folded(names), exclude, _folded(tags))


def _folded(values: Iterable[str]) -> frozenset[str]:
    return frozenset(value.strip().casefold() for value in values)


def _level(value: Any, notes: Notes) -> int:
    if isinstance(value, bool):
        return int(value)
    return integer(value, "delay_until_recursion", notes, low=0, high=1_000) or 0


def _whole(value: Any, field: str, notes: Notes, default: int) -> int:
    result = integer(value, field, notes)
    return default if result is None else result


def _uid(raw: Mapping[str, Any], index: int, notes: Notes | None = None) -> str:
    for name in ("uid", "id"):
        value = raw.get(name)
        if name == "uid" and isinstance(value, str) and notes is not None:
            notes.warn("an entry's uid is a text")
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return str(getattr(value, "text", value))[:64]
    return str(index)


class _KeyReader:
    """Reads the keys of one book's entries, as many as it may have, and patterns among them."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._keys = MAX_BOOK_KEYS
        self._patterns = MAX_PATTERNS
        self._characters = MAX_PATTERN_CHARS

    def keys(self, value: Any, field: str) -> tuple[str, ...]:
        """Return an entry's keys, without those that can't be used."""
        notes = self._notes
        given = texts(value, field, notes, split=True)
        if len(given) > MAX_KEYS:
            notes.warn(f"an entry has more than {MAX_KEYS} {field}: the others were left out")
        keys = []
        for key in given[:MAX_KEYS]:
            if not key.strip():
                notes.warn(f"{field} holds an empty key: left out")
            elif len(key) > MAX_KEY_CHARS:
                notes.warn(
                    f"{field} holds a key longer than {MAX_KEY_CHARS:,} characters: left out"
                )
            elif self._allowed(key):
                pattern = written(key)
                if pattern is not None and compile_javascript(*pattern) is None:
                    notes.warn(f"{field} holds a pattern that can't be read as one")
                elif pattern is None and "," in key:
                    notes.warn(f"{field} holds a key with a comma: it matches as it stands")
                keys.append(key)
        return tuple(keys)

    def decorated(self, decorators: Decorators) -> Decorators:
        """Return decorators whose keys hold no more, and no more patterns, than are left."""
        if not decorators.additional_keys and not decorators.exclude_keys:
            return decorators
        return replace(
            decorators,
            additional_keys=tuple(
                tuple(filter(self._allowed, group)) for group in decorators.additional_keys
            ),
            exclude_keys=tuple(filter(self._allowed, decorators.exclude_keys)),
        )

    def _allowed(self, key: str) -> bool:
        if self._keys <= 0:
            self._notes.warn(
                f"the lorebook has more than {MAX_BOOK_KEYS:,} keys: the others are off"
            )
            return False
        self._keys -= 1
        if written(key) is None:
            return True
        cost = LIVING_PATTERN if "{{" in key else 1
        if self._patterns < cost or self._characters < len(key):
            self._notes.warn(
                f"the lorebook has more than {MAX_PATTERNS:,} patterns as keys, or very long "
                "ones: the others are off"
            )
            return False
        self._patterns -= cost
        self._characters -= len(key)
        return True
