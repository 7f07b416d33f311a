"""Records of memories: what was written is read, what is damaged is refused."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.memory_records import _HEAD, Opened, read_items, read_shelf, write
from bot.errors import RecordCorrupt, StoreError
from bot.memory.item import Item, Kind, new_id

IDS = st.integers(0, 2**63 - 1)
ITEMS = st.builds(
    Item,
    id=st.sampled_from(list(Kind)).map(lambda kind: new_id(kind, 1.0)),
    text=st.text(max_size=50),
    guild=IDS,
    channel=IDS,
    closed=st.booleans(),
    shared=st.lists(IDS, max_size=3).map(tuple),
    at=st.floats(0, 2e9),
    sources=st.lists(st.tuples(IDS, IDS), max_size=3).map(tuple),
    context=st.text(max_size=20),
    until=st.floats(0, 2e9),
    extra=st.just(""),
)


@settings(deadline=None, max_examples=80)
@given(ITEMS, st.lists(st.integers(0, 2**32 - 1), max_size=8))
def test_what_was_written_is_read(item: Item, terms: list[int]) -> None:
    plain = write(item, np.array(terms, dtype=np.uint32), (0.5, -0.5), "m@2")
    opened = Opened(plain)
    assert read_items([opened, opened]) == [item, item]
    assert opened.terms.tolist() == terms
    assert np.frombuffer(opened.vector, "<f2").tolist() == [0.5, -0.5]


@settings(deadline=None, max_examples=120)
@given(st.binary(max_size=80))
def test_whatever_bytes_come_back_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(RecordCorrupt):
        read_items([Opened(data)])


def test_a_record_of_an_older_program_takes_the_defaults() -> None:
    whole = Item(new_id(Kind.FACT, 1.0), "has a dog", at=1.0, sources=((1, 2),))
    body = json.dumps(tuple(whole)[:12]).encode()
    [read] = read_items([Opened(_HEAD.pack(1, len(body), 0, 0) + body)])
    assert read == whole


def test_a_record_of_a_newer_format_is_refused() -> None:
    with pytest.raises(RecordCorrupt, match="newer"):
        Opened(_HEAD.pack(2, 2, 0, 0) + b"[]")


def test_bounds() -> None:
    item = Item(new_id(Kind.FACT, 1.0), "a")
    with pytest.raises(StoreError):
        write(item, None, [0.0] * 10_000, "m@10000")
    with pytest.raises(StoreError):
        write(item._replace(text="x" * 70_000), None)


def test_what_can_t_be_opened_is_left_out_and_the_rest_is_in_order() -> None:
    sealer, other = Sealer([("own", bytes(32))]), Sealer([("own", bytes(range(32)))])
    late, early = (Item(new_id(Kind.FACT, at), str(at), at=at) for at in (2.0, 1.0))
    records = {
        item.id.encode(): sealer.seal(write(item, None), "key", item.id) for item in (late, early)
    }
    foreign = new_id(Kind.FACT, 3.0)
    records[foreign.encode()] = other.seal(write(late, None), "key", foreign)
    moved = new_id(Kind.FACT, 4.0)
    records[moved.encode()] = records[late.id.encode()]
    records[b"empty"] = b""
    shelf = read_shelf(sealer, "key", {b"ver": b"1"}, records, space="")
    assert shelf.items == (early, late)
