"""Single patterns: as little memory as they can be run in, and the same matches."""

from __future__ import annotations

import random
from functools import lru_cache

import pytest
import re2

from bot.guardrails import expressions
from bot.guardrails.expressions import KEPT, USUAL_MEMORY, _compiled, keep_all, matches

LARGE = r"k[^.z]{0,90}z ?(?:so )?(?:, )?" * 30


def test_a_pattern_that_needs_more_memory_gets_it() -> None:
    with pytest.raises(re2.error):
        _compiled(LARGE, USUAL_MEMORY)
    assert matches(LARGE, b"k, then z " * 30)
    assert not matches(LARGE, b"k, then z " * 29)


def test_a_wrong_pattern_is_an_error_in_any_memory() -> None:
    with pytest.raises(re2.error):
        matches("(never closed", b"text")


def test_an_automaton_that_begins_anew_finds_the_same() -> None:
    pattern = r"(?:a|b)[ab]{7}c.{0,30}d"
    small, expected = _compiled(pattern, 64 * 1024), re2.compile(pattern)
    chance = random.Random(4)
    for _ in range(3000):
        text = "".join(chance.choices("abcd ", k=60))
        assert bool(small.Match(text.encode())) == (expected.search(text) is not None)


@pytest.mark.parametrize("all_of_them", [False, True])
def test_only_an_evaluation_keeps_every_pattern(
    all_of_them: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As at the start: another test may have evaluated something in this process.
    at_first = lru_cache(maxsize=KEPT)(expressions._expression.__wrapped__)
    monkeypatch.setattr(expressions, "_expression", at_first)
    if all_of_them:
        keep_all()
    for number in range(KEPT + 10):
        matches(f"no{number}", b"")
    kept = expressions._expression.cache_info().currsize
    assert kept == KEPT + 10 if all_of_them else kept == KEPT
