"""Exports lose nothing: what was read comes back, to the spelling of its numbers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import InvalidChoice
from bot.personas import read_card, read_lorebook
from bot.personas.book_export import lorebook_tree
from bot.personas.card import V2, V3
from bot.personas.coerce import Notes
from bot.personas.editing import edit_card
from bot.personas.export import Container, Exported, card_tree, export_card
from bot.personas.png import MAX_TAIL, SIGNATURE, Inflation, chunks_of, texts_of, unpack
from bot.personas.portrait import portrait
from bot.personas.rawjson import parse, pretty, write
from bot.personas.reading import ReadCard
from tests.unit.personas.files import (
    PICTURE,
    as_json,
    book,
    charx,
    entry,
    packed,
    png,
    text_chunk,
    v1,
    v2,
    v3,
)

SHIPPED = sorted((Path(__file__).resolve().parents[3] / "personas").glob("*.json"))
CONTAINERS = list(Container)

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | words
values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
unknown = st.dictionaries(words.map(lambda each: f"x_{each}"), values, max_size=3)
texts = st.lists(words, max_size=3)
entries = st.builds(
    lambda base, more: {**base, **more},
    st.fixed_dictionaries(
        {
            "keys": texts,
            "content": words,
            "extensions": unknown,
            "enabled": st.booleans(),
            "insertion_order": st.integers(-1_000, 1_000),
            "use_regex": st.booleans(),
        },
        optional={
            "constant": st.booleans(),
            "name": words,
            "priority": st.integers(0, 100),
            "id": st.integers() | words,
            "comment": words,
            "selective": st.booleans(),
            "secondary_keys": texts,
            "case_sensitive": st.booleans(),
            "position": st.sampled_from(["before_char", "after_char"]),
        },
    ),
    unknown,
)
books = st.fixed_dictionaries(
    {"extensions": unknown, "entries": st.lists(entries, max_size=3)},
    optional={
        "name": words,
        "description": words,
        "scan_depth": st.integers(0, 50),
        "token_budget": st.integers(0, 5_000),
        "recursive_scanning": st.booleans(),
    },
)
common = {
    **dict.fromkeys(
        ["description", "personality", "scenario", "first_mes", "mes_example", "creator_notes",
         "system_prompt", "post_history_instructions", "creator", "character_version"],
        words,
    ),
    "name": words.filter(lambda each: each.strip() != "").map(lambda each: f"N{each}"),
    "alternate_greetings": texts,
    "tags": texts,
    "extensions": unknown,
}  # fmt: skip
version_2 = st.builds(
    lambda data, inner, outer: {
        "spec": "chara_card_v2", "spec_version": "2.0", "data": {**data, **inner}, **outer
    },
    st.fixed_dictionaries(common, optional={"character_book": books}), unknown, unknown,
)  # fmt: skip
assets = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["icon", "emotion", "x_a"]),
         "uri": st.sampled_from(["ccdefault:", "https://example.org/a.png", "data:,x"]),
         "name": words, "ext": st.sampled_from(["png", "unknown"])}
    ),
    min_size=1, max_size=3,
)  # fmt: skip
version_3 = st.builds(
    lambda data, inner, outer: {
        "spec": "chara_card_v3", "spec_version": "3.0", "data": {**data, **inner}, **outer
    },
    st.fixed_dictionaries(
        {**common, "group_only_greetings": texts},
        optional={
            "character_book": books,
            "nickname": words,
            "creator_notes_multilingual": st.dictionaries(st.sampled_from(["en", "de"]), words),
            "source": texts,
            "creation_date": st.integers(0, 2**33),
            "modification_date": st.integers(0, 2**33),
            "assets": assets,
        },
    ),
    unknown,
    unknown,
)  # fmt: skip


def reread(exported: Exported, container: Container) -> ReadCard:
    return read_card(exported.data, f"x.{container.value}")


@given(version_2)
@settings(max_examples=120, deadline=None)
def test_a_version_2_card_comes_back_as_it_was(tree: dict[str, Any]) -> None:
    read = read_card(as_json(tree), "x.json")
    for container in (Container.JSON, Container.PNG):
        back = reread(export_card(read, container, spec=V2), container)
        assert write(back.card.raw) == write(read.card.raw)
        assert json.loads(write(back.card.raw)) == tree


@given(version_3)
@settings(max_examples=120, deadline=None)
def test_a_version_3_card_comes_back_as_it_was(tree: dict[str, Any]) -> None:
    source = png(text_chunk("ccv3", packed(tree)))
    read = read_card(source, "x.png")
    for first in CONTAINERS:
        once = reread(export_card(read, first), first)
        assert once.card.name == read.card.name
        for second in (Container.JSON, Container.PNG):
            if first is Container.JSON and second is Container.PNG:
                continue
            back = reread(export_card(once, second), second)
            assert write(back.card.raw) == write(read.card.raw)


@given(version_2)
@settings(max_examples=80, deadline=None)
def test_version_2_to_3_and_back_loses_nothing(tree: dict[str, Any]) -> None:
    read = read_card(as_json(tree), "x.json")
    third = reread(export_card(read, Container.JSON, spec=V3), Container.JSON)
    assert third.spec == V3
    second = reread(export_card(third, Container.JSON, spec=V2), Container.JSON).card
    assert second.data["extensions"] == tree["data"]["extensions"]
    for name, value in tree["data"].items():
        if name != "character_book":
            assert second.data[name] == value


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("container", CONTAINERS)
def test_shipped_cards_survive_every_container(path: Path, container: Container) -> None:
    read = read_card(path.read_bytes(), path.name)
    back = reread(export_card(read, container), container)
    assert write(back.card.raw) == write(read.card.raw)
    assert back.warnings == ()


@pytest.mark.parametrize(
    "number", ["1.0", "1", "1e5", "1E-7", "-0", "-0.0", "0.10", "123456789012345678901234567890",
               "1.00000000000000000000001", "1e400"],
)  # fmt: skip
@pytest.mark.parametrize("container", CONTAINERS)
def test_unknown_numbers_keep_their_spelling(number: str, container: Container) -> None:
    text = json.dumps(v3(extensions={"x": "HERE"})).replace(
        '"HERE"', f'[{number},{{"y":{number}}}]'
    )
    back = reread(export_card(read_card(text.encode(), "x"), container), container)
    assert f'"extensions":{{"x":[{number},{{"y":{number}}}]}}' in write(back.card.raw)


@given(values)
@settings(max_examples=200, deadline=None)
def test_json_is_written_as_it_was_read(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert write(parse(text)) == text
    assert json.loads(pretty(parse(text))) == json.loads(text)


def test_the_picture_is_untouched_and_the_modification_date_set() -> None:
    other = text_chunk("Software", b"a camera")
    read = read_card(png(other, text_chunk("ccv3", packed(v3()))), "x.png")
    exported = export_card(read, Container.PNG, now=1_750_000_000.7)
    back = reread(exported, Container.PNG)
    assert back.avatar == png(other) == read.avatar
    assert back.card.modification_date == 1_750_000_000
    plain = [chunk for chunk in chunks_of(exported.data, Notes()) if chunk.kind != b"tEXt"]
    assert plain == [chunk for chunk in chunks_of(PICTURE, Notes()) if chunk.kind != b"tEXt"]


def test_a_wrong_checksum_and_what_follows_the_end_stay_as_they_were() -> None:
    at = PICTURE.index(b"IDAT") - 4
    length = int.from_bytes(PICTURE[at : at + 4], "big")
    wrong = at + 8 + length
    picture = PICTURE[:wrong] + b"\0\1\2\3" + PICTURE[wrong + 4 :] + b"tail \0 bytes"
    card = base64.b64encode(as_json(v2()))
    start = len(SIGNATURE) + 25
    data = picture[:start] + text_chunk("chara", card) + picture[start:]
    read = read_card(data, "x.png")
    assert read.avatar == picture
    again = export_card(read, Container.PNG, spec=V2).data
    assert read_card(again, "x.png").avatar == picture
    assert portrait(picture) not in (None, picture), "what is shown has no tail"


def test_a_very_long_tail_is_left_out_and_told() -> None:
    data = png(text_chunk("chara", packed(v2()))) + b"x" * (MAX_TAIL + 1)
    read = read_card(data, "x.png")
    assert read.avatar == PICTURE
    assert any("after the PNG's end" in each for each in read.warnings)


def test_a_png_of_version_3_holds_a_version_2_copy_without_decorators() -> None:
    card = v3(character_book=book(entry(content="@@depth 3\nTrees.")), creator_notes="Mine")
    exported = export_card(read_card(as_json(card), "x"), Container.PNG)
    found = {
        text.keyword: unpack(text, Inflation(), Notes()) or b""
        for text in texts_of(chunks_of(exported.data, Notes()), Notes())
    }
    old, new = (json.loads(base64.b64decode(found[name])) for name in ("chara", "ccv3"))
    assert old["spec"] == "chara_card_v2"
    assert old["data"]["character_book"]["entries"][0]["content"] == "Trees."
    assert old["data"]["creator_notes"].endswith("Mine")
    assert old["data"]["creator_notes"] != "Mine"
    assert new["data"]["character_book"]["entries"][0]["content"] == "@@depth 3\nTrees."
    assert read_card(exported.data, "x.png").warnings == ()


def test_what_a_version_requires_is_added_and_nothing_else() -> None:
    poor = {"spec": "chara_card_v3", "spec_version": "3.0",
            "data": {"name": "A", "tags": None, "x": 1, "character_book": {"entries": {"0": {
                "key": ["k"], "content": "c", "order": 4, "disable": True, "position": 4,
                "depth": 2, "y": 2}}}}}  # fmt: skip
    tree = card_tree(read_card(as_json(poor), "x").card)
    data, raw = tree["data"], tree["data"]["character_book"]["entries"][0]
    assert data["group_only_greetings"] == []
    assert data["tags"] == []
    assert data["extensions"] == {}
    assert data["x"] == 1
    assert (raw["keys"], raw["insertion_order"], raw["enabled"]) == (["k"], 4, False)
    assert raw["extensions"] == {"position": 4, "depth": 2}
    assert raw["y"] == 2
    assert raw["use_regex"] is False
    again = read_card(as_json(tree), "x")
    assert again.card.book is not None
    assert (again.card.book.entries[0].depth, again.card.book.entries[0].enabled) == (2, False)


def test_old_cards_become_new_ones() -> None:
    card = read_card(as_json(v1(mood={"x": 1.5})), "x")
    tree = card_tree(card.card)
    assert tree["spec"] == "chara_card_v3"
    assert tree["mood"] == {"x": 1.5}
    assert tree["data"]["first_mes"] == "Hello, {{user}}."
    pygmalion = read_card(as_json({"char_name": "P", "char_persona": "d", "z": 1}), "x")
    tree = card_tree(pygmalion.card, V2)
    assert (tree["data"]["name"], tree["data"]["description"], tree["z"]) == ("P", "d", 1)
    assert "char_name" not in tree


def test_assets_survive_charx_and_png_and_are_announced_as_lost_in_json() -> None:
    named = [{"type": "emotion", "uri": "embeded://assets/a.png", "name": "joy", "ext": "png"}]
    read = read_card(charx(v3(assets=named), {"assets/a.png": PICTURE, "app.json": b"{}"}), "x")
    for container in (Container.CHARX, Container.PNG):
        back = reread(export_card(read, container), container)
        assert back.files == read.files
    assert len(export_card(read, Container.JSON).lost) == 2
    long = read_card(charx(v3(), {"assets/" + "x" * 90: b"1"}), "x")
    assert export_card(long, Container.PNG).lost


def test_a_picture_travels_through_a_charx() -> None:
    read = read_card(png(text_chunk("ccv3", packed(v3()))), "x.png")
    packed_card = reread(export_card(read, Container.CHARX), Container.CHARX)
    assert packed_card.avatar == PICTURE
    back = reread(export_card(packed_card, Container.PNG), Container.PNG)
    assert back.avatar == PICTURE
    assert "assets" not in back.card.data
    assert back.files == {}


def test_a_charx_holds_version_3_only() -> None:
    with pytest.raises(InvalidChoice):
        export_card(read_card(as_json(v2()), "x"), Container.CHARX, spec=V2)


def test_a_lorebook_of_a_world_file_becomes_one_of_version_3() -> None:
    raw = {"entries": {"0": {"uid": 0, "key": ["a"], "content": "x", "probability": 40}}, "z": 1}
    tree = lorebook_tree(raw, read_lorebook(as_json(raw), "w.json").book)
    again = read_lorebook(as_json(tree), "w.json")
    assert again.spec == "lorebook_v3"
    assert again.book.entries[0].probability == 40
    assert tree["data"]["z"] == 1


def test_editing_changes_what_it_should_and_nothing_else() -> None:
    card = {**v3(extensions={"x": 1.0}), "name": "Sera"}
    read = read_card(as_json(card), "x")
    edited = edit_card(read, {"name": "Sara", "description": "Tall."})
    assert (edited.card.name, edited.card.description) == ("Sara", "Tall.")
    assert edited.card.raw["name"] == "Sara"
    assert '"extensions":{"x":1.0}' in write(edited.card.raw)
    assert edit_card(read_card(as_json(v1()), "x"), {"scenario": "S"}).card.scenario == "S"
    for wrong in ({"tags": "x"}, {"name": " "}, {"description": "x" * 200_000}):
        with pytest.raises(InvalidChoice):
            edit_card(read, wrong)


spellings = st.recursive(
    st.sampled_from(
        ["1.0", "1e5", "-0", "1E+2", "0.10", "12345678901234567890123456789", "true", "null",
         r'"\u00e9\/"', '"é"', r'"\ud83d\ude00"', r'"a\tb"', '""', r'"\\u00e9"', '[]', '{}']
    ),
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"[{','.join(parts)}]")
    | st.dictionaries(
        st.sampled_from(['"b"', '"a"', r'"\u00fc"', '"ü"', '"10"', '"9"']), inner, min_size=1,
        max_size=3,
    ).filter(lambda each: not {r'"\u00fc"', '"ü"'} <= each.keys())
    .map(lambda each: "{" + ",".join(f"{k}:{v}" for k, v in each.items()) + "}"),
    max_leaves=6,
)  # fmt: skip
"""JSON as somebody may have spelt it."""


@given(spellings, st.sampled_from(CONTAINERS))
@settings(max_examples=100, deadline=None)
def test_what_is_not_understood_keeps_every_byte_of_its_value(
    spelt: str, container: Container
) -> None:
    card = as_json(v3(character_book=book(entry(x_e=0))))[:-2].decode()
    source = (
        card.replace('"x_e": 0', f'"x_e": {spelt}') + f', "x_app": {spelt}}}, "x_top": {spelt}}}'
    )
    read = read_card(source.encode(), "x.json")
    for _ in range(2):
        read = reread(export_card(read, container, now=5), container)
    kept = write(read.card.raw)
    assert kept.count(spelt) >= 3
    for name in ("x_e", "x_app", "x_top"):
        assert f'"{name}":{spelt}' in kept


def test_of_a_field_that_stands_twice_the_last_counts_and_it_is_told() -> None:
    source = as_json(v2()).decode().replace('"name": "Sera"', r'"name": "Old", "name": "S\u00e9ra"')
    read = read_card(source.encode(), "x.json")
    assert read.card.name == "Séra"
    assert any("twice" in warning for warning in read.warnings)
