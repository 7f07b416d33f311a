"""What is never stored, in thirteen languages, and what looks like it and is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import TroupeError
from bot.memory.forms import formal_class
from bot.memory.phrases import Phrases, Text, read_groups
from bot.memory.sensitive import LISTS, LONGEST, sensitive_class

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "memory" / "sensitive.txt"


def examples() -> list[tuple[str, str]]:
    lines = EXAMPLES.read_text("utf-8").splitlines()
    told = [line.split(" ", 2) for line in lines if line and not line.startswith("#")]
    return [(found, text) for _, found, text in told]


@pytest.mark.parametrize("named", sorted({found for found, _ in examples() if found != "-"}))
def test_every_class_is_known_in_every_language(named: str) -> None:
    missed = [(text, sensitive_class(text)) for found, text in examples() if found == named]
    assert [each for each in missed if each[1] != named] == []


def test_what_only_looks_like_it_may_be_stored() -> None:
    refused = [(text, sensitive_class(text)) for found, text in examples() if found == "-"]
    assert len(refused) > 200
    assert [each for each in refused if each[1] is not None] == []


@pytest.mark.parametrize(
    "text",
    [
        "I HAVE ASTHMA",
        "i have\n asthma",
        "I’ve got a really bad migraine",
        "Ｉ ｈａｖｅ ａｓｔｈｍａ",
        "j’ai l’asthme",
        "I was self-harming",
        "Well, I am a very proud Sikh.",
    ],
)
def test_case_marks_and_what_stands_between_do_not_hide_it(text: str) -> None:
    assert sensitive_class(text) is not None


def test_what_is_said_of_oneself_ends_with_its_clause() -> None:
    assert sensitive_class("I am a gay man") == "sexuality"
    assert sensitive_class("I am tired. Gay Gordon is my dog") is None


def test_a_number_counts_as_an_account_only_with_its_check_digits() -> None:
    assert sensitive_class("it is GB82 WEST 1234 5698 7654 32") == "secret"
    assert sensitive_class("it is GB83 WEST 1234 5698 7654 32") != "secret"


@pytest.mark.parametrize("age", range(9, 30))
def test_ages_below_18_are_sensitive_and_others_not(age: int) -> None:
    for text in (f"I'm {age}", f"I am {age} years old", f"Ich bin {age} Jahre alt", f"私は{age}歳"):
        assert (sensitive_class(text) == "minors") is (age < 18), text


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    sensitive_class(text)


def test_a_long_text_is_read_as_far_as_it_would_be_kept() -> None:
    assert sensitive_class("a " * (LONGEST // 2 - 20) + " I have asthma") == "health"
    assert sensitive_class("((( 12 " * 100_000) is None


def test_a_list_with_a_mistake_is_refused(tmp_path: Path) -> None:
    (tmp_path / "speaking.toml").write_text((LISTS / "speaking.toml").read_text("utf-8"), "utf-8")
    for wrong in ('[[group]]\nword = ["x"]', '[[group]]\nwords = ["x"]\nafter = ["nobody"]'):
        (tmp_path / "wrong.toml").write_text(wrong, "utf-8")
        with pytest.raises(TroupeError, match=r"wrong\.toml"):
            read_groups(tmp_path, speaking="speaking")
    with pytest.raises(TroupeError, match="too short"):
        Phrases(["ab*"])


def test_a_phrase_in_any_script_is_found() -> None:
    phrases = Phrases(["self-harm*", "自殺"])
    assert list(phrases.ends_at(Text("Self harming").tokens, 1)) == [3]
    assert phrases.unspaced == ["自殺"]


def test_spaces_without_end_are_looked_through_once() -> None:
    """A form that shares them out among two places takes minutes here."""
    assert formal_class("password" + " " * 200_000 + "x") is None
    assert formal_class("password  :  hunter2") == "secret"
