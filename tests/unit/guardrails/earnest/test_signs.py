"""Each sign is given by its examples, and by none of its counter-examples."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from pydantic import ValidationError

from bot.guardrails.earnest.signs import FOLDER, Sign, read_sign, shows, sign
from bot.guardrails.expressions import matches
from bot.guardrails.reading.normalise import normalise

NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
LANGUAGES = {
    "en",
    "es",
    "pt",
    "fr",
    "de",
    "it",
    "nl",
    "pl",
    "sv",
    "tr",
    "hi",
    "ar",
    "ru",
    "ja",
    "ko",
    "zh",
    "several",
}
RUN_BY_RE2 = (
    "taken_back", "half_meant", "gone_well", "strain", "said_of_trifles", "in_good_hands",
    "long_ago", "out_of_story", "pastime",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_examples_give_the_sign_and_counter_examples_do_not(name: str) -> None:
    read, found = read_sign(name), sign(name)
    missed = [text for text in read.examples if not found.search(normalise(text).plain)]
    mistaken = [text for text in read.counter_examples if found.search(normalise(text).plain)]
    assert (missed, mistaken) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_every_expression_stands_alone_in_a_known_language(name: str) -> None:
    read = read_sign(name)
    assert set(read.languages) <= LANGUAGES
    for each in read.languages.values():
        expressions = list(chain(each.words or (), each.parts or ()))
        assert len(set(expressions)) == len(expressions)
        for expression in expressions:
            assert re.compile(expression).search("") is None, "it would match any text"


@pytest.mark.parametrize("name", RUN_BY_RE2)
def test_what_re2_runs_finds_the_same(name: str) -> None:
    read = read_sign(name)
    for text in read.examples + read.counter_examples:
        plain = normalise(text).plain
        found = sign(name).search(plain) is not None
        assert shows(sign(name), plain) == found
        assert matches(read.pattern, plain.encode()) == found


@pytest.mark.parametrize(
    "change",
    [
        {"words": ["a"]},
        {"in": {}},
        {"in": {"en": {"word": ["a"]}}},
        {"in": {"en": {"words": [""]}}},
    ],
)
def test_a_file_with_anything_else_is_refused(change: dict[str, object]) -> None:
    good: dict[str, object] = {
        "means": "a sign",
        "examples": ["a"],
        "counter_examples": ["b"],
        "in": {"en": {"words": ["a"]}},
    }
    assert Sign.model_validate(good).pattern == r"\b(?:a)\b"
    with pytest.raises(ValidationError):
        Sign.model_validate(good | change)
