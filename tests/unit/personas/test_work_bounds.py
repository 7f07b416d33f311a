"""What a stranger's file may cost, counted as work and never as time.

Every inflation asks for a bound, and all of one file stay within the bound that the reader states;
patterns and macros likewise.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import CardRejected
from bot.personas import book_reading as books
from bot.personas import charx, make_persona, patterns, png, read_card
from bot.prompting.lore_notes import prepare_lore
from bot.prompting.macro_values import MacroContext
from bot.prompting.macros import Budget
from tests.unit.personas.files import as_json, book, chunk, entry, packed, text_chunk, v2, v3
from tests.unit.personas.files import png as png_of

SMALL = 4_096
"""The bounds are made small, so that small files reach them."""


@dataclass
class Work:
    """What reading one file has cost."""

    inflated: int = 0
    largest: int = 0
    compiled: int = 0

    def inflate(self, content: bytes) -> bytes:
        self.inflated += len(content)
        self.largest = max(self.largest, len(content))
        return content


@contextlib.contextmanager
def counted() -> Iterator[Work]:
    """Count what is inflated and compiled; every inflation must ask for a bound."""
    work = Work()
    inflater, pattern, opened = zlib.decompressobj, regex.compile, zipfile.ZipExtFile.read

    def begin(*args: Any) -> Any:
        inner = inflater(*args)
        if args:  # zipfile's own, which is asked below
            return inner
        return SimpleNamespace(
            decompress=lambda data, most: work.inflate(inner.decompress(data, most))
        )

    def compile_(written: str, flags: int = 0) -> Any:
        work.compiled += 1
        return pattern(written, flags)

    def read(self: zipfile.ZipExtFile, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0, "a member is read without a bound"
        assert self._compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # type: ignore[attr-defined]
        return work.inflate(opened(self, size))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zlib, "decompressobj", begin)
        patch.setattr(regex, "compile", compile_)
        patch.setattr(zipfile.ZipExtFile, "read", read)
        for room, name in ((png, "MAX_TEXT"), (charx, "MAX_CARD"), (charx, "MAX_FILE")):
            patch.setattr(room, name, SMALL)
        patch.setattr(png.Inflation.__init__, "__defaults__", (3 * SMALL,))
        patch.setattr(charx, "MAX_TOTAL", 3 * SMALL)
        patch.setattr(books, "MAX_PATTERNS", 8)
        patterns.compile_javascript.cache_clear()
        yield work


sizes = st.sampled_from([0, 10, SMALL - 1, SMALL, SMALL + 1, 50 * SMALL])
kinds = st.sampled_from(["tEXt", "zTXt", "iTXt", "iTXt packed", "iTXt short"])
keywords = st.sampled_from(
    ["chara", "ccv3", "CHARA", "Comment", "chara-ext-asset_:a", "chara-ext-asset_:b"]
)
cards = st.sampled_from([packed(v2()), packed(v3()), as_json(v2()), b"{", base64.b64encode(b"no")])
texts = st.builds(
    lambda keyword, content, size, kind: text_chunk(keyword, content + b" " * size, kind),
    keywords, cards, sizes, kinds,
)  # fmt: skip


@given(st.lists(texts, max_size=12), st.booleans())
@settings(max_examples=120, deadline=None)
def test_a_png_inflates_no_more_than_its_bound(chunks: list[bytes], after: bool) -> None:
    with counted() as work, contextlib.suppress(CardRejected):
        assert read_card(png_of(*chunks, after=after), "x.png").card.name
    assert work.largest <= SMALL + 1
    # Each refused text is read one byte beyond the bound, and ends there.
    assert work.inflated <= 3 * SMALL + len(chunks)


members = st.tuples(
    st.sampled_from(["card.json", *"abcdefgh", "../evil", "dir/"]),
    cards,
    sizes,
    st.sampled_from([zipfile.ZIP_STORED, *[zipfile.ZIP_DEFLATED] * 9, zipfile.ZIP_BZIP2]),
)


@given(st.lists(members, max_size=8), st.sampled_from([b"", b"{", b"\xff\xd8\xff", b"MZ"]),
       st.booleans())  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_a_charx_inflates_no_more_than_its_bound(
    written: list[tuple[str, bytes, int, int]], prefix: bytes, bad: bool
) -> None:
    buffer = io.BytesIO()
    names = set()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("card.json", packed(v2()) if bad else as_json(v3()))
        names.add("card.json")
        for name, content, size, method in written:
            if name not in names:
                archive.writestr(name, content + b" " * size, compress_type=method)
                names.add(name)
    with counted() as work, contextlib.suppress(CardRejected):
        assert read_card(prefix + buffer.getvalue(), "x.charx").card.name
    assert work.largest <= SMALL + 1
    assert work.inflated <= 3 * SMALL + 1


keys = st.one_of(
    st.builds(lambda n: f"/x{n}(a|b)+/i", st.integers(0, 99)), st.sampled_from(["a", "/(/", ""])
)


@given(st.lists(st.tuples(st.lists(keys, max_size=6), st.lists(keys, max_size=3)), max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_book_compiles_no_more_patterns_than_its_bound(
    written: list[tuple[list[str], list[str]]],
) -> None:
    entries = [
        entry(keys=first, secondary_keys=second, selective=True,
              content="".join(f"@@exclude_keys {key}\n" for key in second if key) + "x")
        for first, second in written
    ]  # fmt: skip
    with counted() as work:
        read = read_card(as_json(v3(character_book=book(*entries))), "x.json")
        prepare_lore(make_persona(read, "x"))
    assert work.compiled <= 8


FIELDS = ("description", "personality", "scenario", "mesexamples")
pieces = st.sampled_from(
    [*(f"{{{{{name}}}}}" for name in FIELDS), "{{roll:1000d6}}", "{{pick:a,b}}", "{{user}}",
     "<BOT>", "{{getvar::a}}", "{{addvar::a::xxxxxxxxxxxxxxxx}}", "{{random:{{char}},b}}", "{{",
     "}}", "x" * 99]
)  # fmt: skip
fields = st.dictionaries(
    st.sampled_from(FIELDS),
    st.tuples(pieces, st.integers(1, 400)).map(lambda each: each[0] * each[1]),
)


@given(fields, st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4))
@settings(max_examples=80, deadline=None)
def test_macros_of_one_prompt_cost_no_more_than_their_budget(
    given_fields: dict[str, str], order: list[str]
) -> None:
    thrown = 0

    def chance() -> float:
        nonlocal thrown
        thrown += 1
        return 0.5

    context = MacroContext(
        char="Sera", user="Ann", fields=given_fields, chance=chance, budget=Budget(60, 3_000, 1_500)
    )
    written = [given_fields.get(name, "") for name in order]
    grown = [context.expand(text) for text in written]
    assert thrown <= 1_500 + 60  # dice, and one throw for each choice
    assert sum(map(len, grown)) <= 3_000 + sum(map(len, written))
    assert min(context.budget.macros, context.budget.characters, context.budget.dice) >= 0


@given(st.binary(max_size=200), st.sampled_from([b"zTXt", b"iTXt", b"tEXt"]))
@settings(max_examples=150, deadline=None)
def test_any_bytes_as_a_card_s_text_cost_no_more(body: bytes, kind: bytes) -> None:
    data = png_of(*[chunk(kind, b"chara\0" + body)] * 3)
    with counted() as work, contextlib.suppress(CardRejected):
        read_card(data, "x.png")
    assert work.inflated <= 3 * SMALL + 3


def test_the_counting_sees_an_inflation_without_a_bound() -> None:
    data = json.dumps({"a": 1}).encode()
    with counted() as work:
        text = png.PackedText("chara", b"zTXt", b"\0" + zlib.compress(data))
        assert png.unpack(text, png.Inflation(), png.Notes()) == data
        assert work.inflated == len(data)
        with pytest.raises(TypeError):
            zlib.decompressobj().decompress(zlib.compress(data))
