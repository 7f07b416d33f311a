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
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from bot.guardrails.matching import literals
from bot.guardrails.matching.literals import Needs, needs

MOST: Final = 16 * 2**20
"""Bytes of the file, beyond which those patterns are left out that nobody asks for now."""


def needs_of(patterns: Iterable[str], *, openings: bool) -> Mapping[str, Needs]:
    """Return what matches of each pattern need; without the openings, which are most of it, where
    nobody asks for them.

    Equal strings are one, and nothing else is kept meanwhile: it would leave holes of megabytes.
    """
    asked, same = dict.fromkeys(patterns), dict[str, str]()

    def lean(one: Needs) -> Needs:
        parts = one.words, one.also, one.openings if openings else ()
        return Needs(*(tuple(same.setdefault(each, each) for each in part) for part in parts))

    found = {pattern: lean(one) for pattern, one in _read() if pattern in asked}
    lines: list[str] = []
    for pattern in asked:
        if pattern not in found:
            one = needs(pattern)
            found[pattern] = lean(one)
            lines.append(_line(pattern, one))
    if lines and not sys.dont_write_bytecode:
        _add(lines, asked)
    return {pattern: found[pattern] for pattern in asked}


def _file() -> Path:
    return Path(importlib.util.cache_from_source(literals.__file__)).with_suffix(".needs.jsonl")


def _author() -> str:
    """Return a name for the code that found it out: another version's findings are not trusted."""
    source = Path(literals.__file__).read_bytes() + Path(__file__).read_bytes()
    return hashlib.sha256(source + sys.version.encode()).hexdigest()


def _read() -> Iterator[tuple[str, Needs]]:
    """Yield what is kept, as far as it is undamaged; nothing, where it is another version's."""
    try:
        with _file().open("rb") as file:
            if json.loads(file.readline()) != _author():
                return
            for line in file:
                pattern, words, also, openings = json.loads(line)
                yield pattern, Needs(tuple(words), tuple(also), tuple(openings))
    except (OSError, ValueError, TypeError):
        return


def _line(pattern: str, one: Needs) -> str:
    return json.dumps([pattern, one.words, one.also, one.openings]) + "\n"


def _add(lines: Iterable[str], asked: Container[str]) -> None:
    path = _file()
    try:
        path.parent.mkdir(exist_ok=True)
        full = path.exists() and path.stat().st_size > MOST
        draft = path.with_suffix(f".{os.getpid()}")
        with draft.open("w", encoding="ascii") as file:
            file.write(json.dumps(_author()) + "\n")
            file.writelines(_line(*kept) for kept in _read() if not full or kept[0] in asked)
            file.writelines(lines)
        draft.replace(path)
    except OSError:
        return  # nobody may write there
