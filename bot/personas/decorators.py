"""The `@@…` lines at the head of a lorebook entry (Character Card V3, "Decorators").

Only the leading block counts. Blank lines in it are skipped: other readers end the block there,
and then tell the model `@@role user`. A `@@@` line is used when the line before it could not be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.personas.lorebook import MAX_KEY_CHARS, MAX_KEYS, ROLES, Decorators, Position

MAX_DECORATORS = 64

_NUMBER = re.compile(r"-?\d{1,9}")
_POSITIONS = {
    position.value: position
    for position in (
        Position.AFTER_DESC,
        Position.BEFORE_DESC,
        Position.PERSONALITY,
        Position.SCENARIO,
    )
}
_Reader = Callable[[str], Any]
"""Returns the value of an argument, or None when it is invalid."""


def _integer(low: int) -> _Reader:
    def read(argument: str) -> int | None:
        if _NUMBER.fullmatch(argument) is None:
            return None
        value = int(argument)
        return value if value >= low else None

    return read


def _present(_: str) -> bool:
    return True


def _keys(argument: str) -> tuple[str, ...] | None:
    parts = (part.strip() for part in argument.split(",", MAX_KEYS)[:MAX_KEYS])
    return tuple(part for part in parts if part and len(part) <= MAX_KEY_CHARS) or None


_READERS: dict[str, tuple[str, _Reader]] = {
    "activate_only_after": ("only_after", _integer(0)),
    "activate_only_every": ("only_every", _integer(1)),
    "keep_activate_after_match": ("keep_after_match", _present),
    "dont_activate_after_match": ("never_after_match", _present),
    "depth": ("depth", _integer(-(10**9))),
    "reverse_depth": ("reverse_depth", _integer(-(10**9))),
    "role": ("role", lambda argument: argument if argument in ROLES else None),
    "scan_depth": ("scan_depth", _integer(0)),
    "is_greeting": ("greeting", _integer(0)),
    "position": ("position", _POSITIONS.get),
    "ignore_on_max_context": ("drop_first", _present),
    "exclude_keys": ("exclude_keys", _keys),
    "activate": ("activate", _present),
    "dont_activate": ("dont_activate", _present),
}
"""Not here, so that their fallbacks apply: `instruct_*` (this is a chat), `is_user_icon` and
`disable_ui_prompt` (optional in the specification; nothing a card may switch off here)."""


def split_decorators(content: str) -> tuple[Decorators, str]:
    """Return the decorators of an entry, and its text without them."""
    lines = content.split("\n")
    found: dict[str, Any] = {}
    additional: list[tuple[str, ...]] = []
    settled, end, seen = True, 0, 0
    for number, line in enumerate(lines):
        line = line.strip()
        if not line:
            continue
        if not line.startswith("@@"):
            break
        end, seen = number + 1, seen + 1
        if seen > MAX_DECORATORS:
            continue
        fallback = line.startswith("@@@")
        if fallback and settled:
            continue
        name, _, argument = line.lstrip("@").strip().partition(" ")
        settled = _take(name, argument.strip(), found, additional)
    if not end:
        return Decorators(), content
    decorators = Decorators(**found, additional_keys=tuple(additional))
    return decorators, "\n".join(lines[end:]).strip("\n")


def strip_decorators(content: str) -> str:
    """Return an entry's text as readers of Version 2 need it."""
    return split_decorators(content.replace("\r\n", "\n"))[1] if "@@" in content else content


def _take(
    name: str, argument: str, found: dict[str, Any], additional: list[tuple[str, ...]]
) -> bool:
    """Note one decorator. False when it is unknown or invalid, so that its fallback applies."""
    if name == "additional_keys":
        keys = _keys(argument)
        if keys is not None:
            additional.append(keys)
        return keys is not None
    if name not in _READERS:
        return False
    field, read = _READERS[name]
    value = read(argument)
    if value is None:
        return False
    found.setdefault(field, value)  # the first of a name wins
    return True
