"""What is looked for before a pattern never costs a match."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from bot.guardrails.matching.alternatives import alternatives
from bot.guardrails.matching.beginnings import Beginnings
from bot.guardrails.matching.literals import needs, spaced
from bot.guardrails.matching.rules import RuleSet
from bot.guardrails.reading.normalise import normalise
from tests.unit.guardrails.matching.shipped import RULES

PIECES = st.sampled_from(
    ["kill", "a", " ", r"\b", "'", "-?", "死", "(?:you|him|her)", "[xy]", "[a-z]", ".", "s?",
     r"\w+", "(?:bad )?", "(?:ab|cd){2}", "(?:never|ever)+", ".{0,4}", "e{1,3}",
     "(?:[a-f]|gone)", r"\d"]
)  # fmt: skip
PATTERNS = st.lists(PIECES, min_size=1, max_size=6).map("".join)
MANY = [f"{first}{second}ok" for first in "bcdfg" for second in "aeiouy"]


@given(PATTERNS, st.data())
def test_a_match_holds_a_required_string_and_begins_with_an_opening(
    pattern: str, data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII)))
    for found in re.finditer(pattern, text, re.ASCII):
        needed = needs(pattern)
        for words in (needed.words, needed.also):
            assert not words or any(word in spaced(text) for word in words)
        assert not needed.openings or found[0].startswith(tuple(needed.openings))


@given(PATTERNS, st.data())
def test_every_beginning_of_a_match_is_held_from_its_start(
    pattern: str, data: st.DataObject
) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True))
    if set(text) & set(".!?\n") or not text:
        return  # a repeat that is held to the end of the sentence
    before = "so "
    held = Beginnings([pattern], [needs(pattern).openings])
    for end in range(1, len(text) + 1):
        assert held.earliest(before + text[:end]) <= len(before)


def test_letters_of_which_python_keeps_the_same_bytes_are_told_apart() -> None:
    assert Beginnings(["映"], [["映"]]).earliest("so f") == 4


@pytest.mark.parametrize(
    ("pattern", "words", "also"),
    [
        (r"\b(?:kill|hang) (?:your|my)self\b", " kill yo| kill my| hang yo| hang my", ""),
        ("(?:want|wanna) .{0,20}die now", "die now", "want |wanna "),
        ("(?:want|wanna) .{0,20}(?:die|death) now", "die now|death no", "want |wanna "),
        (
            r"\w+ (?:want\w* .{0,9}(?:kill|harm)ing|hope to end) .*someone",
            "someone",
            "killing|harming|hope to ",
        ),
        ("now|(?:want|wanna) .{0,20}die", "now|want |wanna ", ""),
        ("tonight .{0,20}ton", "tonight ", ""),
        (r"\b(?:can't|死 ?ai)\b", " can t | 死 ai ", ""),
        (rf"\b(?:{'|'.join(MANY)})\b", "|".join(f" {word} " for word in MANY), ""),
        ("[a-z]+", "", ""),
        (r"\p{Han}+ 死にたい", " 死にたい", ""),
        ("(?i)loud", "", ""),
        ("[[:alpha:]]word", "", ""),
    ],
)
def test_the_most_telling_strings_are_required(pattern: str, words: str, also: str) -> None:
    needed = needs(pattern)
    assert set(needed.words) == set(filter(None, words.split("|")))
    assert set(needed.also) == set(filter(None, also.split("|")))


def test_rules_find_what_their_patterns_find_without_any_filter() -> None:
    for role in ("user", "assistant"):
        rules = RuleSet(RULES, role)  # type: ignore[arg-type]
        own = [rule for rule in RULES if role in rule.roles]
        texts = [rule.examples[0] for rule in own]
        for rule in own[::3]:
            patterns = [re2.compile(part) for p in rule.patterns for part in alternatives(p)]
            unless = [re2.compile(p) for p in rule.unless]
            beside = [[re2.compile(p) for p in choice] for choice in rule.beside]
            for text in texts:
                views = normalise(text)
                expected = any(
                    any(p.search(view) for p in patterns)
                    and all(any(p.search(view) for p in choice) for choice in beside)
                    and not any(p.search(view) for p in unless)
                    for view in views.all
                )
                if expected:
                    found = rules.hits_to_confirm(views) if rule.needs else rules.hits(views)
                    assert rule.id in {hit.rule for hit in found}
