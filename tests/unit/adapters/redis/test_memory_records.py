"""Records of memories: what was written is read, what is damaged is refused."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.memory_records import _HEAD, Opened, read_rows, write
from bot.errors import RecordCorrupt, StoreError
from bot.memory.item import Item, Kind, new_id
from bot.memory.recording import terms_for
from bot.memory.rows import from_json

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
    language=st.sampled_from(["", "english", "german"]),
    answers=st.lists(IDS, max_size=2).map(tuple),
    until=st.floats(0, 2e9),
    extra=st.just(""),
)


@settings(deadline=None, max_examples=80)
@given(ITEMS)
def test_what_was_written_is_read(item: Item) -> None:
    plain = write(item, (0.5, -0.5), "m@2")
    opened = Opened(plain)
    assert from_json([opened.body, opened.body]) == [item, item]
    assert opened.terms.tolist() == terms_for(item).tolist()
    assert np.frombuffer(opened.vector, "<f2").tolist() == [0.5, -0.5]


@settings(deadline=None, max_examples=120)
@given(st.binary(max_size=80))
def test_whatever_bytes_come_back_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(RecordCorrupt):
        from_json([Opened(data).body])


def test_a_record_of_an_older_program_takes_the_defaults() -> None:
    whole = Item(new_id(Kind.FACT, 1.0), "has a dog", at=1.0, sources=((1, 2),))
    body = json.dumps(tuple(whole)[:12]).encode()
    [read] = from_json([Opened(_HEAD.pack(1, len(body), 0, 0) + body).body])
    assert read == whole


def test_a_record_of_a_newer_format_is_refused() -> None:
    with pytest.raises(RecordCorrupt, match="newer"):
        Opened(_HEAD.pack(2, 2, 0, 0) + b"[]")


def test_bounds() -> None:
    item = Item(new_id(Kind.FACT, 1.0), "a")
    with pytest.raises(StoreError):
        write(item, [0.0] * 10_000, "m@10000")
    with pytest.raises(StoreError):
        write(item._replace(text="x" * 70_000))


def test_what_can_t_be_opened_is_left_out_and_the_rest_is_in_order() -> None:
    sealer, other = Sealer([("own", bytes(32))]), Sealer([("own", bytes(range(32)))])
    late, early = (Item(new_id(Kind.FACT, at), str(at), at=at) for at in (2.0, 1.0))
    records = {item.id.encode(): sealer.seal(write(item), "key", item.id) for item in (late, early)}
    foreign = new_id(Kind.FACT, 3.0)
    records[foreign.encode()] = other.seal(write(late), "key", foreign)
    moved = new_id(Kind.FACT, 4.0)
    records[moved.encode()] = records[late.id.encode()]
    records[b"empty"] = b""
    rows, unreadable = read_rows(sealer.open_hash(records, "key"), "")
    assert rows.items(range(len(rows))) == (early, late)
    assert unreadable == 0, "what could not be opened is none of its business"
