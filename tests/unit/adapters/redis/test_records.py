"""Records: what is written is read again, and anything else is `RecordCorrupt`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.redis import records
from bot.adapters.redis.conversation_rows import read_row
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Message, Speaker, Trigger
from bot.errors import RecordCorrupt, StoreError
from bot.ports import Progress

ids = st.integers(0, 2**64 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["i", "s", "t", "p", "at", "q", "f", "c", "g"]), inner)
    ),
    max_leaves=12,
)
READERS: list[Callable[[bytes], Any]] = [
    records.entry_of,
    records.progress_of,
    records.binding_of,
    lambda data: records.said_of(MessageId(1), data, data),
    lambda data: records.variant_of((), data, data),
    read_row,
]


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text(max_size=40), ids, ids, st.floats(0, 1e12))
def test_any_message_survives(text: str, name: str, one: int, two: int, at: float) -> None:
    place = Place(ChannelId(one), GuildId(two), parent=ChannelId(two))
    message = Message(MessageId(one), place, Speaker(UserId(two), name), text, at)
    entry = records.entry_of(records.entry_record(message, Trigger.WORD, at))
    assert entry == (message, Trigger.WORD, at)
    assert entry[0].place.parent == two


@settings(max_examples=30, deadline=None)
@given(st.lists(ids, max_size=5), st.none() | ids, st.booleans())
def test_any_progress_survives(replies: list[int], webhook: int | None, final: bool) -> None:
    progress = Progress(tuple(MessageId(i) for i in replies), webhook, final)
    assert records.progress_of(records.progress_record(progress)) == progress


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_corrupt_and_nothing_else(data: bytes) -> None:
    for reader in READERS:
        try:
            reader(data)
        except RecordCorrupt:
            continue


@pytest.mark.parametrize("value", [-1, 2**64, True, "5", 5.0, None, [5]])
def test_an_id_is_a_number_of_64_bits(value: object) -> None:
    with pytest.raises(RecordCorrupt):
        records.ident(value)


@pytest.mark.parametrize("at", ["1e999", "-1e999", "NaN", "true", '"5"', "null"])
def test_a_time_is_finite(at: str) -> None:
    data = b'{"s": {"i": 1, "n": "A"}, "at": %s}' % at.encode()
    with pytest.raises(RecordCorrupt):
        records.said_of(MessageId(1), data, b'{"t": "x"}')


def test_deep_nesting_is_corrupt() -> None:
    with pytest.raises(RecordCorrupt):
        records.read(b'{"a":' * 100_000)


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(StoreError):
        records.text_record("x" * 300_000)
    message = Message(
        MessageId(1), Place(ChannelId(1)), Speaker(UserId(1), "A"), "x" * 300_000, 1.0
    )
    with pytest.raises(StoreError):
        records.entry_record(message, Trigger.DM, 1.0)
