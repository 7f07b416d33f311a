"""Lorebooks as the specification wants them, everything else kept as it was read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.personas.book_reading import LOREBOOK_V3, entries_of, lorebook_data
from bot.personas.coerce import Notes, is_texts
from bot.personas.lorebook import Entry, Lorebook

_BOOK_TYPES: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "description": str,
    "scan_depth": (int, float),
    "token_budget": (int, float),
    "recursive_scanning": bool,
}
_SPEC_POSITIONS = ("before_char", "after_char")
_EXTENSIONS = {
    "probability": "probability",
    "useProbability": "useProbability",
    "depth": "depth",
    "role": "role",
    "selectiveLogic": "selectiveLogic",
    "group": "group",
    "groupOverride": "group_override",
    "groupWeight": "group_weight",
    "useGroupScoring": "use_group_scoring",
    "excludeRecursion": "exclude_recursion",
    "preventRecursion": "prevent_recursion",
    "delayUntilRecursion": "delay_until_recursion",
    "scanDepth": "scan_depth",
    "matchWholeWords": "match_whole_words",
    "caseSensitive": "case_sensitive",
    "automationId": "automation_id",
    "vectorized": "vectorized",
    "sticky": "sticky",
    "cooldown": "cooldown",
    "delay": "delay",
    "displayIndex": "display_index",
    "triggers": "triggers",
    "ignoreBudget": "ignore_budget",
    "outletName": "outlet_name",
}
"""SillyTavern's names in its world files, and in the extensions of a card's entries."""


def book_tree(raw: Mapping[str, Any], book: Lorebook, *, v3: bool) -> dict[str, Any]:
    """Return an embedded book's JSON."""
    tree = dict(raw)
    for name, kind in _BOOK_TYPES.items():
        value = tree.get(name)
        if name in tree and (
            not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        ):
            del tree[name]
    if not isinstance(tree.get("extensions"), Mapping):
        tree["extensions"] = {}
    entries = entries_of(raw, Notes())
    tree["entries"] = [
        _entry_tree(each, entry, v3=v3) for each, entry in zip(entries, book.entries, strict=True)
    ]
    return tree


def lorebook_tree(raw: Mapping[str, Any], book: Lorebook) -> dict[str, Any]:
    """Return a standalone book's JSON in Version 3's form."""
    inner = lorebook_data(raw)
    outer = {} if inner is raw else raw
    return {**outer, "spec": LOREBOOK_V3, "data": book_tree(inner, book, v3=True)}


def _entry_tree(raw: Mapping[str, Any], entry: Entry, *, v3: bool) -> dict[str, Any]:
    tree = dict(raw)
    if not is_texts(tree.get("keys")):
        tree["keys"] = list(entry.keys)
    if not isinstance(tree.get("content"), str):
        tree["content"] = entry.content
    if not isinstance(tree.get("enabled"), bool):
        tree["enabled"] = entry.enabled
    order = tree.get("insertion_order")
    if isinstance(order, bool) or not isinstance(order, int | float):
        tree["insertion_order"] = entry.order
    if entry.secondary_keys and not is_texts(tree.get("secondary_keys")):
        tree["secondary_keys"] = list(entry.secondary_keys)
    for name in ("constant", "selective", "case_sensitive"):
        if name in tree and not isinstance(tree[name], bool):
            value = getattr(entry, name)
            if value is None:
                del tree[name]
            else:
                tree[name] = value
    if v3 and not isinstance(tree.get("use_regex"), bool):
        tree["use_regex"] = any(key.lstrip().startswith("/") for key in entry.keys)
    _extend(tree, raw)
    return tree


def _extend(tree: dict[str, Any], raw: Mapping[str, Any]) -> None:
    """Give the entry extensions, and in them what a SillyTavern world says at the top level."""
    extensions = raw.get("extensions")
    if not isinstance(extensions, Mapping):
        extensions = {}
    added = {
        name: raw[theirs]
        for theirs, name in _EXTENSIONS.items()
        if raw.get(theirs) is not None and name not in extensions
    }
    position = tree.get("position")
    if position is not None and position not in _SPEC_POSITIONS:
        tree["position"] = _SPEC_POSITIONS[str(position) not in ("0", "before_char_defs")]
        number = str(position)
        if number.isdecimal() and "position" not in extensions:
            added["position"] = int(number[:3])
    if added or not isinstance(raw.get("extensions"), Mapping):
        tree["extensions"] = {**extensions, **added}
