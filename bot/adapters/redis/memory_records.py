"""From a remembered item to its sealed record, and back.

A plain record is `version | bytes of JSON | number of terms | hash of the vector's space | JSON |
terms (uint32) | vector (float16)`, all little-endian. The JSON is a list in the order of `Item`'s
fields. A record of an older version is read as such and written anew with its next change; a list
that is shorter than `Item` takes the defaults.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from bot.chat.place import GuildId
from bot.errors import RecordCorrupt, StoreError
from bot.memory.arrays import np
from bot.memory.item import Item
from bot.memory.recording import terms_for
from bot.memory.rows import Coded, Rows, coded, from_items, from_json, to_json
from bot.memory.store import Changes, Put
from bot.memory.words import Terms

VERSION: Final = 1
LARGEST: Final = 65_536
LARGEST_VECTOR: Final = 8_192

_HEAD: Final = struct.Struct("<BIHI")

log = structlog.get_logger(__name__)


def space_hash(space: str) -> int:
    """Return what stands for a vector space in a record; 0 for none."""
    return zlib.crc32(space.encode()) or 1 if space else 0


def write(item: Item, vector: Sequence[float] | None = None, space: str = "") -> bytes:
    """Return the plain record.

    Raises:
        StoreError: the item is too long to be stored.
    """
    plain, terms = to_json(item), terms_for(item)
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


def read_rows(plains: Sequence[tuple[bytes, bytes]], space: str) -> tuple[Rows, int]:
    """Return the rows of opened records, given as (id, plain), and how many can't be read."""
    opened: list[Opened] = []
    # Ids hold their time after the kind's letter, so that this is the order of learning.
    for _, plain in sorted(plains, key=lambda pair: pair[0][1:]):
        try:
            opened.append(Opened(plain))
        except RecordCorrupt:
            continue
    try:
        items = from_json([each.body for each in opened])
    except RecordCorrupt:
        opened, items = _one_by_one(opened)
    terms = [each.terms for each in opened]
    bodies = [each.body for each in opened]
    rows = from_items(items, terms, _vectors(opened, space), bodies)
    return rows, len(plains) - len(items)


def _one_by_one(opened: Sequence[Opened]) -> tuple[list[Opened], list[Item]]:
    good: list[Opened] = []
    items: list[Item] = []
    for each in opened:
        try:
            items += from_json([each.body])
        except RecordCorrupt:
            continue
        good.append(each)
    return good, items


def _vectors(opened: Sequence[Opened], space: str) -> Coded | None:
    """Return a row for each record; vectors of another space never meet this one's."""
    wanted = space_hash(space)
    rows = [each.vector if wanted and each.space == wanted else b"" for each in opened]
    width = max((len(row) for row in rows), default=0)
    if not width:
        return None
    blank = bytes(width)
    whole = b"".join(row if len(row) == width else blank for row in rows)
    return coded(np.frombuffer(whole, "<f2").reshape(len(rows), width // 2))


def values_of(meta: Mapping[bytes, bytes]) -> dict[str, str]:
    """Return a person's small values."""
    return {
        name[2:].decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for name, value in meta.items()
        if name.startswith(b"v:")
    }


def origins(items: Sequence[Item]) -> dict[int, list[str]]:
    """Return the messages that items came from, by channel."""
    found: dict[int, list[str]] = {}
    for item in items:
        answers = ((item.channel, message) for message in item.answers)
        for channel, message in (*item.sources, *answers):
            found.setdefault(channel, []).append(str(message))
    return found


def without_guild(gone: Sequence[Item], shared: Sequence[Item], guild: GuildId) -> Changes:
    """Return the changes that take a guild out of a memory."""
    kept = (
        item._replace(shared=tuple(each for each in item.shared if each != guild))
        for item in shared
    )
    return Changes(put=tuple(map(Put, kept)), remove=tuple(item.id for item in gone))
