"""Everything that people are shown stands in every catalogue, and Discord takes every name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import regex

from bot.languages import LANGUAGES, SOURCE
from bot.languages.catalogue import fields_of
from tests.catalogues import files
from tests.catalogues.sources import Collected, Key, collect, names_within, payloads

TRANSLATED = [language for language in LANGUAGES if language != SOURCE]
NAME = regex.compile(r"[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}")
"""Names of commands and options (Discord API reference, "Application Command Naming")."""
COMMAND = re.compile(r"`/[^`]*`")


@pytest.fixture(scope="module")
def collected() -> Collected:
    return collect()


@pytest.fixture(scope="module")
def told() -> list[dict[str, Any]]:
    return payloads()


def test_what_is_shown_is_a_literal_with_all_its_fields(collected: Collected) -> None:
    assert collected.mistakes == []
    assert len(collected.places) > 400
    plain = {(key.source, key.context) for key in collected.places if not key.plural}
    forms = {(key.source, key.context) for key in collected.places if key.plural}
    assert plain & forms == set(), "gettext keeps one entry a text: with forms, or without"


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_holds_each_text_once_and_none_besides(
    collected: Collected, language: str
) -> None:
    """After a change of shown texts: `make catalogues`, then translate what it lists."""
    known = {files.key_of(message) for message in files.read(language) if message.id}
    assert set(collected.places) - known == set(), "not in the catalogue"
    assert known - set(collected.places) == set(), "shown nowhere"


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_fields_and_commands(language: str) -> None:
    for message in files.read(language):
        if not message.id:
            continue
        key, forms = files.key_of(message), files.forms_of(message)
        assert all(form.strip() for form in forms), f"{key.source!r} is not translated"
        assert not message.fuzzy
        for form in forms:
            fields = fields_of(form)
            assert fields == key.fields or (key.plural and fields | {"count"} == key.fields), key
            assert sorted(COMMAND.findall(form)) == sorted(COMMAND.findall(key.source)), key
            assert form.count("\n") == key.source.count("\n"), key


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_the_bot_reads_is_what_the_translators_wrote(language: str) -> None:
    """`make catalogues` compiles."""
    assert files.path_of(language).with_suffix(".mo").read_bytes() == files.compiled(language)


def named(payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every named thing of a command, with what it is."""
    kind = "menu" if payload.get("type", 1) in (2, 3) else "name"
    yield kind, payload
    for option in payload.get("options") or []:
        yield from named({**option, "type": 1})
        for choice in option.get("choices") or []:
            yield "choice", choice


def test_discord_takes_every_name_and_description(told: list[dict[str, Any]]) -> None:
    for kind, thing in (pair for payload in told for pair in named(payload)):
        names = [thing["name"], *(thing.get("name_localizations") or {}).values()]
        for name in names:
            if kind == "name":
                assert NAME.fullmatch(name), name
                assert name == name.lower()
            else:
                assert 1 <= len(name) <= (32 if kind == "menu" else 100), name
        if kind == "name":
            for said in [
                thing["description"],
                *(thing.get("description_localizations") or {}).values(),
            ]:
                assert 1 <= len(said) <= 100, said


def test_names_differ_from_their_siblings_in_every_language(told: list[dict[str, Any]]) -> None:
    groups = [[p for p in told if p.get("type", 1) == kind] for kind in (1, 2, 3)]
    groups += [group for payload in told for group in names_within(payload)]
    for group in groups:
        for locale in {code for each in group for code in each.get("name_localizations") or {}}:
            names = [
                (each.get("name_localizations") or {}).get(locale, each["name"]) for each in group
            ]
            assert len(set(names)) == len(names), (locale, names)


def longest(thing: dict[str, Any], what: str) -> int:
    texts = [thing.get(what) or "", *(thing.get(f"{what}_localizations") or {}).values()]
    return max(map(len, texts))


def test_no_command_is_too_large_for_discord(told: list[dict[str, Any]]) -> None:
    """8,000 characters; of each text the longest language counts."""
    for payload in told:
        things = [thing for _, thing in named(payload)]
        size = sum(longest(thing, "name") + longest(thing, "description") for thing in things)
        size += sum(len(str(thing["value"])) for thing in things if "value" in thing)
        assert size <= 8000, (payload["name"], size)


def test_a_key_knows_the_fields_of_both_forms() -> None:
    assert Key("{count} a {b}", plural="{count} b").fields == {"count", "b"}
