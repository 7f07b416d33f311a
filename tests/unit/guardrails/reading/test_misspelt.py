"""Slips of the finger in key words are read as what was meant; real words stay what they are."""

from __future__ import annotations

import pytest

from bot.guardrails.reading.misspelt import mended, slips
from bot.guardrails.reading.normalise import normalise


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("i wnat to kil myslef", "i want to kill myself"),
        ("kill mysef", "kill myself"),
        ("sucidal agian", "suicidal agian"),
        ("took all the plils", "took all the pills"),
        ("jveux mourir", "je veux mourir"),
        ("kiero morirme", "quiero morirme"),
    ],
)
def test_a_slip_is_mended(written: str, meant: str) -> None:
    assert slips(written)
    assert mended(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "will the old mill on the hill pay the bill",
        "lying on the pier, drying my hair, dying it blue",
        "live hunting, olive and ally: two wands",
        "the code kills a skill, pull the kilns",
        "ci vediamo dei libri nuovi",
    ],
)
def test_real_words_stay(text: str) -> None:
    assert slips(text) == []


def test_it_is_one_more_view() -> None:
    assert "i want to kill myself" in normalise("I wnat to kil myslef").all
    assert normalise("I went to the mill myself").all == ("i went to the mill myself",)
