"""Patterns that take too long are found before a card is used; good ones are not suspected."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.personas.book_reading import read_book
from bot.personas.coerce import Notes
from bot.personas.pattern_probing import book_flaws, is_slow
from tests.fakes import PATIENCE
from tests.unit.personas.files import book, entry


def slow(pattern: str, flags: str = "g") -> bool:
    return is_slow(pattern, flags, time.monotonic() + PATIENCE)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a|aa)+$",
        r"([a-zA-Z]+)*!",
        r"(\w+\s?)*;",
        r"(x+x+)+y",
        r"\*(.*\*)*\*q",
        r"<t>(a|aa)+</t>",
    ],
)
def test_a_repetition_within_a_repetition_is_found(pattern: str) -> None:
    assert slow(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"<think>.*?</think>",
        r"\*[^*\n]+\*",
        r'"(\\.|[^"])*"',
        r"^\s+|\s+$",
        r"(\w+) (\w+)",
        r"\[OOC:.*\]",
        r"(?:\r?\n){3,}",
        r"(a",
    ],
)
def test_what_authors_usually_write_is_not_suspected(pattern: str) -> None:
    assert not slow(pattern)


@pytest.mark.parametrize("where", ["additional_keys", "exclude_keys"])
def test_keys_in_decorators_are_probed_too(where: str) -> None:
    raw = book(entry(content=f"@@{where} /(a+)+$/\nA fact."))
    (told,) = book_flaws(read_book(raw, Notes()))
    assert "takes too long" in told


def test_no_pattern_is_tried_beyond_its_time() -> None:
    assert not is_slow("(a+)+$", "g", time.monotonic() - 1)


@given(st.text(max_size=60), st.text("gimsuy", max_size=3))
def test_no_pattern_breaks_the_probing(pattern: str, flags: str) -> None:
    is_slow(pattern, flags, time.monotonic() + 0.02)
