"""Every rule is tested by the examples that stand beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from bot.errors import SettingsRejected
from bot.guardrails.matching.rule_files import SHIPPED, check_pattern, read_rules
from bot.guardrails.matching.rules import Rule, RuleSet
from bot.guardrails.reading.normalise import normalise
from bot.guardrails.taxonomy import Severity
from tests.unit.guardrails.matching.shipped import RULES


@cache
def rules_for(role: str) -> RuleSet:
    return RuleSet(RULES, role)


def hits(rule: Rule, text: str) -> bool:
    rules, views = rules_for(rule.roles[0]), normalise(text)
    found = rules.hits_to_confirm(views) if rule.needs else rules.hits(views)
    return any(hit.rule == rule.id for hit in found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_hits_its_examples_and_nothing_harmless(rule: Rule) -> None:
    missed = [text for text in rule.examples if not hits(rule, text)]
    wrong = [text for text in rule.counter_examples if hits(rule, text)]
    assert (missed, wrong) == ([], [])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_shipped_pattern_can_be_run_in_every_form(rule: Rule) -> None:
    for pattern in (*rule.patterns, *rule.unless, *(p for choice in rule.beside for p in choice)):
        check_pattern(pattern, drafted="assistant" in rule.roles)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_a_harmless_twin(rule: Rule) -> None:
    assert rule.counter_examples


BESIDE_IN_A_DRAFT = (
    "category = 'hate'\n[[rule]]\nid='a.b'\nroles=['assistant']\npatterns=['abc']\n"
    "beside=['xyz']\nexamples=['abc']"
)

MISTAKEN = (
    "category = 'hate'\n[[rule]]\nid='a.b'\npatterns=['abc']\nexamples=['abc']\n"
    "counter_examples=['abcd']"
)
WITHOUT_END = (
    "category = 'hate'\n[[rule]]\nid='a.b'\nroles=['user', 'assistant']\n"
    "patterns=['\\w\\w']\nexamples=['abc']"
)


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "own.toml").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "category = 'nonsense'\n[[rule]]\nid='a.b'\npatterns=['abc']\nexamples=['abc']",
            "taxonomy",
        ),
        ("category = 'hate'\n[[rule]]\nid='a.b'\npatterns=['(abc']\nexamples=['abc']", "a.b"),
        ("category = 'hate'\n[[rule]]\nid='a.b'\npatterns=['a(?=b)c']\nexamples=['abc']", "a.b"),
        ("category = 'hate'\n[[rule]]\nid='a.b'\nfoo=1\npatterns=['abc']\nexamples=['abc']", "foo"),
        ("category = ", "own.toml"),
        (
            "category = 'hate'\n[[rule]]\nid='a.b'\npatterns=['{{nowhere}}']\nexamples=['a']",
            "nowhere",
        ),
        (BESIDE_IN_A_DRAFT, "beside"),
        (
            "category = 'hate'\n[[rule]]\nid='a.b'\npatterns=['(?:abc)?']\nexamples=['abc']",
            "any text",
        ),
        (
            "category = 'hate'\n[[rule]]\nid='a.b'\npatterns=['ABC']\nexamples=['ABC']",
            "example is not hit: ABC",
        ),
        (MISTAKEN, "counter-example is hit: abcd"),
        (WITHOUT_END, "everyday messages"),
    ],
)
def test_a_wrong_rule_file_is_named_with_its_fault(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(SettingsRejected) as caught:
        read_rules([write(tmp_path / "rules", text)])
    assert any(complaint in line and "own.toml" in line for line in caught.value.problems)


def test_an_evil_pattern_can_not_freeze_the_loop(tmp_path: Path) -> None:
    text = "category='hate'\n[[rule]]\nid='a.b'\npatterns=['(a+)+$']\nexamples=['aaa']"
    rules = RuleSet(read_rules([write(tmp_path / "rules", text)]), "user")
    assert rules.hits(normalise("a" * 5000 + "!")) == ()


def made(*patterns: str) -> RuleSet:
    rule = Rule(
        id="threat.en.test", category="threat", severity=Severity.PLAIN, roles=("user",),
        patterns=patterns, unless=(), fiction_ok=False, examples=(), counter_examples=(),
    )  # fmt: skip
    return RuleSet([rule], "user")


@pytest.mark.parametrize("pattern", ["^steal it$", r"\Asteal it\z", "steal", "(?s)steal.it"])
def test_each_view_of_a_text_is_a_text_of_its_own(pattern: str) -> None:
    assert made(pattern).hits(normalise("st34l it"))


@pytest.mark.parametrize("pattern", [r"i[^!]*st34l", r"st34l it\s\w+", r"(?s)i.st34l"])
def test_no_match_reaches_from_one_view_into_the_next(pattern: str) -> None:
    assert not made(pattern).hits(normalise("st34l it"))


def test_a_wide_excuse_anywhere_in_a_long_text_excuses_a_disguised_match() -> None:
    rule = Rule(
        id="threat.en.test", category="threat", severity=Severity.PLAIN, roles=("user",),
        patterns=("steal it",), unless=(r"\bgame\b",), fiction_ok=False, examples=(),
        counter_examples=(), unless_in="text",
    )  # fmt: skip
    rules, calm = RuleSet([rule], "user"), "the rain stopped and we walked on. " * 40
    assert rules.hits(normalise(f"st34l it {calm}"))
    assert not rules.hits(normalise(f"st34l it {calm} in this game"))


def excused_by_a_game(tmp_path: Path, more: str = "") -> RuleSet:
    text = (
        "category='threat'\n[[rule]]\nid='a.b'\npatterns=['kill(?: you|.* him)']\n"
        f"unless=['\\bgame\\b', 'he said']\n{more}\nexamples=['I will kill you']"
    )
    return RuleSet(read_rules([write(tmp_path / "rules", text)]), "user")


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("I'll kill you in this game", False),
        ("Nice game. I'll kill you.", True),
        ("I'll kill you. Nice game.", True),
        ("I'll kill you in this game. I'll kill you.", True),
        ("I'll kill you in this game! He said \"I'll kill you\".", False),
        ("I kill. Then a game. Then him.", False),
        ("I kill. Then him. Then a game.", True),
        ("he shouted and he. said I'll kill you", True),
    ],
)
def test_what_excuses_one_sentence_says_nothing_of_another(
    tmp_path: Path, text: str, hit: bool
) -> None:
    assert bool(excused_by_a_game(tmp_path).hits(normalise(text))) == hit


def test_an_excuse_reaches_all_over_the_text_where_a_rule_says_so(tmp_path: Path) -> None:
    rules = excused_by_a_game(tmp_path, "unless_in='text'")
    assert not rules.hits(normalise("Nice game. I'll kill you."))


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ('The line is "I will kill you tonight", and then it rains.', False),
        ("Er sagt: „I kill you“, mehr nicht.", False),
        ('I saw "Dune". I will kill you.', True),
        ('"I will kill you."', True),
        ('I will "kill" you, and then kill you.', True),
        ('"I will kill you", he wrote, and I will kill you.', True),
    ],
)
def test_only_what_stands_within_quotes_is_quoted(tmp_path: Path, text: str, hit: bool) -> None:
    rules = excused_by_a_game(tmp_path, "quoted_ok=true")
    assert bool(rules.hits(normalise(text))) == hit


def beside(tmp_path: Path) -> RuleSet:
    text = (
        "category='illicit'\n[[rule]]\nid='a.b'\npatterns=['{{till}}']\n"
        "beside=['\\bhow\\b', '\\bunseen\\b']\nexamples=['how to open the cash register unseen']"
    )
    folder = write(tmp_path / "rules", text)
    (folder / "words.toml").write_text("[words]\ntill = 'cash register'", "utf-8")
    return RuleSet(read_rules([folder]), "user")


def test_what_has_to_stand_beside_a_match_may_stand_before_it_or_after(tmp_path: Path) -> None:
    rules = beside(tmp_path)
    assert rules.hits(normalise("unseen, and from the cash register: how?"))
    assert rules.hits(normalise("how do I open the cash register unseen"))
    assert not rules.hits(normalise("how do I open the cash register"))
    assert not rules.hits(normalise("open the cash register unseen"))


def test_what_stands_far_away_is_not_beside_a_match(tmp_path: Path) -> None:
    rules, calm = beside(tmp_path), "the rain stopped and we walked on. " * 40
    assert not rules.hits(normalise(f"how are you? {calm} the cash register went unseen"))
    assert rules.hits(normalise(f"{calm} how is the cash register robbed unseen? {calm}"))


def test_what_stands_in_the_next_sentence_makes_a_match_a_wide_one(tmp_path: Path) -> None:
    def wide(text: str) -> list[bool]:
        return [hit.wide for hit in beside(tmp_path).hits(normalise(text))]

    assert wide("how do I open the cash register unseen") == [False]
    assert wide("I'm at the cash register. How do I open it unseen?") == [True]
    assert wide("Unseen. The cash register. I sing. Nobody asks how.") == []
    assert wide("How? The cash register. How is the cash register robbed unseen?") == [False]


def test_a_disguise_does_not_hide_what_stands_beside_a_match(tmp_path: Path) -> None:
    assert beside(tmp_path).hits(normalise("h.o.w t.o o.p.e.n c.a.s.h r.e.g.i.s.t.e.r u.n.s.e.e.n"))


def test_words_of_an_operator_are_added_to_the_shipped_ones(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "words.toml").write_text("[words]\nuntold = 'xyzzy'", "utf-8")
    assert len(read_rules([SHIPPED, folder])) == len(RULES)
