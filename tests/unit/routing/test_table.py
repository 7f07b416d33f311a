"""The table's opinion: how sure it is of short messages and of long ones."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from bot.errors import SettingsRejected
from bot.routing.features import BITS, bucket
from bot.routing.table import RouteTable, TableHeader, lengthy, read_table, write_table
from bot.routing.text import MAX_TOKENS
from tests.fakes import PATIENCE

SHORT, LONG = "stone river", "stone river wind " * 30
SCATTERED = bytes(range(1, 256)) * ((4 << BITS) // 255) + b"\x80" * ((4 << BITS) % 255)
"""Weights that say something of every feature."""


def weights(**lanes: int) -> bytes:
    """Return a table in which each message gets these steps, by label."""
    table = bytearray(b"\x80" * (4 << BITS))
    for at, name in enumerate(("factual", "creative", "companion")):
        table[4 * bucket("shape always") + at] += lanes.get(name, 0)
    return bytes(table)


def test_a_long_message_is_read_with_less_confidence() -> None:
    table = RouteTable(TableHeader(scale=0.1, long_heat=2.0), weights(creative=60))
    assert table.raw(SHORT)[1] == pytest.approx(table.raw(LONG)[1])
    assert max(table.scores(SHORT).routes) > max(table.scores(LONG).routes) > 0.5


def test_the_words_of_a_long_message_s_subject_count_less_for_a_fact() -> None:
    table = RouteTable(TableHeader(scale=0.1, long_shift=1.0), weights())
    assert table.scores(SHORT).routes == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    factual, creative, companion = table.scores(LONG).routes
    assert creative == companion > factual


def test_how_long_a_message_is_has_bounds() -> None:
    lengths = [lengthy(count) for count in range(MAX_TOKENS + 20)]
    assert lengths == sorted(lengths)
    assert (lengths[0], lengths[10], lengths[-1]) == (0.0, 0.0, 1.0)


def test_a_table_that_says_nothing_of_long_messages_reads_them_as_short_ones(
    tmp_path: Path,
) -> None:
    line, _, data = write_table(TableHeader(scale=0.1), weights(creative=60)).partition(b"\n")
    head = json.loads(line)
    del head["long_heat"], head["long_shift"]
    path = tmp_path / "route.table"
    path.write_bytes(json.dumps(head).encode() + b"\n" + data)
    table = read_table(path)
    assert table.scores(SHORT).routes == pytest.approx(table.scores(LONG).routes)


def test_words_that_are_added_up_beforehand_change_no_score(tmp_path: Path) -> None:
    few, many = TableHeader(scale=0.1), TableHeader(scale=0.1, usual=("stone", "wind", "ü"))
    path = tmp_path / "route.table"
    path.write_bytes(write_table(many, SCATTERED))
    table = read_table(path)
    assert table.header.usual == many.usual
    for text in (SHORT, LONG, "stonewind", ""):
        assert table.raw(text) == RouteTable(few, SCATTERED).raw(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", "5"),
        ("threshold", "-1"),
        ("threshold", "NaN"),
        ("threshold", '"nan"'),
        ("threshold", "1.0"),
        ("gate_shift", "-1e9"),
        ("gate_shift", "NaN"),
        ("gate_shift", "Infinity"),
        ("gate_temperature", "900"),
        ("temperature", "0"),
        ("temperature", "900"),
        ("long_heat", "1e-9"),
        ("long_shift", "900"),
        ("scale", "Infinity"),
    ],
)
def test_a_header_with_an_impossible_number_is_refused(
    tmp_path: Path, name: str, value: str
) -> None:
    line, _, data = write_table(TableHeader(scale=0.1), weights()).partition(b"\n")
    head = json.dumps({**json.loads(line), name: "HERE"}).replace('"HERE"', value)
    path = tmp_path / "route.table"
    path.write_bytes(head.encode() + b"\n" + data)
    with pytest.raises(SettingsRejected, match=f"`{name}` must be from"):
        read_table(path)


def test_a_pipe_in_place_of_a_table_blocks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "route.table"
    os.mkfifo(path)
    said: list[str] = []

    def read() -> None:
        with pytest.raises(SettingsRejected) as refused:
            read_table(path)
        said.extend(refused.value.problems)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    reading.join(PATIENCE)
    assert said == ["route table: route.table is no regular file"]
