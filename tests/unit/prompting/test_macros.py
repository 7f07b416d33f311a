"""Macros: observed results (`macros.json` of SillyTavern 2024, `macros_v3.json` of Version 3), and
what strangers may not do with them.

Where we differ stands in the table of `test_golden_divergences`.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.prompting.macro_values import MAX_VARIABLES, MacroContext
from bot.prompting.macros import MAX_EXPANDED, MAX_MACROS, MAX_ROLLED, parse, without_comments

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "cards"
OBSERVED = json.loads((GOLDEN / "macros.json").read_text("utf-8"))
VERSION_3 = json.loads((GOLDEN / "macros_v3.json").read_text("utf-8"))
BY_FORM = {
    "{{comment: hi}}": r"",
    "{{hidden_key:foo}}": r"",
    "{{roll:d6}}": r"[1-6]",
    "{{time_UTC+2}}": r"2:00 AM",
    "{{datetimeformat DD.MM}}": r"01\.01",
    "{{pick:a,b,c}}": r"[abc]",
}

pieces = st.sampled_from(
    [*"{}:,|</>\\ \nabc", "{{", "}}", "{{char}}", "{{random:", "::", "//", "<USER>", "{{setvar::"]
)
text = st.lists(pieces, max_size=40).map("".join)


def context(**fields: Any) -> MacroContext:
    values: dict[str, Any] = {"char": "Sera", "user": "Ann", **fields}
    return MacroContext(**values)


@pytest.mark.parametrize("case", OBSERVED, ids=lambda case: case["in"][:30])
@pytest.mark.parametrize(("chance", "column"), [(0.0, "r0"), (0.999, "r999")])
def test_macros_mean_what_people_rely_on(case: dict[str, str], chance: float, column: str) -> None:
    expanded = context(
        others=("Bob",),
        fields={"description": "{{user}} meets {{char}}"},
        values={"persona": "Sera fan", "maxprompt": "4096", "lastmessage": "LAST"},
        original="ORIG",
        chance=lambda: chance,
    ).expand(case["in"])
    if case["in"] in BY_FORM:
        assert re.fullmatch(BY_FORM[case["in"]], expanded)
    else:
        assert expanded == case[column]


@pytest.mark.parametrize("case", VERSION_3, ids=lambda case: case["i"][:30])
def test_macros_of_version_3(case: dict[str, Any]) -> None:
    def expanded() -> str:
        return context(
            char="Nick", user=case.get("user", "Ann"), original=case.get("original")
        ).expand(case["i"])

    seen = {expanded() for _ in range(30)}
    if "o" in case:
        assert seen == {case["o"]}
    elif "one_of" in case:
        assert seen <= set(case["one_of"])
        assert len(seen) == 1 or not case.get("stable")
    else:
        low, high = case["range"]
        assert all(low <= int(each) <= high for each in seen)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{{ char }}", "{{ char }}"),
        ("{{unknown:{{char}}}}", "{{unknown:Sera}}"),
        ("{{random::a , a}}", "a"),
        ("{{random::a,b::a,b}}", "a,b"),
        ("{{roll:}}|{{reverse:}}|{{roll}}", "{{roll:}}|{{reverse:}}|{{roll}}"),
        ("{{setvar::x::1,2}}{{getvar::x}}", "1,2"),
        ("{{setvar::x,y}}", "{{setvar::x,y}}"),
        ("{{char", "{{char"),
        ("char}}", "char}}"),
        ("{{{char}}}", "{Sera}"),
        ("{{#if x}}y{{/if}}", "{{#if x}}y{{/if}}"),
        ("{{setvar::a::5}}{{addvar::a::2}}{{getvar::a}}", "7"),
        ("{{setvar::a::x}}{{addvar::a::y}}{{getvar::a}}", "xy"),
        ("{{incvar::n}}{{incvar::n}}{{decvar::n}}", "121"),
        ("{{getvar::none}}|{{getglobalvar::none}}", "|"),
        ("{{roll:2d1+3}}", "5"),
        ("{{roll 1}}", "1"),
        ("{{reverse:{{user}}}}", "nnA"),
        ("<USER> and <Bot>, not <b>", "Ann and Sera, not <b>"),
        ("{{isodate}} {{isotime}} {{weekday}}", "2001-09-09 01:46 Sunday"),
        ("{{date}}, {{time}}", "September 9, 2001, 1:46 AM"),
        ("{{timediff::2026-01-01::2026-01-03}}", "2 days"),
        ("{{idle_duration}}", "5 minutes"),
        ("{{outlet::Town}}", "a harbour"),
    ],
)
def test_single_macros(written: str, expected: str) -> None:
    given = context(now=1e9, idle=300.0, outlets={"town": "a harbour"}, chance=lambda: 0.0)
    assert given.expand(written) == expected


@pytest.mark.parametrize("name", ["{{random:1,2}}", "{{char}}", "$&", "<BOT>", "a::b", "a,b", "{{"])
@pytest.mark.parametrize("written", ["hi {{user}}", "hi <USER>", "hi {{lastMessage}}"])
def test_what_people_wrote_is_never_expanded(name: str, written: str) -> None:
    given = context(user=name, values={"lastmessage": name})
    assert given.expand(written) == f"hi {name}"


def test_separators_within_a_name_do_not_split_a_list() -> None:
    given = context(user="x,y::z", chance=lambda: 0.0)
    assert given.expand("{{random:{{user}},b}}") == "x,y::z"


def test_a_stable_context_says_nothing_of_the_moment() -> None:
    written = "{{time}} {{date}} {{idle_duration}} {{time_UTC+3}} {{datetimeformat YYYY}}"
    first = context(stable=True, now=1.0).expand(written)
    assert first == context(stable=True, now=1e9).expand(written)
    assert not re.search(r"\d", first)


def test_a_pick_stays_and_differs_between_conversations() -> None:
    written = "{{pick:" + ",".join(map(str, range(100))) + "}}"
    picks = {seed: context(pick_seed=str(seed)).expand(written) for seed in range(20)}
    assert picks == {seed: context(pick_seed=str(seed)).expand(written) for seed in range(20)}
    assert len(set(picks.values())) > 5


def test_fields_that_contain_themselves_end() -> None:
    given = context(fields={"description": "{{description}}{{description}} x"})
    assert len(given.expand("{{description}}")) < 100


def test_growth_is_bounded() -> None:
    doubling = "{{setvar::a::xxxxxxxxxx}}" + "{{setvar::a::{{getvar::a}}{{getvar::a}}}}" * 40
    assert len(context().expand(doubling + "{{getvar::a}}" * 400)) <= MAX_EXPANDED + len(doubling)
    many = context()
    many.expand("".join(f"{{{{setvar::v{n}::1}}}}" for n in range(MAX_VARIABLES * 2)))
    assert len(many.variables) == MAX_VARIABLES


def test_deep_nesting_is_text_beyond_its_limit() -> None:
    assert context().expand("{{" * 5_000) == "{{" * 5_000
    deep = "{{reverse:" * 500 + "a" + "}}" * 500
    assert "a" in context().expand(deep)


@given(text)
@settings(max_examples=200, deadline=None)
def test_any_text_expands_without_an_error(written: str) -> None:
    assert isinstance(context(chance=random.Random(1).random).expand(written), str)


@given(st.text(max_size=60).filter(lambda each: "{{" not in each and "<" not in each))
@settings(max_examples=100, deadline=None)
def test_a_text_without_macros_stays(written: str) -> None:
    assert context().expand(written) == written


@given(text, text)
@settings(max_examples=150, deadline=None)
def test_a_name_is_inserted_as_it_is_wherever_it_stands(before: str, name: str) -> None:
    """Whatever stands before it, the name comes out unchanged or not at all."""
    safe = before.replace("{", "").replace("}", "").replace("<", "")
    assert context(user=name).expand(safe + "{{user}}") == safe + name


def test_comments_are_not_searched() -> None:
    assert without_comments("a {{// dragon {{x}} }}b{{comment: dragon}}c{{y}}") == "a bc{{y}}"


def test_parsing_stops_where_the_budget_ends() -> None:
    assert len(parse("{{a}}" * 20_000, most=20_000)) == 40_001
    assert parse("{{a}}{{b}}", most=1)[2:] == ["{{b}}"]


BOMB = {
    "description": "{{personality}}" * 300,
    "personality": "{{scenario}}" * 300,
    "scenario": "{{roll:1000d6}}" * 10,
}
"""900,000 macros and 900 million dice in 8.6 KB."""


def test_fields_within_fields_share_one_budget() -> None:
    thrown = 0

    def chance() -> float:
        nonlocal thrown
        thrown += 1
        return 0.5

    given = context(fields=BOMB, chance=chance)
    written = given.expand("{{description}}")
    assert given.budget.exceeded
    assert thrown <= MAX_ROLLED
    assert given.budget.macros >= 0
    assert len(written) <= MAX_EXPANDED
    assert "{{scenario}}" in written or "{{roll:1000d6}}" in written, "the rest stays as text"


@pytest.mark.parametrize(
    "written",
    ["{{user}}", "<USER>", "{{roll:1000d6}}", "{{random:a,b}}", "{{// x}}", "{{scenario}}", "{{"],
)
def test_what_is_beyond_the_budget_stays_as_its_author_wrote_it(written: str) -> None:
    given = context(fields={"scenario": "{{user}}"}, user="Al")
    text = given.expand(written * (MAX_MACROS * 2))
    assert text.endswith(written)
    assert given.budget.exceeded
    assert given.expand(written) == written


@pytest.mark.parametrize(
    "written", ["{{getvar::a}}", "{{addvar::a::y}}", "{{lastmessage}}", "{{scenario}}", "<USER>"]
)
def test_long_values_are_not_multiplied(written: str) -> None:
    long = "x" * 9_000
    given = context(
        fields={"scenario": long}, values={"lastmessage": long}, variables={"local a": long},
        user=long,
    )  # fmt: skip
    text = given.expand(written * 1_000)
    assert len(text) <= MAX_EXPANDED + len(written) * 1_000
    assert given.budget.exceeded


def test_a_text_with_many_picks_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = 0
    real = hashlib.sha256

    def counting(data: bytes) -> Any:
        nonlocal hashed
        hashed += len(data)
        return real(data)

    monkeypatch.setattr(hashlib, "sha256", counting)
    written = "{{pick:a,b}}" * 2_000
    context().expand(written)
    assert 0 < hashed < len(written) + 2_000 * 100


def test_an_ordinary_card_stays_far_below_the_budget() -> None:
    given = context()
    assert "{{" not in given.expand("{{char}} knows {{user}}. " * 1_000)
    assert not given.budget.exceeded
