"""From a remembered item to its sealed record, and back.

A plain record is `version | bytes of JSON | number of terms | hash of the vector's space | JSON |
terms (uint32) | vector (float16)`, all little-endian. The JSON is a list in the order of `Item`'s
fields. A record of an older version is read as such and written anew with its next change; a list
that is shorter than `Item` takes the defaults.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import structlog

from bot.adapters.redis.crypto import Sealer
from bot.errors import RecordCorrupt, StoreError
from bot.memory.item import Item
from bot.memory.shelf import Shelf, Stored
from bot.memory.words import LATIN, Terms, terms_of

VERSION: Final = 1
LARGEST: Final = 65_536
LARGEST_VECTOR: Final = 8_192

_HEAD: Final = struct.Struct("<BIHI")
_FIELDS: Final = len(Item._fields)

log = structlog.get_logger(__name__)


def space_hash(space: str) -> int:
    """Return what stands for a vector space in a record; 0 for none."""
    return zlib.crc32(space.encode()) or 1 if space else 0


def write(
    item: Item, terms: Terms | None, vector: Sequence[float] | None = None, space: str = ""
) -> bytes:
    """Return the plain record.

    Raises:
        StoreError: the item is too long to be stored.
    """
    body = json.dumps(tuple(item), ensure_ascii=False, separators=(",", ":"))
    plain = body.encode("utf-8", "surrogatepass")
    if terms is None:
        terms = terms_of(item.text, item.language or LATIN)
    numbers = np.asarray(vector if vector is not None else (), dtype="<f2")
    if len(plain) > LARGEST or len(terms) > 0xFFFF or len(numbers) > LARGEST_VECTOR:
        raise StoreError("a memory is too long to be stored")
    space_id = space_hash(space) if len(numbers) else 0
    head = _HEAD.pack(VERSION, len(plain), len(terms), space_id)
    return head + plain + terms.astype("<u4").tobytes() + numbers.tobytes()


class Opened:
    """A record that was opened, its JSON not yet read."""

    __slots__ = ("body", "space", "terms", "vector")

    def __init__(self, plain: bytes) -> None:
        try:
            version, length, count, self.space = _HEAD.unpack_from(plain)
            middle = _HEAD.size + length
            self.body = plain[_HEAD.size : middle]
            self.terms: Terms = np.frombuffer(plain, "<u4", count, middle)
            self.vector = plain[middle + 4 * count :]
        except (struct.error, ValueError) as error:
            raise RecordCorrupt("a stored memory can't be read") from error
        if version != VERSION:
            raise RecordCorrupt("a stored memory is of a newer version")


def read_items(opened: Sequence[Opened]) -> list[Item]:
    """Return the items, all JSON being read at once: thrice as fast as one by one.

    Raises:
        RecordCorrupt: one of them can't be read.
    """
    try:
        rows = json.loads(b"[" + b",".join(each.body for each in opened) + b"]")
        return [_item(row) for row in rows]
    except (ValueError, TypeError, RecursionError, LookupError) as error:
        raise RecordCorrupt("a stored memory can't be read") from error


def _item(row: list[Any]) -> Item:
    if row[9]:
        row[9] = tuple(map(tuple, row[9]))
    else:
        row[9] = ()
    row[7] = tuple(row[7])
    return Item._make(row) if len(row) == _FIELDS else Item(*row[:_FIELDS])


def read_shelf(
    sealer: Sealer,
    key: str,
    meta: Mapping[bytes, bytes],
    records: Mapping[bytes, bytes],
    *,
    space: str,
) -> Shelf:
    """Return a person's memory. What can't be opened is left out, and logged by its number."""
    opened: list[Opened] = []
    plains = sealer.open_hash(records, key)
    unreadable = len(records) - len(plains)
    # Ids hold their time after the kind's letter, so that this is the order of learning.
    plains.sort(key=lambda pair: pair[0][1:])
    for _, plain in plains:
        try:
            opened.append(Opened(plain))
        except RecordCorrupt:
            unreadable += 1
    try:
        items = read_items(opened)
    except RecordCorrupt:
        opened, items, lost = _one_by_one(opened)
        unreadable += lost
    if unreadable:
        log.warning("memories_unreadable", records=unreadable)
    stored = tuple(Stored(item, each.terms) for item, each in zip(items, opened, strict=True))
    vectors = _vectors(opened, space)
    values = {
        name[2:].decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for name, value in meta.items()
        if name.startswith(b"v:")
    }
    size = sum(len(record) for record in records.values()) * 2
    return Shelf(
        version=meta.get(b"ver", b""),
        epoch=meta.get(b"epoch", b""),
        paused=meta.get(b"state") == b"paused",
        stored=stored,
        values=values,
        space=space if vectors is not None else "",
        vectors=vectors,
        size=size + (0 if vectors is None else vectors.nbytes * 2),
    )


def _one_by_one(opened: Sequence[Opened]) -> tuple[list[Opened], list[Item], int]:
    good: list[Opened] = []
    items: list[Item] = []
    for each in opened:
        try:
            items += read_items([each])
        except RecordCorrupt:
            continue
        good.append(each)
    return good, items, len(opened) - len(good)


def _vectors(opened: Sequence[Opened], space: str) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """Return a row for each record; vectors of another space never meet this one's."""
    wanted = space_hash(space)
    rows = [each.vector if wanted and each.space == wanted else b"" for each in opened]
    width = max((len(row) for row in rows), default=0)
    if not width:
        return None
    blank = bytes(width)
    whole = b"".join(row if len(row) == width else blank for row in rows)
    return np.frombuffer(whole, "<f2").reshape(len(rows), width // 2).astype(np.float32)
