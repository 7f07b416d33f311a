r"""JSON as its author wrote it: values keep their spelling, and hostile texts are refused.

Parsing a card and writing it again must not change what we do not understand: `1.0` stays `1.0`,
`1e5` stays `1e5`, a number of thirty digits keeps every digit, and `"\u00e9"` does not become
`"é"`. So such values are kept with their source text, and written back with it. Keys keep their
order. Of a key that an object has twice the last counts, as in every reader; a warning tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.errors import CardRejected
from bot.personas.coerce import Notes

MAX_CHARS = 4 * 2**20
"""Characters of one JSON text. Real cards stay below 2 MB; a megabyte of lore is a large book. They
are held in memory, and may come packed a thousandfold: a server may have fifty such cards."""
MAX_DEPTH = 64
"""Levels of nesting. Real cards have at most 9."""
MAX_VALUES = 400_000
"""Values in one text: a thousand-entry book has about 40,000."""
MAX_NUMBER_CHARS = 4_000
"""Python refuses to read integers of more than 4,300 digits."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(r"\\[u/]")
"""What this program would spell in another way."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f\ufffd]")
_UNSAFE = re.compile("[\x00\ud800-\udfff]")


class WrittenInt(int):
    """An integer with the text it was written as, for example `-0`."""

    text: str

    def __new__(cls, text: str) -> WrittenInt:
        number = super().__new__(cls, text)
        number.text = text
        return number


class WrittenFloat(float):
    """A number with a fraction or an exponent, with the text it was written as."""

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        number = super().__new__(cls, text)
        number.text = text
        return number


class WrittenText(str):
    """A string with its JSON as it was written, where another spelling was chosen than ours."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, value: str, text: str) -> WrittenText:
        string = super().__new__(cls, value)
        string.text = text
        return string


def parse(data: bytes | str, notes: Notes | None = None) -> Any:
    """Read JSON, losslessly but for what could not be stored or sent on.

    NUL is removed, lone surrogates become U+FFFD, NaN and the infinities become null.

    Raises:
        CardRejected: it is no JSON, or too long, too deep, or has too many values.
    """
    notes = notes or Notes()
    text, odd = (data, "") if isinstance(data, str) else _decode(data)
    if len(text) > MAX_CHARS:
        raise CardRejected("The card's JSON is longer than {size} MB.", size=MAX_CHARS // 2**20)
    twice = False

    def endless(_: str) -> None:
        notes.warn("a number is NaN or infinite: read as null")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        found = dict(pairs)
        twice = twice or len(found) < len(pairs)
        return found

    try:
        tree = json.loads(
            text,
            object_pairs_hook=unique,
            parse_int=_integer,
            parse_float=WrittenFloat,
            parse_constant=endless,
        )
    except RecursionError as error:
        raise CardRejected(
            "The card's JSON is nested deeper than {depth} levels.", depth=MAX_DEPTH
        ) from error
    except ValueError as error:
        raise CardRejected(
            "This is not a card: its JSON can't be read ({brief}).", brief=_brief(error)
        ) from error
    if odd:
        notes.warn(odd)
    if twice:
        notes.warn("an object holds a field twice: the last one counts")
    # With fields left out the strings of the text and of the tree no longer go in step.
    spelt = _STRING.finditer(text) if not twice and _ESCAPE.search(text) else None
    return _clean(tree, spelt, notes)


def write(tree: Any) -> str:
    """Return a tree as JSON, each number spelled as it was read."""
    return "".join(_write(tree))


def pretty(tree: Any) -> str:
    """Return a tree as JSON for people, indented by two."""
    return "".join(_write(tree, "\n"))


def _decode(data: bytes) -> tuple[str, str]:
    """Return a file's text, and what is odd about its encoding. JSON is UTF-8, in the wild also
    UTF-16 and Windows-1252."""
    encoding = json.detect_encoding(data[:4])
    unmarked = encoding.endswith(("le", "be"))
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, errors="replace")
    else:
        return text, f"the JSON is {encoding.upper()} without a mark: read as such" * unmarked
    if encoding != "utf-8" or _BEYOND_ASCII.search(text):
        return text, "some bytes of the JSON are no text: replaced"
    told = "the JSON is not UTF-8: read as Windows-1252"
    try:
        return data.decode("cp1252"), told
    except UnicodeDecodeError:
        return data.decode("latin-1"), told


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_CHARS:
        raise ValueError("a number has thousands of digits")
    # A plain int is written as it was read, save "-0".
    return WrittenInt(text) if text == "-0" else int(text)


def _brief(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: {error.msg}"
    return str(error)[:80]


def _clean(tree: Any, spelt: Iterator[re.Match[str]] | None, notes: Notes) -> Any:
    """Make every string fit for storage, counting values and levels on the way.

    `spelt` yields the strings as they stand in the text, in order.
    """
    count = 0

    def string(value: str) -> str:
        cleaned = clean_text(value)
        if cleaned is not value:
            notes.warn("a text holds signs that are no text: taken out or replaced")
        if spelt is None:
            return cleaned
        source = next(spelt)[0]
        return (
            WrittenText(value, source) if cleaned is value and _ESCAPE.search(source) else cleaned
        )

    def visit(value: Any, depth: int) -> Any:
        nonlocal count
        count += 1
        if depth > MAX_DEPTH:
            raise CardRejected(
                "The card's JSON is nested deeper than {depth} levels.", depth=MAX_DEPTH
            )
        if count > MAX_VALUES:
            raise CardRejected("The card's JSON has more than {values} values.", values=MAX_VALUES)
        if isinstance(value, str):
            return string(value)
        if isinstance(value, dict):
            return {string(key): visit(each, depth + 1) for key, each in value.items()}
        if isinstance(value, list):
            return [visit(each, depth + 1) for each in value]
        return value

    return visit(tree, 1)


def clean_text(text: str) -> str:
    """Return a text without NUL, and with U+FFFD in place of lone surrogates."""
    if _UNSAFE.search(text) is None:
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\x00", ""))


def _write(value: Any, newline: str = "") -> Iterator[str]:
    inner = newline + "  " if newline else ""
    comma, colon = ("," + inner, ": ") if newline else (",", ":")
    if isinstance(value, Mapping):
        yield "{"
        for index, (key, each) in enumerate(value.items()):
            yield (comma if index else inner) + _string(key) + colon
            yield from _write(each, inner)
        yield (newline if value else "") + "}"
    elif isinstance(value, list | tuple):
        yield "["
        for index, each in enumerate(value):
            yield comma if index else inner
            yield from _write(each, inner)
        yield (newline if value else "") + "]"
    elif isinstance(value, str):
        yield _string(value)
    elif isinstance(value, WrittenInt | WrittenFloat):
        yield value.text
    else:
        yield json.dumps(value, ensure_ascii=False, allow_nan=False)


def _string(value: str) -> str:
    return value.text if isinstance(value, WrittenText) else json.dumps(value, ensure_ascii=False)
