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
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from bot.guardrails.matching import literals
from bot.guardrails.matching.literals import Needs, needs

MOST: Final = 20_000
"""Patterns in the file; beyond, those that nobody asked for now are left out."""


def needs_of(patterns: Iterable[str], *, openings: bool) -> Mapping[str, Needs]:
    """Return what matches of each pattern need; without the openings, which are most of it, where
    nobody asks for them."""
    asked = dict.fromkeys(patterns)
    kept = dict(_read(asked, openings=openings))
    written = not sys.dont_write_bytecode
    missing = {
        pattern: needs(pattern) if openings or written else replace(needs(pattern), openings=())
        for pattern in asked
        if pattern not in kept
    }
    found = {pattern: kept.get(pattern) or missing[pattern] for pattern in asked}
    if missing and written:
        everything = {**dict(_read()), **missing}
        _write(
            everything if len(everything) <= MOST else {each: everything[each] for each in asked}
        )
    return found


def _file() -> Path:
    return Path(importlib.util.cache_from_source(literals.__file__)).with_suffix(".needs.jsonl")


def _author() -> str:
    """Return a name for the code that found it out: another version's findings are not trusted."""
    source = Path(literals.__file__).read_bytes() + Path(__file__).read_bytes()
    return hashlib.sha256(source + sys.version.encode()).hexdigest()


def _read(
    wanted: Collection[str] | None = None, *, openings: bool = True
) -> Iterator[tuple[str, Needs]]:
    """Yield what is kept, of the wanted patterns or of all, as far as it is undamaged; nothing,
    where it is another version's.

    Line by line, and equal strings are one: all at once would leave 8 MiB of holes at each start.
    """
    same: dict[str, str] = {}
    try:
        with _file().open("rb") as file:
            if json.loads(file.readline()) != _author():
                return
            for line in file:
                pattern, words, also, begun = json.loads(line)
                if wanted is None or pattern in wanted:
                    begun = _shared(begun, same) if openings else ()
                    yield pattern, Needs(_shared(words, same), _shared(also, same), begun)
    except (OSError, ValueError, TypeError):
        return


def _shared(strings: Iterable[object], same: dict[str, str]) -> tuple[str, ...]:
    return tuple(same.setdefault(each, each) for each in map(str, strings))


def _write(found: Mapping[str, Needs]) -> None:
    path = _file()
    try:
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        with draft.open("w", encoding="ascii") as file:
            file.write(json.dumps(_author()) + "\n")
            for pattern, one in found.items():
                file.write(json.dumps([pattern, one.words, one.also, one.openings]) + "\n")
        draft.replace(path)
    except OSError:
        return  # nobody may write there
