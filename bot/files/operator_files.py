"""TOML files that an operator edits: read within bounds, wrong ones named line by line."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog

from bot.errors import SettingsRejected

log = structlog.get_logger(__name__)

_LARGEST_FILE = 64 * 1024

Kind = TypeVar("Kind", bound=StrEnum)
Made = TypeVar("Made")


class Tables(Mapping[Kind, Made], Generic[Kind, Made]):
    """What was made of each kind's table, until `adopt` puts others in their place at once."""

    def __init__(self, made: Mapping[Kind, Made]) -> None:
        self._made = made

    def adopt(self, made: Mapping[Kind, Made]) -> None:
        """Serve with others from now on."""
        self._made = made

    def __getitem__(self, kind: Kind) -> Made:
        return self._made[kind]

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def overlaid(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the `*.toml` of the folders by name; a later file replaces one of equal name, and the
    log tells of it: who meant to add something has taken something away."""
    files: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            # In a checkout the operator's folder is the shipped one, by another path.
            if path.name in files and not files[path.name].samefile(path):
                log.info("a file replaces a shipped one", file=str(path))
            files[path.name] = path
    return files


def read_tables(path: Path) -> dict[str, Any]:
    """Return the tables of an operator's TOML file.

    Raises:
        SettingsRejected: it is too large, can't be read, or is no TOML.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise SettingsRejected([f"{path.name} is larger than {_LARGEST_FILE} bytes"])
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = f"{path}: {error.strerror or type(error).__name__}"
        raise SettingsRejected([problem]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsRejected([f"{path.name}: not TOML: {error}"]) from error


def read_each(
    path: Path,
    kinds: type[Kind],
    word: str,
    *,
    problems_of: Callable[[Mapping[str, Any]], list[str]],
    made: Callable[[Kind, Mapping[str, Any]], Made],
    beside: Collection[str] = (),
) -> dict[Kind, Made]:
    """Return what is made of each kind's table; every kind must have one.

    Args:
        path: a TOML file with one table for each kind.
        kinds: the names of the tables.
        word: what such a kind is called, in the lines about problems.
        problems_of: says what is wrong with a table, a line each.
        made: makes the value of a table without problems.
        beside: other tables that may stand in the file.

    Raises:
        SettingsRejected: the file can't be read, or is wrong; one line for each problem.
    """
    tables = read_tables(path)
    problems = [
        f"{path.name}: [{name}] is not a {word}; {word}s are {', '.join(kinds)}"
        for name in tables
        if name not in {*kinds, *beside}
    ]
    found: dict[Kind, Made] = {}
    for kind in kinds:
        table = tables.get(kind.value)
        if not isinstance(table, dict):
            problems.append(f"{path.name}: table [{kind}] is missing")
            continue
        wrong = problems_of(table)
        problems += [f"{path.name}: [{kind}] {problem}" for problem in wrong]
        if not wrong:
            found[kind] = made(kind, table)
    if problems:
        raise SettingsRejected(problems)
    return found
