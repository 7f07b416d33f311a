"""Files made to hurt: refused with a clear sentence, or read without harm; never a crash."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import time
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import CardRejected
from bot.personas import book_reading, make_persona, rawjson, read_card, read_lorebook
from bot.personas import charx as charx_room
from bot.personas import png as png_room
from bot.personas.book_reading import LIVING_PATTERN, MAX_PATTERN_CHARS, MAX_PATTERNS
from bot.personas.card import V3
from bot.personas.card_reading import MAX_FIELD_CHARS
from bot.personas.export import Container, export_card
from bot.personas.lorebook import MAX_KEY_CHARS, MAX_KEYS
from bot.personas.png import MAX_INFLATED, MAX_TEXT, Inflation
from bot.personas.reading import MAX_FILE
from bot.prompting.lore_notes import prepare_lore
from tests.unit.personas.files import (
    PICTURE,
    as_json,
    book,
    charx,
    chunk,
    entry,
    packed,
    png,
    text_chunk,
    v2,
    v3,
)


def refused(data: bytes) -> str:
    began = time.process_time()
    with pytest.raises(CardRejected) as caught:
        read_card(data, "x")
    assert time.process_time() - began < 5
    text = caught.value.text
    assert text
    assert "Traceback" not in text
    return text


def read_or_refuse(data: bytes) -> None:
    """Any other exception than a refusal fails the test."""
    with contextlib.suppress(CardRejected):
        assert read_card(data, "x").card.name


def bomb(kind: str) -> bytes:
    return text_chunk("chara", b"\0" * (64 * 2**20), kind)


@pytest.mark.parametrize("kind", ["zTXt", "iTXt packed"])
def test_a_zlib_bomb_is_refused(kind: str) -> None:
    assert "more than 16 MB" in refused(png(bomb(kind)))


def test_a_zip_bomb_is_refused() -> None:
    assert "more than I accept" in refused(charx({"x": "y" * (20 * 2**20)}))


def test_the_members_of_a_charx_share_one_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{n}.bin": b"x" * 600 for n in range(5)}
    monkeypatch.setattr(charx_room, "MAX_TOTAL", len(as_json(v3())) + 2_000)
    assert "more than I accept" in refused(charx(v3(), files))
    assert read_card(charx(v3(), {"0.bin": b"x" * 600}), "x.charx").files


def test_a_lying_zip_header_is_refused() -> None:
    data = bytearray(charx(v3(), {"a.bin": b"\0" * 2**20}))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.rindex(signature)
        struct.pack_into("<I", data, start + at, 10)
    refused(bytes(data))


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/etc/evil", "a/../../evil", "C:\\evil", "..\\evil"]
)
def test_paths_that_lead_outside_are_left_out(name: str, tmp_path: Path) -> None:
    before = set(tmp_path.parent.rglob("*evil*"))
    card = read_card(charx(v3(), {name: b"x", "ok.txt": b"y"}), "x.charx")
    assert set(card.files) == {"ok.txt"}
    assert any("leads outside" in warning for warning in card.warnings)
    assert set(tmp_path.parent.rglob("*evil*")) == before


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(charx(v3()))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    assert "encrypted" in refused(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("name", ["card.json", "assets/a.png"])
def test_what_zipfile_inflates_at_once_is_never_opened(
    method: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few hundred bytes of bzip2 or LZMA become a gigabyte, whatever limit is asked for."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        if name != "card.json":
            archive.writestr("card.json", as_json(v3()))
        archive.writestr(name, b" " * 2**20, compress_type=method)
    opened: list[str] = []
    real = zipfile.ZipFile.open

    def counting(self: zipfile.ZipFile, member: zipfile.ZipInfo, mode: Any = "r") -> Any:
        opened.append(member.filename)
        return real(self, member, mode)

    monkeypatch.setattr(zipfile.ZipFile, "open", counting)
    assert "deflate" in refused(buffer.getvalue())
    assert name not in opened


def test_a_directory_of_endless_members_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(charx_room, "MAX_RECORDS", 3)
    data = charx(v3(), {f"{n}.txt": b"" for n in range(9)})
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda _: pytest.fail("it was read"))
    assert "files" in refused(data)


class Inflating:
    """Counts what is inflated, and holds everybody to asking for a bound."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.total = 0
        real = zlib.decompressobj

        def begin(*args: Any) -> Any:
            inner = real(*args)

            def decompress(data: bytes, most: int = 0) -> bytes:
                assert 0 < most <= MAX_TEXT + 1, "an inflation without a bound"
                content = inner.decompress(data, most)
                self.total += len(content)
                return content

            return SimpleNamespace(decompress=decompress)

        monkeypatch.setattr(zlib, "decompressobj", begin)


@pytest.mark.parametrize("keyword", ["chara", "ccv3"])
def test_bombs_by_number_share_one_bound(keyword: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = text_chunk(keyword, b"{" + b" " * (MAX_TEXT - 2), "zTXt")
    data = png(*[bomb] * 40)
    inflating = Inflating(monkeypatch)
    refused(data)
    assert inflating.total <= MAX_INFLATED + 40


def test_assets_share_the_bound_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assets = [text_chunk(f"chara-ext-asset_:{n}.bin", b"x" * 1_000, "zTXt") for n in range(9)]
    inflating = Inflating(monkeypatch)
    monkeypatch.setattr(png_room, "Inflation", lambda: Inflation(3_500))
    assert "unpack to more than" in refused(png(text_chunk("chara", packed(v2())), *assets))
    assert inflating.total == 3_501
    assert len(read_card(png(text_chunk("chara", packed(v2())), *assets[:3]), "x").files) == 3


def test_a_card_behind_very_many_assets_is_found() -> None:
    """RisuAI writes the card last."""
    assets = [text_chunk(f"chara-ext-asset_:{n}", b"eA==") for n in range(png_room.MAX_ASSETS + 1)]
    read = read_card(png(*assets, text_chunk("chara", packed(v2()))), "x.png")
    assert read.card.name == "Sera"
    assert len(read.files) == png_room.MAX_ASSETS
    assert any("the others were not read" in warning for warning in read.warnings)


def test_only_what_is_needed_of_many_texts_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    good = text_chunk("chara", packed(v2()), "zTXt")
    big = text_chunk("chara", b"x" * (MAX_TEXT - 2), "zTXt")
    other = text_chunk("Comment", b"x" * (MAX_TEXT - 2), "zTXt")
    data = png(*[other] * 30, good, *[big] * 30)
    inflating = Inflating(monkeypatch)
    assert read_card(data, "x.png").card.name == "Sera"
    assert inflating.total == len(packed(v2()))


def test_a_text_too_large_does_not_hide_a_good_one() -> None:
    read = read_card(png(bomb("zTXt"), text_chunk("chara", packed(v2()))), "x.png")
    assert read.card.name == "Sera"
    assert any("passed over" in warning for warning in read.warnings)


def test_patterns_are_bounded_by_book_and_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    real = regex.compile

    def counting(pattern: str, flags: int = 0) -> Any:
        compiled.append(pattern)
        return real(pattern, flags)

    monkeypatch.setattr(regex, "compile", counting)
    entries = [
        entry(
            keys=[f"/unlike{n}_{m}x/" for m in range(100)],
            content=f"@@additional_keys /more{n}y/\n@@exclude_keys /less{n}z/\nx",
        )
        for n in range(40)
    ]
    read = read_card(as_json(v3(character_book=book(*entries, entry(keys=["plain"])))), "x")
    prepare_lore(make_persona(read, "x"))
    assert 0 < len(compiled) <= MAX_PATTERNS
    assert len(set(compiled)) == len(compiled)
    assert sum("patterns as keys" in each for each in read.warnings) == 1
    assert read.card.book is not None
    assert read.card.book.entries[-1].keys == ("plain",)
    assert export_card(read, Container.JSON, spec=V3).data.count(b"unlike") == 4_000


def test_patterns_with_macros_count_for_more() -> None:
    keys = [f"/{n} {{{{user}}}}/" for n in range(200)]
    read = read_card(as_json(v3(character_book=book(entry(keys=keys)))), "x")
    assert read.card.book is not None
    assert len(read.card.book.entries[0].keys) == MAX_PATTERNS // LIVING_PATTERN


def test_long_patterns_are_bounded_together() -> None:
    keys = [f"/{n}{'x' * 1_900}/" for n in range(100)]
    read = read_card(as_json(v3(character_book=book(entry(keys=keys)))), "x")
    assert read.card.book is not None
    assert 0 < sum(map(len, read.card.book.entries[0].keys)) <= MAX_PATTERN_CHARS


def test_many_members_are_refused() -> None:
    assert "files" in refused(charx(v3(), {f"{n}.txt": b"" for n in range(2_100)}))


def test_a_truncated_zip_is_refused() -> None:
    refused(charx(v3(), {"a": b"x" * 500})[:-30])


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 100_000,
        "[" * 100_000,
        '{"data":' + '{"x":' * 70 + "1" + "}" * 71,
        '{"name":"x","n":' + "9" * 5_000 + "}",
        "",
        "{",
        "null",
        "[]",
        '"name"',
        "{}",
        '{"spec":"chara_card_v3","data":{}}',
        '{"spec":"chara_card_v2","data":[]}',
        '{"name":5}',
    ],
)
def test_hostile_json_is_refused(text: str) -> None:
    refused(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        PICTURE,
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"\xff\xd8\xff\xe0",
        b"rcc||abc||def",
        b"PK\x03\x04",
        b"GIF89a",
        b"\x00" * 5_000,
    ],
)
def test_what_is_no_card_is_refused(data: bytes) -> None:
    refused(data)


def test_a_file_too_large_is_refused() -> None:
    assert "larger" in refused(b"{" + b" " * MAX_FILE)


def test_very_many_chunks_are_refused() -> None:
    assert "too many" in refused(png(chunk(b"teSt", b"") * 70_000))


def test_a_chunk_of_absurd_length_ends_the_file() -> None:
    data = png(text_chunk("chara", packed(v2())), struct.pack(">I", 2**31) + b"tEXt")
    assert read_card(data, "x.png").card.name == "Sera"


def test_a_book_of_too_many_entries_is_refused() -> None:
    assert "entries" in refused(as_json(v2(character_book=book(*[entry()] * 10_001))))


def test_surrogates_nul_and_nan_can_be_stored_afterwards() -> None:
    text = json.dumps(v2(description="a\ud800b\x00c"))[:-1] + ',"n":NaN,"i":-Infinity}'
    card = read_card(text.encode(), "x.json").card
    assert card.description == "a\ufffdbc"
    assert card.raw["n"] is None
    assert card.raw["i"] is None
    rawjson.write(card.raw).encode("utf-8")


def test_numbers_out_of_all_bounds_are_told_or_bounded() -> None:
    raw = entry(
        insertion_order=10**400, extensions={"depth": 1e308, "probability": -5, "sticky": -1}
    )
    card = read_card(as_json(v2(character_book=book(raw))), "x").card
    assert card.book is not None
    assert card.book.entries[0].probability == 0
    assert card.book.entries[0].sticky == 0


def test_a_name_is_bounded_and_one_line() -> None:
    card = read_card(as_json(v2(name="x\n" * 5_000)), "x").card
    assert "\n" not in card.name
    assert len(card.name) <= 200
    assert len(make_persona(read_card(as_json(v2(name="y" * 500)), "x"), "x").name) <= 80


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = [*v3()["data"], "character_book", "assets", "creation_date", "nickname", "source"]
EXTENSIONS = ["talkativeness", "depth_prompt", "regex_scripts", "world"]


@given(st.dictionaries(st.sampled_from(FIELDS), anything, max_size=6), anything)
@settings(max_examples=200, deadline=None)
def test_any_value_in_any_field_is_read(fields: dict[str, Any], extra: Any) -> None:
    tree = v3(**{"extensions": dict.fromkeys(EXTENSIONS, extra), **fields})
    read = read_card(as_json(tree), "x.json")
    make_persona(read, "x")
    rawjson.write(read.card.raw).encode("utf-8")
    for container in Container:  # and written so that it can be read again
        back = read_card(export_card(read, container, now=1).data, "x")
        assert back.card.name == read.card.name
        assert back.card.description == read.card.description


@given(st.dictionaries(st.sampled_from([*entry(), "id", "position", "priority", "key", "order"]),
                       anything, max_size=5), anything)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_any_value_in_any_field_of_an_entry_is_read(fields: dict[str, Any], extra: Any) -> None:
    extensions = dict.fromkeys(("position", "depth", "role", "group", "sticky"), extra)
    raw = {**entry(extensions=extensions), **fields}
    read_card(as_json(v3(character_book=book(raw))), "x.json")
    try:
        read_lorebook(as_json({"entries": {"0": raw}}), "x.json")
    except CardRejected:
        pytest.fail("a lorebook was refused")


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"{"):
        read_or_refuse(start + data)


SAMPLES = (
    png(text_chunk("chara", packed(v2())), text_chunk("ccv3", packed(v3()), "zTXt"), after=True),
    png(text_chunk("chara", packed(v2()), "iTXt packed")),
    charx(v3(), {"a.png": PICTURE}),
    as_json(v3(character_book=book(entry(content="@@depth 3\nx")))),
)


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.floats(0, 1),
)
@settings(max_examples=300, deadline=None)
def test_damaged_files_are_read_or_refused(
    sample: bytes, damage: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(sample)
    for place, value in damage:
        data[int(place * len(data))] = value
    end = len(data) if cut > 0.5 else int(len(data) * cut * 2)
    read_or_refuse(bytes(data[:end]))


def test_a_zip_with_a_damaged_stream_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("card.json", zlib.compress(as_json(v3())))
    data = bytearray(buffer.getvalue())
    data[8] = data[data.index(b"PK\x01\x02") + 10] = 8
    refused(bytes(data))


@pytest.mark.parametrize(
    ("field", "unit"),
    [("first_mes", "!["), ("first_mes", "https://"), ("mes_example", "\n"), ("mes_example", " \n")],
)
def test_a_very_long_field_is_looked_through_once(field: str, unit: str) -> None:
    """A search that begins anew at each sign would take hours here, and hold up everything."""
    text = unit * (MAX_FIELD_CHARS // 2 // len(unit))
    card = read_card(as_json(v2(**{field: text})), "x").card
    assert getattr(card, field) == text


@pytest.mark.parametrize("name", ["additional_keys", "exclude_keys"])
def test_decorators_hold_no_more_keys_than_an_entry_may(name: str) -> None:
    keys = ",".join(["x" * (MAX_KEY_CHARS + 1), *map(str, range(5_000))])
    card = read_card(
        as_json(v3(character_book=book(entry(content=f"@@{name} {keys}\nTrees.")))), "x"
    ).card
    assert card.book is not None
    decorators = card.book.entries[0].decorators
    assert decorators.additional_keys or decorators.exclude_keys
    for group in (*decorators.additional_keys, decorators.exclude_keys):
        assert len(group) <= MAX_KEYS
        assert all(len(key) <= MAX_KEY_CHARS for key in group)


def test_the_keys_of_a_book_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_reading, "MAX_BOOK_KEYS", 10)
    keys = [entry(keys=[f"{n} a", f"{n} b"], secondary_keys=[f"{n} c"]) for n in range(5)]
    read = read_card(as_json(v3(character_book=book(*keys))), "x")
    assert read.card.book is not None
    kept = [key for each in read.card.book.entries for key in (*each.keys, *each.secondary_keys)]
    assert len(kept) == 10
    assert kept[-1] == "3 a"
    assert any("more than 10 keys" in each for each in read.warnings)
