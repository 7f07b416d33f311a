"""Regex scripts of cards: off by default, bounded in time and growth, never HTML."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.personas import RegexScript, read_card
from bot.personas.scripts import AI_OUTPUT, TOTAL_SECONDS, Purpose, rewrite
from tests.unit.personas.files import as_json, v2


def script(find: str, replace: str, **fields: object) -> RegexScript:
    values: dict[str, object] = {"placement": frozenset({AI_OUTPUT}), **fields}
    return RegexScript("s", find, replace, **values)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("find", "replace", "text", "made"),
    [
        ("/cat/", "dog", "cat cat", "dog cat"),
        ("/cat/g", "dog", "cat cat", "dog dog"),
        ("/CAT/gi", "dog", "cat Cat", "dog dog"),
        ("cat", "dog", "a cat", "a dog"),
        (r"/(\w+) (\w+)/", "$2 $1", "a b", "b a"),
        (r"/(?<x>\w+)!/", "($<x>)", "hey!", "(hey)"),
        ("/cat/", "[{{match}}]", "a cat", "a [cat]"),
        ("/cat/", "$9", "a cat", "a $9"),
        (r"/a(b)?/", "[$1]", "a", "[]"),
        ("/<think>.*?<.think>/s", "", "<think>a\nb</think>c", "c"),
    ],
)
def test_replacements(find: str, replace: str, text: str, made: str) -> None:
    assert rewrite([script(find, replace)], text, Purpose.REPLY).text == made


def test_what_was_matched_is_never_expanded() -> None:
    made = rewrite(
        [script(r"/(.+)/", "{{char}}: $1")], "{{char}}", Purpose.REPLY,
        expand=lambda text: text.replace("{{char}}", "Sera"),
    )  # fmt: skip
    assert made.text == "Sera: {{char}}"


def test_parts_are_trimmed_from_what_was_matched() -> None:
    made = rewrite([script("/.+/", "[{{match}}]", trim=("a", ""))], "banana", Purpose.REPLY)
    assert made.text == "[bnn]"


def test_only_scripts_meant_for_the_purpose_run() -> None:
    scripts = [
        script("/a/", "1", disabled=True),
        script("/a/", "2", markdown_only=True),
        script("/a/", "3", placement=frozenset({1})),
        script("/a/", "4", min_depth=2),
        script("/a/", "5", max_depth=0),
        script("/a/", "6", prompt_only=True),
    ]
    assert rewrite(scripts, "a", Purpose.REPLY, depth=1).text == "a"
    assert rewrite(scripts, "a", Purpose.PROMPT, depth=1).text == "6"


@pytest.mark.parametrize("replace", ["<div>x</div>", "```html\nx", "<img src=x>", "<!-- x -->"])
def test_html_is_never_written(replace: str) -> None:
    made = rewrite([script("/a/", replace)], "a", Purpose.REPLY)
    assert made.text == "a"
    assert "HTML" in made.problems[0]


def test_a_hostile_pattern_costs_a_moment() -> None:
    began = time.process_time()
    made = rewrite([script("/(a+)+$/", "x")] * 50, "a" * 5_000 + "!", Purpose.REPLY)
    assert time.process_time() - began < TOTAL_SECONDS * 10
    assert made.text == "a" * 5_000 + "!"
    assert len(made.problems) == 50


def test_growth_is_bounded() -> None:
    made = rewrite([script("/a/g", "a" * 1_000)] * 5, "a" * 50, Purpose.REPLY)
    assert made.text == "a" * 50


@pytest.mark.parametrize("replace", ["a" * 100_000, "$&" * 8_000])
def test_what_would_be_too_much_is_not_even_made(replace: str) -> None:
    tracemalloc.start()
    try:
        made = rewrite([script("/b*a+?|(?:ab)+/g", replace)], "ab" * 2_000, Purpose.REPLY)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.problems == ("s: writes too much",)
    assert most < 2_000_000


@pytest.mark.parametrize("find", ["/(/", "", "/" + "a" * 5_000 + "/", "/(?P<a>x)(?P<a>y)[/"])
def test_a_bad_pattern_changes_nothing(find: str) -> None:
    made = rewrite([script(find, "x")], "a", Purpose.REPLY)
    assert made.text == "a"
    assert made.problems


def test_scripts_are_read_from_the_card() -> None:
    raw = {"scriptName": "n", "findRegex": "/a/g", "replaceString": "b", "placement": [2, 1],
           "trimStrings": ["x"], "promptOnly": True, "disabled": False, "minDepth": None,
           "maxDepth": 3}  # fmt: skip
    card = read_card(as_json(v2(extensions={"regex_scripts": [raw, 5, {}]})), "x").card
    first = card.regex_scripts[0]
    assert (first.name, first.find, first.replace) == ("n", "/a/g", "b")
    assert first.placement == {1, 2}
    assert first.prompt_only
    assert first.max_depth == 3
    assert len(card.regex_scripts) == 3


signs = st.text(st.sampled_from("ab()[]{}\\|*+?^$.,:=!<>-/1gk \n"), max_size=20)


@given(signs, signs, signs)
@settings(max_examples=200, deadline=None)
def test_any_script_on_any_text_ends_well(find: str, replace: str, text: str) -> None:
    made = rewrite([script(f"/{find}/g", replace)], text, Purpose.REPLY)
    assert isinstance(made.text, str)
    assert made.text == text or not made.problems
