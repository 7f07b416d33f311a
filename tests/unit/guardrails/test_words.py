"""Many words are looked up at once, and none is overlooked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.guardrails.words import Words

LETTERS = "ab é死🔪"
STARTS = st.sampled_from([(3,), (4, 6), (2, 3, 7)])
WORDS = st.frozensets(st.text(LETTERS, min_size=1, max_size=8), max_size=4)


@given(st.lists(WORDS, max_size=6), st.text(LETTERS, max_size=40), STARTS)
def test_the_owners_due_are_those_whose_words_stand_in_the_text(
    owned: list[frozenset[str]], text: str, starts: tuple[int, ...]
) -> None:
    due = [at for at, words in enumerate(owned) if not words or any(w in text for w in words)]
    assert Words(owned, starts).standing_in(text) == due


@given(st.lists(WORDS, max_size=6), st.text(LETTERS, max_size=40), STARTS)
def test_every_place_of_a_word_is_found(
    owned: list[frozenset[str]], text: str, starts: tuple[int, ...]
) -> None:
    places = {
        (at, owner)
        for owner, words in enumerate(owned)
        for word in words
        for at in range(len(text))
        if text.startswith(word, at)
    }
    assert Words(owned, starts).places_in(text) == sorted(places)


@given(st.lists(WORDS, max_size=6), st.text(LETTERS, min_size=3, max_size=9))
def test_what_words_begin_with_is_known(owned: list[frozenset[str]], text: str) -> None:
    begun = any(word.startswith(text) for words in owned for word in words)
    assert Words(owned, (3,)).begin_with(text) == begun
