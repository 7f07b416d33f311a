"""The numbers of a vocabulary: those of a `dict`, in less memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.routing.vocabulary import Vocabulary


@given(st.lists(st.text(max_size=8)), st.lists(st.text(max_size=8)))
def test_it_knows_what_a_dict_knows(pieces: list[str], others: list[str]) -> None:
    known = Vocabulary(pieces)
    expected = {piece: number for number, piece in enumerate(pieces)}
    assert all(known.get(piece) == expected.get(piece) for piece in (*pieces, *others))


def test_a_full_vocabulary_keeps_its_pieces_apart() -> None:
    pieces = [f"##{number}" for number in range(30_000)]
    known = Vocabulary(pieces)
    assert [known[piece] for piece in pieces] == list(range(30_000))
    assert known.get("##30000") is None


def test_letters_of_the_same_bytes_are_kept_apart() -> None:
    latin, chinese = "eg", "\u6765"
    assert latin.encode() == chinese.encode("utf-16-le")
    assert Vocabulary([chinese]).get(latin) is None
    assert Vocabulary([latin]).get(chinese) is None


def test_a_piece_that_is_needed_and_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="UNK"):
        Vocabulary(["a", ""])["[UNK]"]
