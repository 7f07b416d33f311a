"""What is read off a message: named features, alike for what says the same, never too many."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.routing.features import bucket, features, piece_buckets, spelled, word_buckets
from bot.routing.text import MAX_TOKENS, fold, words


@given(st.lists(st.text("abcäж語🙂", min_size=1, max_size=8), min_size=1, max_size=20))
def test_a_feature_is_its_kind_and_its_words(tokens: list[str]) -> None:
    found = word_buckets(spelled(tokens))
    for token in tokens:
        assert bucket(f"w {token}") in found
    for left, right in pairwise(tokens):
        assert bucket(f"n {left} {right}") in found
    assert bucket(f"^ {' '.join(tokens[:3])}") in found
    assert bucket(f"$ {' '.join(tokens[-2:])}") in found


@pytest.mark.parametrize("before", ["ugh, long day.", "haha you're great!", "so tired..."])
def test_what_a_clause_begins_with_is_seen_wherever_it_stands(before: str) -> None:
    together = features(f"{before} how do i sort a list")
    for start in ("how", "how do", "how do i"):
        assert bucket(f"c {start}") in together.words
        assert bucket(f"e {start}") in together.words


def test_shorthand_of_chats_is_read_as_the_word() -> None:
    assert words(fold("do u like ur room pls")) == words(fold("do you like your room please"))


@pytest.mark.parametrize("sign", ["a ", "ab, ", "語", "🙂", "\ud800", "x" * 40 + " "])
def test_however_long_a_message_is_few_features_are_read(sign: str) -> None:
    found = features(sign * 100_000)
    assert len(found.words) <= 4 * MAX_TOKENS
    assert len(found.far) <= 48
    assert len(found.pieces) <= 900
    assert len(found.shape) <= 20


@pytest.mark.parametrize("filler", ["filler ", "無関係な話、"])
def test_both_ends_of_a_long_message_are_cut_into_pieces(filler: str) -> None:
    found = features(f"photosynthesis {filler * 500} kaleidoscope").pieces
    assert {*piece_buckets("photosynthesis"), *piece_buckets("kaleidoscope")} <= set(found)


@pytest.mark.parametrize("sign", ["a", "語", "\U00020000", "\U00010330", "\ud800"])
def test_the_pieces_of_a_word_fit_into_one_sum_of_sixteen_bits(sign: str) -> None:
    assert 255 * len(piece_buckets(sign * 1000)) < 1 << 16
