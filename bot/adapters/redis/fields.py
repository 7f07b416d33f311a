"""How the values of a record are checked when they are read back.

Records are compact JSON with one-letter names. Unknown names are ignored, so that a newer record
can be read by an older program during a roll-out; missing or wrong ones are `RecordCorrupt`.
"""

from __future__ import annotations

import json
import math
from typing import Any

from bot.errors import RecordCorrupt, StoreError

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
ID_LIMIT = 1 << 64
RECORD_CHARACTERS = 262_144
"""Longest text or record; Discord's own limits are far below."""
ATTACHMENT_BYTES = 262_144
"""Attachments of one message that a journal entry carries; more are named only."""


def dump(value: Any) -> bytes:
    """Return compact JSON. Lone surrogates, which a hostile client can send, survive.

    Raises:
        StoreError: longer than `RECORD_CHARACTERS` and the attachments together.
    """
    text = _JSON.encode(value)
    if len(text) > RECORD_CHARACTERS + 2 * ATTACHMENT_BYTES:
        raise StoreError("a record is too long to be stored")
    return text.encode("utf-8", "surrogatepass")


def read(data: bytes) -> dict[str, Any]:
    """Return the JSON object.

    Raises:
        RecordCorrupt: it is none.
    """
    try:
        value = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise RecordCorrupt("a stored record is no JSON") from error
    if not isinstance(value, dict):
        raise RecordCorrupt("a stored record is no JSON object")
    return value


class Fields:
    """Reads fields of a record by name and type."""

    __slots__ = ("_values",)

    def __init__(self, values: Any) -> None:
        if not isinstance(values, dict):
            raise RecordCorrupt("a stored record lacks a part")
        self._values = values

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str):
            raise RecordCorrupt(f"a stored record lacks the text {name}")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._values.get(name) is None else self.text(name)

    def ident(self, name: str) -> int:
        return ident(self._values.get(name))

    def ident_or_none(self, name: str) -> int | None:
        return None if self._values.get(name) is None else self.ident(name)

    def seconds(self, name: str) -> float:
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise RecordCorrupt(f"a stored record lacks the time {name}")
        if not math.isfinite(value):
            raise RecordCorrupt(f"a stored record has a wrong time {name}")
        return float(value)

    def flag(self, name: str) -> bool:
        return self._values.get(name) is True

    def items(self, name: str) -> list[Any]:
        value = self._values.get(name, [])
        if not isinstance(value, list):
            raise RecordCorrupt(f"a stored record has a wrong list {name}")
        return value

    def part(self, name: str) -> Fields:
        return Fields(self._values.get(name))

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None


def ident(value: Any) -> int:
    """Return a stored id.

    Raises:
        RecordCorrupt: it is no integer of 64 bits.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < ID_LIMIT:
        raise RecordCorrupt("a stored record has a wrong id")
    return value
