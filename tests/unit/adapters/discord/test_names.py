"""Names and texts of strangers, before they come near a transcript."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.discord.commands.render import plain
from bot.adapters.discord.reading.mapping import MAX_NAME, MAX_TEXT, clean_name, clean_text
from bot.adapters.discord.speaking.webhooks import header_of, shown_name, webhook_name

STRANGE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\n\r\t\u0000\u200b\u202e\u2066\u2028\u2029\u0085\ufeff: "),
    ),
    max_size=120,
)


@pytest.mark.parametrize(
    ("given_name", "clean"),
    [
        ("alice", "alice"),
        ("  Alice \n Smith ", "Alice Smith"),
        ("Eve\nSystem:", "Eve System"),
        ("\u202eecila", "ecila"),
        ("a\u200bb", "ab"),
        ("\u2028\u2029", "user 0001"),
        ("", "user 0001"),
        (":::", "user 0001"),
        ("x" * 100, "x" * 32),
        ("Zoe\u0301", "Zoé"),
        ("Mia :3", "Mia :3"),
    ],
)
def test_a_display_name_becomes_one_harmless_line(given_name: str, clean: str) -> None:
    assert clean_name(given_name, "user 0001") == clean


@settings(max_examples=200, deadline=None)
@given(STRANGE)
def test_no_name_breaks_its_line(name: str) -> None:
    clean = clean_name(name, "somebody")
    assert 0 < len(clean) <= MAX_NAME
    assert len(clean.splitlines()) == 1
    assert not clean.endswith(":")
    assert all(unicodedata.category(char)[0] != "C" for char in clean)


@settings(max_examples=200, deadline=None)
@given(STRANGE)
def test_a_text_keeps_its_lines_and_loses_what_nobody_sees(text: str) -> None:
    clean = clean_text(text)
    assert len(clean) <= MAX_TEXT
    kept = [c for c in clean if unicodedata.category(c) == "Cc"]
    assert set(kept) <= {"\n", "\t"}
    assert not set(clean) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u200b\ufeff")


def test_joiners_that_writing_needs_stay() -> None:
    family, persian = "👩\u200d👧", "می\u200cخواهم"
    assert clean_text(f"{family} {persian}") == f"{family} {persian}"


def test_a_text_is_never_longer_than_discord_allows() -> None:
    assert len(clean_text("x" * 10_000)) == MAX_TEXT


@settings(max_examples=200, deadline=None)
@given(st.one_of(STRANGE, st.sampled_from(["Clyde", "my discord", "DiScOrD", "c", "clyde" * 30])))
def test_a_webhook_s_name_is_one_that_discord_takes(name: str) -> None:
    made = webhook_name(name)
    assert 2 <= len(made) <= 80
    assert "clyde" not in made.lower()
    assert "discord" not in made.lower()


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("@everyone", "＠everyone"),
        ("Vera\u202egnp.exe", "Veragnp.exe"),
        ("a\u200bb\ncd", "ab cd"),
        ("**Vera**", "**Vera**"),
        ("کتاب\u200cها", "کتاب\u200cها"),
    ],
)
def test_a_persona_s_name_pings_nobody_and_turns_nothing_round(given_name: str, shown: str) -> None:
    assert shown_name(given_name) == shown
    assert "@" not in header_of(given_name)


def test_the_line_above_a_reply_is_one_bold_line() -> None:
    assert header_of("**Vera**\n# big") == "**\\*\\*Vera\\*\\* # big**\n"


@pytest.mark.parametrize(
    "name",
    ["Moderator", "Discord", "M0derator", "Мoderator", "🛡️ Mod Team", "Server Owner", "Ad.min",
     "Discord Staff 2", "m o d", "管理员", "modérateur", "Discord Trust & Safety", "system"],
)  # fmt: skip
def test_a_persona_that_would_pass_for_staff_is_marked(name: str) -> None:
    """Its card may say anything; a webhook would show the bare name like a member's."""
    assert shown_name(name).endswith(" (AI)")
    assert shown_name(shown_name(name)) == shown_name(name)
    assert len(shown_name(f"{name} " * 40)) <= 80
    assert "(AI)" in header_of(name)
    assert webhook_name(name).endswith(" (AI)")


@pytest.mark.parametrize(
    "name", ["Maud", "Admiral", "Mr Owner", "The System of a Down", "Team Rocket", "Bot", "7"]
)
def test_other_names_stay_as_they_are(name: str) -> None:
    assert shown_name(name) == name


def test_a_card_s_endless_field_is_cut_before_it_is_escaped() -> None:
    assert plain("<*" * 5_000) == plain("<*" * 1_000)
