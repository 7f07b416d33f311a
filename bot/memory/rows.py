"""A person's items in columns: what a search needs is there at once, texts are read when wanted.

A thousand items are opened in the time of a few, since a column is one block of memory; the whole
can be written as one block and read back (`packed`, `unpacked`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

from bot.errors import RecordCorrupt
from bot.memory.arrays import np
from bot.memory.item import Item
from bot.memory.retrieval import Postings, Vectors, postings_of
from bot.memory.words import LATIN, Terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

ID_LENGTH: Final = 21
PACK_VERSION: Final = 1

_FIELDS: Final = len(Item._fields)
_SHARED, _SOURCES, _ANSWERS = (Item._fields.index(n) for n in ("shared", "sources", "answers"))
_HEAD: Final = struct.Struct("<BI")

Column: TypeAlias = "NDArray[Any]"


def to_json(item: Item) -> bytes:
    """Return an item as a list in the order of its fields."""
    text = json.dumps(tuple(item), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def from_json(bodies: Sequence[bytes]) -> list[Item]:
    """Return items; a list that is shorter takes the defaults. Thrice as fast as one by one.

    Raises:
        RecordCorrupt: one of them is no item.
    """
    try:
        return [_item(row) for row in json.loads(b"[" + b",".join(bodies) + b"]")]
    except (ValueError, TypeError, RecursionError, LookupError) as error:
        raise RecordCorrupt("a stored memory can't be read") from error


def _item(row: list[Any]) -> Item:
    row[_SHARED] = tuple(row[_SHARED])
    row[_SOURCES] = tuple(map(tuple, row[_SOURCES]))
    if len(row) != _FIELDS:
        return Item(*row[:_FIELDS])
    row[_ANSWERS] = tuple(row[_ANSWERS])
    return Item._make(row)


class Coded(NamedTuple):
    """Vectors in a byte a number: half the size of float16, and read four times as fast."""

    codes: Column
    """int8, a row for each item."""
    scales: Column
    """float32: what the row's codes are multiplied with; 0 for an item without a vector."""

    def wide(self) -> Vectors:
        """Return the vectors as float32."""
        return self.codes.astype(np.float32) * self.scales[:, None]


def coded(vectors: Column) -> Coded:
    """Return vectors as codes; unit vectors lose some 0.2 % of their direction."""
    wide = vectors.astype(np.float32)
    scales = np.abs(wide).max(axis=1) / 127
    codes = np.rint(wide / np.where(scales > 0, scales, 1)[:, None]).astype(np.int8)
    return Coded(codes, scales.astype(np.float32))


@dataclass(frozen=True, slots=True)
class Rows:
    """Items in the order in which they were learned. `from_items` makes them."""

    ids: Column
    """`S21`: the kind's letter, then what sorts by time."""
    at: Column
    origin: Column
    """Places in `origins`."""
    language: Column
    """Places in `languages`."""
    starts: Column
    """Where each item's JSON begins in `bodies`, and where the last one ends."""
    bodies: bytes
    sources: Column
    """Three rows of int64: item, channel, message."""
    postings: Postings
    vectors: Coded | None
    origins: tuple[Item, ...]
    """Items that hold only what decides where they may be used."""
    languages: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def size(self) -> int:
        """Bytes, about."""
        vectors = 0 if self.vectors is None else self.vectors.codes.nbytes * 5
        columns = (self.ids, self.at, self.origin, self.language, self.starts, self.sources)
        whole = sum(column.nbytes for column in columns)
        return whole + len(self.bodies) + self.postings.size + vectors

    def letters(self) -> Column:
        """Return each item's kind, as the byte of its letter."""
        return cast("Column", self.ids.view(np.uint8).reshape(-1, ID_LENGTH)[:, 0])

    def ident(self, row: int) -> str:
        return bytes(self.ids[row]).decode("ascii")

    def items(self, rows: Iterable[int]) -> tuple[Item, ...]:
        """Read some items."""
        starts = self.starts
        return tuple(from_json([self.bodies[starts[row] : starts[row + 1]] for row in rows]))

    def changed(self, removed: Collection[str], added: Rows) -> Rows | None:
        """Return these rows without some and with others.

        None where that takes more than a removal and an addition at the end. What is added has
        no vectors yet.
        """
        gone = np.array(sorted(name.encode() for name in removed), dtype=f"S{ID_LENGTH}")
        keep = ~np.isin(self.ids, gone)
        ids = self.ids[keep]
        if len(ids) and len(added) and ids[-1][1:] >= added.ids[0][1:]:
            return None
        number = np.cumsum(keep) - 1
        table = {origin: place for place, origin in enumerate(self.origins)}
        moved = [table.setdefault(origin, len(table)) for origin in added.origins]
        words = {name: place for place, name in enumerate(self.languages)}
        spoken = [words.setdefault(name, len(words)) for name in added.languages]
        lengths = np.concatenate([np.diff(self.starts)[keep], np.diff(added.starts)])
        runs = zip(self.starts[:-1][keep].tolist(), self.starts[1:][keep].tolist(), strict=True)
        bodies = self.bodies if keep.all() else b"".join(self.bodies[a:b] for a, b in runs)
        own = self.sources[:, keep[self.sources[0]]].copy()
        own[0] = number[own[0]]
        more = added.sources.copy()
        more[0] += len(ids)
        return Rows(
            np.concatenate([ids, added.ids]),
            np.concatenate([self.at[keep], added.at]),
            np.concatenate([self.origin[keep], _mapped(moved, added.origin)]),
            np.concatenate([self.language[keep], _mapped(spoken, added.language)]),
            _starts(lengths),
            bodies + added.bodies,
            np.concatenate([own, more], axis=1),
            self.postings.kept(keep).followed_by(added.postings),
            _without(self.vectors, keep, len(added)),
            tuple(table),
            tuple(words),
        )


def from_items(
    items: Sequence[Item],
    terms: Sequence[Terms],
    vectors: Coded | None = None,
    bodies: Sequence[bytes] | None = None,
) -> Rows:
    """Return rows of items that stand in the order of their ids' times.

    `bodies` are the items' JSON, if the caller has them already.
    """
    origins: dict[tuple[Any, ...], int] = {}
    languages: dict[str, int] = {}
    origin = [origins.setdefault(_origin(item), len(origins)) for item in items]
    language = [languages.setdefault(item.language or LATIN, len(languages)) for item in items]
    if bodies is None:
        bodies = [to_json(item) for item in items]
    sources = [
        (row, channel, message)
        for row, item in enumerate(items)
        for channel, message in item.sources
    ]
    return Rows(
        np.array([item.id.encode() for item in items], dtype=f"S{ID_LENGTH}"),
        np.array([item.at for item in items], dtype=np.float64),
        np.array(origin, dtype=np.int32),
        np.array(language, dtype=np.int32),
        _starts(np.array([len(body) for body in bodies], dtype=np.int64)),
        b"".join(bodies),
        np.array(sources, dtype=np.int64).reshape(-1, 3).T.copy(),
        postings_of(terms),
        vectors,
        tuple(map(_read_origin, origins)),
        tuple(languages),
    )


def _origin(item: Item) -> tuple[Any, ...]:
    """Return what of an item decides where it may be used, as its first fields."""
    return (item[0][0], "", *item[2 : _SHARED + 1])


def _read_origin(row: Sequence[Any]) -> Item:
    ident, text, slot, guild, channel, closed, persona, shared = row
    return Item(ident, text, slot, guild, channel, closed, persona, tuple(shared))


def _starts(lengths: Column) -> Column:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _mapped(table: Sequence[int], places: Column) -> Column:
    return np.array(table or [0], dtype=np.int32)[places]


def _without(vectors: Coded | None, keep: Column, more: int) -> Coded | None:
    """Return the vectors of the rows that are kept, and none for those that come after."""
    if vectors is None:
        return None
    blank = np.zeros((more, vectors.codes.shape[1]), np.int8)
    return Coded(
        np.concatenate([vectors.codes[keep], blank]),
        np.concatenate([vectors.scales[keep], np.zeros(more, np.float32)]),
    )


# ── as one block ────────────────────────────────────────────────────────────────────────────


def packed(rows: Rows, space: str) -> bytes:
    """Return rows as one block of bytes. `space` is the vectors'."""
    postings = rows.postings
    columns: list[Column] = [
        rows.at,
        rows.starts,
        rows.sources,
        rows.origin,
        rows.language,
        postings.terms,
        postings.lengths,
        postings.rows,
        postings.counts,
        rows.ids,
    ]
    columns += rows.vectors or ()
    head = {
        "space": space,
        "columns": [(column.dtype.str, column.shape) for column in columns],
        "origins": [tuple(origin)[: _SHARED + 1] for origin in rows.origins],
        "languages": rows.languages,
    }
    told = json.dumps(head, ensure_ascii=False).encode("utf-8", "surrogatepass")
    told += b" " * (-(_HEAD.size + len(told)) % 8)  # aligned, as numpy likes it
    blocks = [np.ascontiguousarray(column).tobytes() for column in columns]
    return b"".join([_HEAD.pack(PACK_VERSION, len(told)), told, *blocks, rows.bodies])


def unpacked(block: bytes) -> tuple[Rows, str]:
    """Return rows, and the space of their vectors.

    Raises:
        RecordCorrupt: it is no such block.
    """
    try:
        version, length = _HEAD.unpack_from(block)
        if version != PACK_VERSION:
            raise RecordCorrupt("a packed memory is of another version")
        at = _HEAD.size + length
        head = json.loads(block[_HEAD.size : at])
        columns: list[Column] = []
        for kind, shape in head["columns"]:
            dtype = np.dtype(kind)
            count = int(np.prod(shape))
            columns.append(np.frombuffer(block, dtype, count, at).reshape(shape))
            at += count * dtype.itemsize
        rows = Rows(
            ids=columns[9],
            at=columns[0],
            origin=columns[3],
            language=columns[4],
            starts=columns[1],
            bodies=block[at:],
            sources=columns[2],
            postings=Postings(columns[5], columns[7], columns[8], columns[6]),
            vectors=Coded(*columns[10:]) if len(columns) > 10 else None,
            origins=tuple(map(_read_origin, head["origins"])),
            languages=tuple(head["languages"]),
        )
    except (struct.error, ValueError, TypeError, LookupError, RecursionError) as error:
        raise RecordCorrupt("a packed memory can't be read") from error
    return rows, str(head["space"])
