"""Every version from every container, and each deviation of real files with one clear warning."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bot.errors import CardRejected
from bot.personas import ReadCard, make_persona, read_card, read_lorebook
from bot.personas.lorebook import CharacterFilter, Position
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


def read(tree: Any, filename: str = "card.json") -> ReadCard:
    return read_card(as_json(tree), filename)


@pytest.mark.parametrize(
    ("tree", "spec"),
    [(v1(), "chara_card_v1"), (v2(), "chara_card_v2"), (v3(), "chara_card_v3")],
)
def test_well_formed_cards_are_read_without_a_warning(tree: dict[str, Any], spec: str) -> None:
    card = read(tree)
    assert card.spec == spec
    assert card.warnings == ()
    assert card.card.name == "Sera"
    assert card.card.first_mes == "Hello, {{user}}."


def test_pygmalion_names_are_read() -> None:
    read_as = read(
        {"char_name": "Sera", "char_persona": "An elf.", "world_scenario": "Glade",
         "char_greeting": "Hi", "example_dialogue": "{{user}}: a"}
    )  # fmt: skip
    card = read_as.card
    assert (card.name, card.description, card.scenario, card.first_mes) == (
        "Sera", "An elf.", "Glade", "Hi",
    )  # fmt: skip
    assert read_as.spec == "pygmalion"


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt packed", "iTXt short"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("keyword", ["chara", "Chara", "CCV3", "ccv3"])
def test_every_text_of_a_png_is_read(kind: str, after: bool, keyword: str) -> None:
    data = png(text_chunk(keyword, packed(v3()), kind), after=after)
    card = read_card(data, "x.png")
    assert card.card.name == "Sera"
    assert card.avatar == PICTURE


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt", "iTXt short"])
def test_raw_json_in_a_png_is_read(kind: str) -> None:
    card = read_card(png(text_chunk("chara", as_json(v2()), kind)), "x.png")
    assert card.card.name == "Sera"
    assert any("not base64" in warning for warning in card.warnings)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.rstrip(b"="),
        lambda text: b"\n".join(text[n : n + 76] for n in range(0, len(text), 76)),
        lambda text: text.replace(b"+", b"-").replace(b"/", b"_"),
        lambda text: b"  " + text + b"\0\0",
    ],
)
def test_careless_base64_is_read(change: Any) -> None:
    content = change(packed(v2(description="ÿþ>>>???ûïý")))
    card = read_card(png(text_chunk("chara", content)), "x.png")
    assert card.card.description == "ÿþ>>>???ûïý"


def test_ccv3_counts_before_chara_and_a_broken_one_does_not() -> None:
    old, new = v2(name="Old"), v3(name="New")
    both = png(text_chunk("chara", packed(old)), text_chunk("ccv3", packed(new)))
    assert read_card(both, "x.png").card.name == "New"
    assert any("different" in warning for warning in read_card(both, "x.png").warnings)
    broken = png(text_chunk("ccv3", b"!!!"), text_chunk("chara", packed(old)))
    assert read_card(broken, "x.png").card.name == "Old"


def test_the_first_good_one_of_several_texts_counts() -> None:
    data = png(text_chunk("chara", b"{broken"), text_chunk("chara", packed(v2(name="Good"))))
    assert read_card(data, "x.png").card.name == "Good"


def test_a_png_cut_off_after_its_text_is_read() -> None:
    data = png(text_chunk("chara", packed(v2())))
    for cut in (5, 13, 20):
        card = read_card(data[:-cut], "x.png")
        assert card.card.name == "Sera"
        assert any("broken off" in warning for warning in card.warnings)


def test_a_wrong_checksum_is_told() -> None:
    data = bytearray(png(text_chunk("chara", packed(v2()))))
    end = data.index(b"IDAT") - 8
    data[end] ^= 0xFF
    assert any("checksum" in warning for warning in read_card(bytes(data), "x.png").warnings)


def test_other_texts_of_a_picture_stay_and_the_card_leaves_it() -> None:
    other = text_chunk("Software", b"a camera")
    data = png(other, text_chunk("chara", packed(v2())), text_chunk("chara-ext-asset_:a", b"eA=="))
    card = read_card(data, "x.png")
    assert card.avatar == png(other)
    assert card.files == {"a": b"x"}


def test_a_charx_is_read_with_its_icon() -> None:
    assets = [{"type": "icon", "uri": "embeded://assets/icon/images/a.png", "name": "main",
               "ext": "png"}]  # fmt: skip
    files = {"assets/icon/images/a.png": PICTURE, "app.json": b"{}"}
    for prefix in (b"", b"\xff\xd8\xff some jpeg", b"MZ some program"):
        card = read_card(charx(v3(assets=assets), files, prefix), "x.charx")
        assert card.avatar == PICTURE
        assert set(card.files) == set(files)


def test_an_icon_within_the_json_is_the_avatar() -> None:
    uri = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
    assets = [{"type": "icon", "uri": uri, "name": "main", "ext": "png"}]
    assert read(v3(assets=assets)).avatar == PICTURE


def test_addresses_are_never_fetched() -> None:
    assets = [{"type": "icon", "uri": "http://127.0.0.1:1/x.png", "name": "main", "ext": "png"}]
    assert read(v3(assets=assets)).avatar is None


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\n  "])
def test_a_byte_order_mark_or_space_before_the_json(mark: bytes) -> None:
    assert read_card(mark + as_json(v2()), "x.json").card.name == "Sera"


def test_utf_16_is_read() -> None:
    data = "\ufeff".encode("utf-16-le") + json.dumps(v2()).encode("utf-16-le")
    assert read_card(data, "x.json").card.name == "Sera"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_json_without_a_mark_is_read_and_told(encoding: str) -> None:
    read = read_card(json.dumps(v2(name="Zoé"), ensure_ascii=False).encode(encoding), "x.json")
    assert read.card.name == "Zoé"
    assert any(f"{encoding.upper()} without a mark" in each for each in read.warnings)


def test_windows_1252_is_read_and_told() -> None:
    text = json.dumps(v2(name="Zoé", description="“x” – y"), ensure_ascii=False)
    read = read_card(text.encode("cp1252"), "x.json")
    assert (read.card.name, read.card.description) == ("Zoé", "“x” – y")
    assert "the JSON is not UTF-8: read as Windows-1252" in read.warnings


def test_utf_8_with_a_broken_byte_stays_utf_8_and_is_told() -> None:
    data = as_json(v2(name="Zoé", description="a|b")).replace(b"a|b", b"a\xffb")
    read = read_card(data, "x.json")
    assert (read.card.name, read.card.description) == ("Zoé", "a\ufffdb")
    assert "some bytes of the JSON are no text: replaced" in read.warnings


@pytest.mark.parametrize("prefix", [b"{", b'{"name": "x"}', b"[1]", b'"'])
def test_a_charx_behind_what_looks_like_json_is_read(prefix: bytes) -> None:
    assert read_card(charx(v3(), prefix=prefix + b" MZ stub "), "x.charx").card.name == "Sera"


# ── deviations: what was written, the warning, and what is made of it ───────────────────────

DEVIATIONS: list[tuple[str, Any, str, Any]] = [
    ("V1 copies beside data", {**v1(name="Old"), **v3()}, "stand beside data", ("name", "Sera")),
    ("talkativeness as text", v2(extensions={"talkativeness": "0.7"}), "number in quotes",
     ("talkativeness", 0.7)),
    ("no group greetings", {**v3(), "data": v2()["data"]}, "group_only_greetings is missing",
     ("group_only_greetings", ())),
    ("Windows line ends", v2(description="a\r\nb"), "Windows line ends", ("description", "a\nb")),
    ("data null", {**v1(), "spec": "chara_card_v2", "data": None}, "data is null",
     ("name", "Sera")),
    ("no spec", {"data": v2()["data"]}, "does not name its specification", ("name", "Sera")),
    ("newer version", {**v3(), "spec_version": "3.5"}, "newer version", ("name", "Sera")),
    ("newer kind", {**v3(), "spec": "chara_card_v4"}, "newer kind", ("name", "Sera")),
    ("missing fields", {"spec": "chara_card_v2", "spec_version": "2.0", "data": {"name": "S"}},
     "description is missing", ("description", "")),
    *((f"no {name}", {**v2(), "data": {k: v for k, v in v2()["data"].items() if k != name}},
       f"{name} is missing", ("name", "Sera"))
      for name in ("tags", "alternate_greetings", "character_version", "creator")),
    ("null field", v2(personality=None), "personality is missing", ("personality", "")),
    ("empty name", v2(name=""), "the file's name is used", ("name", "card")),
    ("name beside data", {**v2(name=""), "name": "Top"}, "stand beside data", ("name", "Top")),
    ("greetings as a text", v2(alternate_greetings="Hi"), "read as a list",
     ("alternate_greetings", ("Hi",))),
    ("greetings as an object", v2(alternate_greetings={"0": "Hi"}), "is an object",
     ("alternate_greetings", ("Hi",))),
    ("tags as a text", v2(tags="elf, nsfw"), "read as a list", ("tags", ("elf", "nsfw"))),
    ("source as a text", v3(source="here"), "source is a text", ("source", ("here",))),
    ("date as a text", v3(creation_date="1700000000"), "number in quotes",
     ("creation_date", 1_700_000_000)),
    ("date in milliseconds", v3(creation_date=1_700_000_000_000), "milliseconds",
     ("creation_date", 1_700_000_000)),
    ("book null", v2(character_book=None), "character_book is null", ("book", None)),
    ("a count of greetings", v2(alternate_greetings="3"), "is a number",
     ("alternate_greetings", ())),
    ("signs that are no text", v2(description="a\x00b"), "no text",
     ("description", "ab")),
    ("NaN", v2(extensions={"x": float("nan")}), "NaN", ("name", "Sera")),
    ("examples without a speaker", v2(mes_example="<START>\nShe waits."), "who speaks",
     ("name", "Sera")),
    ("book a list", v2(character_book=["x"]), "character_book is not an object", ("book", None)),
    ("extensions missing", {**v2(), "data": {k: v for k, v in v2()["data"].items()
                                             if k != "extensions"}},
     "extensions is missing", ("name", "Sera")),
    ("extensions a text", v2(extensions="x"), "extensions is not an object", ("name", "Sera")),
    ("a world that is not there", v2(extensions={"world": "Eldoria"}), "does not hold",
     ("world", "Eldoria")),
    ("examples without START", v2(mes_example="{{user}}: a"), "<START>", ("name", "Sera")),
    ("long first message", v2(first_mes="x" * 2_001), "sent in parts", ("name", "Sera")),
    ("image addresses", v2(first_mes="![](https://x.example/a.png)"), "never fetched",
     ("name", "Sera")),
    ("regex scripts", v2(extensions={"regex_scripts": [{"scriptName": "a", "findRegex": "/a/"}]}),
     "off until", ("name", "Sera")),
    ("late instructions", v2(post_history_instructions="x"), "post_history_instructions",
     ("name", "Sera")),
    ("depth prompt with empty depth", v2(extensions={"depth_prompt": {"prompt": "p", "depth": ""}}),
     "depth is an empty text", ("name", "Sera")),
    ("description a number", v2(description=5), "is a number", ("description", "5")),
    ("description a list", v2(description=["a", "b"]), "is a list", ("description", "a\nb")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tree", "warning", "made"), [row[1:] for row in DEVIATIONS], ids=[row[0] for row in DEVIATIONS]
)
def test_deviations_are_read_with_one_warning_each(
    tree: Any, warning: str, made: tuple[str, Any]
) -> None:
    card = read(tree)
    assert getattr(card.card, made[0]) == made[1]
    if warning:
        assert sum(warning in each for each in card.warnings) == 1
    else:
        assert card.warnings == ()


ENTRIES: list[tuple[str, dict[str, Any], str, tuple[str, Any]]] = [
    ("SillyTavern's names",
     {"key": ["a"], "keysecondary": ["b"], "order": 5, "disable": False, "content": "x",
      "selective": True, "extensions": {}}, "says key for keys", ("secondary_keys", ("b",))),
    ("both namings", {**entry(), "key": ["other"]}, "both keys and key", ("keys", ("forest",))),
    ("disabled in the other name", {**entry(), "enabled": None, "disable": True}, "",
     ("enabled", False)),
    ("selective without keys", entry(selective=True, secondary_keys=[]), "no secondary keys",
     ("selective", False)),
    ("position in words", entry(position="before_char_defs"), "'before_char_defs'",
     ("position", Position.BEFORE_CHAR)),
    ("position as a text", entry(position="1"), "'1'", ("position", Position.AFTER_CHAR)),
    ("position in extensions",
     entry(position="before_char", extensions={"position": 4, "depth": 2}), "", ("depth", 2)),
    ("unknown position", entry(position=99), "unknown position",
     ("position", Position.BEFORE_CHAR)),
    ("extensions empty text", entry(extensions=""), "empty text",
     ("position", Position.BEFORE_CHAR)),
    ("no keys", entry(keys=[]), "can't fire", ("keys", ())),
    ("no content", entry(content=""), "adds nothing", ("content", "")),
    ("empty key", entry(keys=["", "  ", "a"]), "empty key", ("keys", ("a",))),
    ("comma in a key", entry(keys=["a, b"]), "key with a comma", ("keys", ("a, b",))),
    ("keys as a text", entry(keys="a, b"), "read as a list", ("keys", ("a", "b"))),
    ("template code", entry(content="{{#if x}}y{{/if}}"), "template code",
     ("content", "{{#if x}}y{{/if}}")),
    ("Windows line ends in it", entry(content="@@depth 2\r\na\r\nb"), "Windows line ends",
     ("content", "a\nb")),
    ("a pattern that is none", entry(keys=["/(/"]), "can't be read as one", ("keys", ("/(/",))),
    ("flags as texts", entry(constant="true"), "in quotes", ("constant", True)),
    ("order as a text", entry(insertion_order="7"), "in quotes", ("order", 7)),
    ("a text for uid", entry(uid="abc"), "uid is a text", ("uid", "abc")),
    ("pattern flag everywhere", entry(use_regex=True, constant=True), "", ("constant", True)),
    ("role by number", entry(extensions={"role": 2}), "", ("role", "assistant")),
    ("role by name", entry(extensions={"role": "user"}), "", ("role", "user")),
    ("a filter by a tag's number",
     entry(extensions={"characterFilter": {"tags": ["1345561466591"]}}),
     "for nobody",
     ("characters", CharacterFilter(frozenset(), False, frozenset({"1345561466591"})))),
    ("a filter by names and tags", entry(extensions={
        "characterFilter": {"names": ["Bob"], "tags": ["Elf "], "isExclude": True}}), "",
     ("characters", CharacterFilter(frozenset({"bob"}), True, frozenset({"elf"})))),
    ("recursion level as true", entry(extensions={"delay_until_recursion": True}), "",
     ("recursion_level", 1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "warning", "made"), [row[1:] for row in ENTRIES], ids=[row[0] for row in ENTRIES]
)
def test_deviations_of_entries(raw: dict[str, Any], warning: str, made: tuple[str, Any]) -> None:
    card = read(v3(character_book=book(raw)))
    assert card.card.book is not None
    assert getattr(card.card.book.entries[0], made[0]) == made[1]
    assert sum(warning in each for each in card.warnings) == 1 if warning else True


def test_entries_that_share_an_id_are_told() -> None:
    card = read(v3(character_book=book(entry(id=1), entry(id=1, keys=["x"]))))
    assert any("share an id" in warning for warning in card.warnings)


def test_a_card_behind_the_image_data_is_told() -> None:
    late = read_card(png(text_chunk("chara", packed(v2())), after=True), "x.png")
    assert any("after the PNG's image data" in warning for warning in late.warnings)


def test_entries_as_an_object_are_ordered_by_number() -> None:
    entries = {"10": entry(content="c"), "2": entry(content="b"), "0": entry(content="a")}
    card = read(v2(character_book={"entries": entries, "extensions": {}}))
    assert card.card.book is not None
    assert [each.content for each in card.card.book.entries] == ["a", "b", "c"]
    assert sum("are an object" in each for each in card.warnings) == 1


def test_a_repeated_deviation_is_counted_and_not_repeated() -> None:
    card = read(v3(character_book=book(*[entry(content="")] * 40)))
    assert [each for each in card.warnings if "no content" in each] == [
        "a lorebook entry has no content: it adds nothing (40 times)"
    ]


def test_standalone_lorebooks_of_both_kinds_are_read() -> None:
    third = read_lorebook(as_json({"spec": "lorebook_v3", "data": book(entry())}), "Town.json")
    assert (third.spec, third.book.name, len(third.book.entries)) == ("lorebook_v3", "Town", 1)
    world = {"entries": {"0": {"uid": 0, "key": ["a"], "content": "x", "order": 3, "position": 4}}}
    other = read_lorebook(as_json(world), "w.json")
    assert other.spec == "world_info"
    assert other.warnings == ()
    assert other.book.entries[0].position is Position.AT_DEPTH
    with pytest.raises(CardRejected, match="lorebook"):
        read_card(as_json(world), "w.json")


@pytest.mark.parametrize(
    "tree",
    [
        {"name": "Eldoria", "description": "Lore.", "entries": {"1": {"uid": 1, "key": ["elf"]}}},
        {"name": "Eldoria", "entries": []},
        {"entries": {}},
        {"entries": {}, "first_mes": ""},
        {"spec": "lorebook_v3", "data": {"name": "x", "entries": []}},
    ],
)
def test_a_lorebook_with_a_name_is_no_empty_character(tree: dict[str, Any]) -> None:
    with pytest.raises(CardRejected, match="a lorebook, not a character card"):
        read_card(as_json(tree), "eldoria.json")
    assert read_lorebook(as_json(tree), "eldoria.json").book is not None


@pytest.mark.parametrize("tree", [v1(entries={}), {"char_name": "A", "name": "A", "entries": []}])
def test_a_character_with_stray_entries_is_one(tree: dict[str, Any]) -> None:
    assert read_card(as_json(tree), "x.json").card.name


def test_tags_mark_a_card_as_adult() -> None:
    def adult(*tags: str) -> bool:
        return make_persona(read(v2(tags=list(tags))), "x").adult

    assert adult("NSFW")
    assert adult("elf", "18+ only")
    assert not adult("sfw", "not nsfw", "adulthood", "elf")


def test_a_persona_changes_its_version_with_its_card_only() -> None:
    first = make_persona(read(v3(modification_date=1)), "x")
    saved = make_persona(read(v3(modification_date=2)), "x")
    changed = make_persona(read(v3(modification_date=2, description="Other")), "x")
    assert first.version == saved.version != changed.version
    assert len(first.version) == 12
    assert make_persona(read(v3(nickname="Nick")), "x").name == "Nick"


def test_a_charx_behind_a_png_is_read() -> None:
    assert read_card(charx(v3(), prefix=PICTURE), "x.png").card.name == "Sera"
