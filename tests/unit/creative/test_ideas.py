"""Ideas are read from whatever a model makes of a numbered list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.creative.ideas import idea_in, ideas_in, listed


@pytest.mark.parametrize(
    "text",
    [
        "1. one\n2. two\n3. three",
        "Here you go:\n\n1) one\n\n2) two\n\n3) three",
        "**1.** one\n**2.** two\n**3.** three\n\nWhich do you like?",
        "### 1. one\n### 2. two\n### 3. three",
        "- one\n- two\n- three",
        "  1: one\n  2: two\n  3: three",
        "1.one\n2.two\n3.three",
        "1、one\n2、two\n3、three",
        "１．one\n２．two\n３．three",
    ],
)
def test_lists_of_any_make_are_read(text: str) -> None:
    assert ideas_in(text) == ["one", "two", "three"]


def test_a_title_in_bold_type_keeps_its_beginning() -> None:
    text = "**1. Cat** naps\n__2) Dog:__ runs\n3. **Owl** reads"
    assert ideas_in(text) == ["**Cat** naps", "__Dog:__ runs", "**Owl** reads"]
    assert idea_in("### **1. Cat** naps") == "**Cat** naps"


def test_one_idea_loses_its_own_number_only() -> None:
    assert idea_in("**2.** a quest:\n1. go") == "a quest:\n1. go"
    assert idea_in("a quest:\n1. go") == "a quest:\n1. go"


@pytest.mark.parametrize("text", ["1.5 litres\n2.5 litres", "1:30 tea\n2:30 cake"])
def test_numbers_with_a_fraction_are_no_items(text: str) -> None:
    assert ideas_in(text) == []


def test_a_list_inside_an_idea_belongs_to_it() -> None:
    text = "1. a quest:\n1. go\n3. back\n2. a feast\n3. a nap"
    assert ideas_in(text) == ["a quest:\n1. go\n3. back", "a feast", "a nap"]


def test_paragraphs_stay_where_ideas_have_them() -> None:
    text = "1. one\n\nmore of one\n2. two\n\nmore of two"
    assert ideas_in(text) == ["one\n\nmore of one", "two\n\nmore of two"]


@pytest.mark.parametrize("text", ["", "just prose", "1. only one", "in 1999. we met", "- one"])
def test_what_is_no_list_has_no_ideas(text: str) -> None:
    assert ideas_in(text) == []


WORDS = st.text(st.characters(categories=("L",)), min_size=1, max_size=20)


@given(st.lists(WORDS, min_size=2, max_size=8))
def test_what_is_listed_is_read_again(ideas: list[str]) -> None:
    assert ideas_in(listed(ideas)) == ideas


@given(st.text(max_size=400))
def test_anything_can_be_read(text: str) -> None:
    assert all(idea and len(idea) <= 4000 for idea in ideas_in(text))
