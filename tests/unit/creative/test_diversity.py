"""Ideas that are nearly the same count as one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.creative.diversity import different, distinct, nearly_same, overlap

KETTLE = "A kettle that hums the national anthem of whoever holds it."
REWORDED = "A kettle which hums the national anthem of whoever is holding it"
BRIDGE = "A bridge that is closed on Tuesdays because it visits its sister."
TEXTS = st.lists(st.text(max_size=80), max_size=8)


def test_distinct_n_is_the_share_of_different_n_grams() -> None:
    assert distinct(["a b c", "a b c"], 2) == 0.5
    assert distinct(["a b c", "d e f"], 2) == 1.0
    assert distinct(["one", ""], 2) == 1.0


def test_a_reworded_idea_is_the_same_idea() -> None:
    assert nearly_same(KETTLE, REWORDED)
    assert not nearly_same(KETTLE, BRIDGE)


def test_an_idea_that_begins_as_another_is_the_same_idea() -> None:
    assert nearly_same(
        "A lighthouse keeper finds a letter in the oil",
        "A lighthouse keeper finds a whale who wants to study law and pay rent",
    )


def test_languages_without_spaces_are_compared_as_well() -> None:
    assert nearly_same("夜だけ開く図書館の司書が猫になる", "夜だけ開く図書館の司書は猫になる")
    assert not nearly_same("夜だけ開く図書館", "空を飛ぶ郵便局員の一日")
    assert not nearly_same("一个关于一只猫的冒险", "一个关于一座城的毁灭与重生的史诗")


def test_different_keeps_the_first_of_each_and_none_that_is_known() -> None:
    assert different([KETTLE, REWORDED, BRIDGE]) == [KETTLE, BRIDGE]
    assert different([REWORDED, BRIDGE], known=[KETTLE]) == [BRIDGE]


@given(TEXTS)
def test_what_is_kept_differs_from_each_other(texts: list[str]) -> None:
    kept = different(texts)
    assert all(not nearly_same(a, b) for i, a in enumerate(kept) for b in kept[:i])
    assert different(kept) == kept
    assert 0.0 <= distinct(texts) <= 1.0


@given(st.text(max_size=80), st.text(max_size=80))
def test_overlap_is_a_symmetric_share(one: str, other: str) -> None:
    assert 0.0 <= overlap(one, other) == overlap(other, one) <= 1.0
    assert overlap(one, one) == 1.0
