"""Texts in the reader's language."""

from __future__ import annotations

import asyncio
import gettext
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Busy, NotFound
from bot.languages import LANGUAGES, catalogue, language_for, reader_language, reading, t, tn


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A small German catalogue in place of the shipped one."""
    made = Catalog(locale="de")
    made.add("There is no {thing} in {place}.", "In {place} gibt es kein {thing}.")
    made.add(("{count} memory", "{count} memories"), ("{count} Erinnerung", "{count} Erinnerungen"))
    made.add("memory", "gedächtnis", context="command")
    made.add("on", "an", context="command")
    made.add("See `/memory on` and `/other`.", "Siehe `/memory on` und `/other`.")
    out = io.BytesIO()
    write_mo(out, made)
    (tmp_path / "de.mo").write_bytes(out.getvalue())
    (tmp_path / "fr.mo").write_bytes(b"\xde\x12\x04\x95broken")
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    catalogue.catalogue.cache_clear()
    yield
    catalogue.catalogue.cache_clear()


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("de", "de"),
        ("es-ES", "es"),
        ("es-419", "es"),
        ("pt-BR", "pt-BR"),
        ("pt", "pt-BR"),
        ("ja", "ja"),
        ("en-GB", "en"),
        ("zh-TW", "en"),
        ("DE_at", "de"),
        ("", "en"),
        (None, "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_a_locale_leads_to_the_nearest_language(locale: str | None, language: str) -> None:
    assert language_for(locale) == language


@pytest.mark.usefixtures("german")
def test_a_text_is_said_in_the_readers_language_and_in_english_where_there_is_none() -> None:
    said = {"thing": "Bier", "place": "Hawaii"}
    assert t("There is no {thing} in {place}.", **said) == "There is no Bier in Hawaii."
    with reading("de"):
        assert t("There is no {thing} in {place}.", **said) == "In Hawaii gibt es kein Bier."
        assert t("Nobody translated this.") == "Nobody translated this."
        with reading("fr"):  # a broken file must not take the bot down
            assert t("There is no {thing} in {place}.", **said) == "There is no Bier in Hawaii."
    assert reader_language() == "en"


@pytest.mark.usefixtures("german")
def test_plurals_follow_the_language() -> None:
    with reading("de"):
        assert [tn("{count} memory", "{count} memories", n) for n in (0, 1, 2)] == [
            "0 Erinnerungen",
            "1 Erinnerung",
            "2 Erinnerungen",
        ]
    assert tn("{count} memory", "{count} memories", 1) == "1 memory"


@pytest.mark.usefixtures("german")
def test_commands_in_a_text_bear_the_names_that_discord_shows() -> None:
    with reading("de"):
        assert t("See `/memory on` and `/other`.") == "Siehe `/gedächtnis an` und `/other`."


@pytest.mark.usefixtures("german")
async def test_the_language_belongs_to_the_task() -> None:
    async def language() -> str:
        await asyncio.sleep(0)
        return reader_language()

    with reading("de"):
        german = asyncio.create_task(language())
    with reading("ja"):
        japanese = asyncio.create_task(language())
    assert await asyncio.gather(german, japanese, language()) == ["de", "ja", "en"]


@pytest.mark.usefixtures("german")
def test_an_error_is_english_in_the_log_and_translated_for_the_person() -> None:
    error = NotFound("There is no {thing} in {place}.", thing="Bier", place="{thing}")
    with reading("de"):
        assert error.translated == "In {thing} gibt es kein Bier."
    assert str(error) == error.text == "There is no Bier in {thing}."
    busy = Busy("Wait {seconds} seconds.", seconds=3, retry_after=3.0)
    assert (busy.translated, busy.retry_after) == ("Wait 3 seconds.", 3.0)


@given(st.text(max_size=60), st.text(max_size=60))
def test_values_are_data(one: str, two: str) -> None:
    said = t("a {one} b {two} c", one=one, two=two)
    assert said == f"a {one} b {two} c"


@given(st.text(max_size=40))
def test_any_locale_is_some_language(locale: str) -> None:
    assert language_for(locale) in LANGUAGES


def test_shipped_catalogues_can_be_read() -> None:
    for language in LANGUAGES:
        assert isinstance(catalogue.catalogue(language), gettext.NullTranslations)
