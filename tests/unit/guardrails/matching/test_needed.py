"""Many words are looked for at once, and none is overlooked."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from bot.guardrails.matching.literals import LONGEST
from bot.guardrails.matching.needed import Needed

LETTERS = "ab é死🔪\udcff"
WORDS = st.frozensets(st.text(LETTERS, min_size=1, max_size=LONGEST), max_size=4)


@given(st.lists(WORDS, max_size=6), st.text(LETTERS, max_size=140))
def test_the_owners_due_are_those_whose_words_stand_in_the_text(
    owned: list[frozenset[str]], text: str
) -> None:
    due = {at for at, words in enumerate(owned) if not words or any(w in text for w in words)}
    assert Needed(owned).due(text) == due


@given(st.lists(WORDS, max_size=6), st.text(LETTERS, max_size=40))
def test_every_place_of_a_word_is_found(owned: list[frozenset[str]], text: str) -> None:
    places = {
        (at, owner)
        for owner, words in enumerate(owned)
        for word in words
        for at in range(len(text))
        if text.startswith(word, at)
    }
    assert Needed(owned).places_in(text) == sorted(places)


def test_a_word_takes_a_few_bytes() -> None:
    owned = [(f"{number:0{LONGEST}x}",) for number in range(2_000)]
    tracemalloc.start()
    try:
        made = Needed(owned)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 40 * len(owned)
    assert made.due(owned[-1][0]) == {len(owned) - 1}
