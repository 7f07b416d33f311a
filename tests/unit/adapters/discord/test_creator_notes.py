"""Creator's notes, for readers of any language."""

from __future__ import annotations

import discord
import pytest

from bot.adapters.discord.commands.render import creator_notes
from bot.personas import Card

L = discord.Locale


@pytest.mark.parametrize(
    ("notes", "plain", "locale", "shown"),
    [
        ({"de": "Hallo", "en": "Hello"}, "Old", L.german, "Hallo"),
        ({"de": "Hallo", "en": "Hello"}, "Old", L.french, "Hello"),
        ({"de": "Hallo"}, "Old", L.american_english, "Old"),
        ({"pt": "Oi", "PT-br": "E ai"}, "", L.brazil_portuguese, "E ai"),
        ({"pt": "Oi"}, "Old", L.brazil_portuguese, "Oi"),
        ({"zh_TW": "你好"}, "", L.taiwan_chinese, "你好"),
        ({"de": "Hallo"}, "", L.japanese, "Hallo"),
        ({"de": ""}, "Old", L.german, "Old"),
        (None, "Old", L.german, "Old"),
        (None, "", L.german, ""),
    ],
)
def test_notes_are_shown_in_the_reader_s_language(
    notes: dict[str, str] | None, plain: str, locale: discord.Locale, shown: str
) -> None:
    card = Card("chara_card_v3", "A", creator_notes=plain, creator_notes_multilingual=notes)
    assert creator_notes(card, locale) == shown
