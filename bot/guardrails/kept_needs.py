"""What patterns need, kept beside the package as Python keeps what it compiles.

To find it out takes a second and more for all rules, which is most of a start. Where the folder
can't be written, as in a read-only image, each start finds it out anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from bot.guardrails import literals
from bot.guardrails.literals import Needs, needs

MOST: Final = 20_000
"""Patterns in the file; beyond, those that nobody asked for now are left out."""


def needs_of(patterns: Iterable[str]) -> Mapping[str, Needs]:
    """Return what matches of each pattern need."""
    asked = tuple(dict.fromkeys(patterns))
    kept = _read()
    missing = {pattern: needs(pattern) for pattern in asked if pattern not in kept}
    everything = {**kept, **missing}
    found = {pattern: everything[pattern] for pattern in asked}
    if missing and not sys.dont_write_bytecode:
        _write(everything if len(everything) <= MOST else found)
    return found


def _file() -> Path:
    return Path(importlib.util.cache_from_source(literals.__file__)).with_suffix(".needs.json")


def _author() -> str:
    """Return a name for the code that found it out: another version's findings are not trusted."""
    source = Path(literals.__file__).read_bytes() + Path(__file__).read_bytes()
    return hashlib.sha256(source + sys.version.encode()).hexdigest()


def _read() -> dict[str, Needs]:
    """Return what is kept; nothing, where that is damaged or another version's."""
    try:
        held: Any = json.loads(_file().read_bytes())
        if held["author"] != _author():
            return {}
        return {
            pattern: Needs(*(frozenset(map(str, strings)) for strings in found))
            for pattern, found in held["needs"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write(found: Mapping[str, Needs]) -> None:
    path = _file()
    held = {
        pattern: [sorted(each) for each in (one.words, one.run_together, one.openings)]
        for pattern, one in found.items()
    }
    try:
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps({"author": _author(), "needs": held}), "ascii")
        draft.replace(path)
    except OSError:
        return  # nobody may write there
