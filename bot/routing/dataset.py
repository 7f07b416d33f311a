"""Labelled messages from JSON lines: fixtures, corrections, a stranger's test file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bot.errors import InputRejected
from bot.routing.route import Route

_LARGEST_FILE = 512 * 1024 * 1024
"""Some millions of messages."""
_MOST_PROBLEMS = 20
_ROLES = {
    "assistant": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "char": "assistant",
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message with the route that it should get."""

    text: str
    label: Route
    history: tuple[tuple[str, str], ...] = ()
    """Earlier messages as (role, text), oldest first."""
    previous: Route | None = None
    """The route of the last turn, where the file states it."""
    lang: str = ""
    kind: str = ""


def read_labelled(path: Path) -> list[Labelled]:
    """Return the messages of a JSON-lines file.

    Fields: `text`, `label`; optional `history` (a list of texts, of [role, text] pairs, or of
    {"role", "content"} objects; texts alone are taken as question and reply in turn, the last
    one being the bot's), `prev_route`, `lang`, `kind`.

    Raises:
        InputRejected: the file can't be read, or lines are wrong; one line for each problem.
    """
    found: list[Labelled] = []
    problems: list[str] = []
    try:
        with path.open("rb") as file:
            for number, line in enumerate(_lines(file), 1):
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                if not text.strip():
                    continue
                try:
                    found.append(_labelled(json.loads(text)))
                except (ValueError, TypeError, KeyError, RecursionError) as error:
                    problems.append(f"{path.name}:{number}: {_said(error)}")
                    if len(problems) == _MOST_PROBLEMS:
                        problems.append(f"{path.name}: nothing was read beyond line {number}")
                        break
    except OSError as error:
        problem = f"{path}: {error.strerror or type(error).__name__}"
        raise InputRejected([problem]) from error
    except UnicodeDecodeError as error:
        raise InputRejected([f"{path.name}: not UTF-8"]) from error
    if not found and not problems:
        problems.append(f"{path.name}: holds no message")
    if problems:
        raise InputRejected(problems)
    return found


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines one by one: a large file needs no memory beyond its messages."""
    room = _LARGEST_FILE
    while line := file.readline(room + 1):
        room -= len(line)
        if room < 0:
            raise InputRejected([f"{Path(file.name).name} is larger than {_LARGEST_FILE} bytes"])
        yield line


def _said(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    return str(error) or type(error).__name__


def _labelled(record: Any) -> Labelled:
    if not isinstance(record, Mapping):
        raise TypeError("not a JSON object")
    text = record["text"]
    if not isinstance(text, str):
        raise TypeError("`text` is not a text")
    previous = record.get("prev_route")
    return Labelled(
        text=text,
        label=_route("label", record["label"]),
        history=tuple(_turns(record.get("history") or ())),
        previous=_route("prev_route", previous) if previous else None,
        lang=str(record.get("lang") or ""),
        kind=str(record.get("kind") or ""),
    )


def _route(field: str, value: object) -> Route:
    try:
        return Route(str(value))
    except ValueError:
        raise ValueError(f"`{field}` is none of {', '.join(Route)}") from None


def _turns(history: Any) -> Iterator[tuple[str, str]]:
    if isinstance(history, str):
        history = [history]
    if not isinstance(history, list | tuple):
        raise TypeError("`history` is not a list")
    count = len(history)
    for at, entry in enumerate(history):
        if isinstance(entry, str):
            # The last text alone is the reply that the message answers.
            reply = (count - at) % 2 == 1 and count > 1
            yield ("assistant" if reply else "user", entry)
        elif isinstance(entry, Mapping):
            text = entry.get("content", entry.get("text"))
            yield _role(entry.get("role", entry.get("author"))), _text(text)
        elif isinstance(entry, list | tuple) and len(entry) == 2:
            yield _role(entry[0]), _text(entry[1])
        else:
            raise TypeError("`history` holds something else than messages")


def _role(role: object) -> str:
    return _ROLES.get(str(role).lower(), "user")


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError("`history` holds a message without text")
    return text
