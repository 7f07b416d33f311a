"""A model's summary is kept short, and whole."""

from __future__ import annotations

import pytest

from bot.chat.replying.summary import LONGEST, cleaned


@pytest.mark.parametrize(
    ("sentence", "end"),
    [
        ("Ada keeps the boat. ", "boat."),
        ("Ada asked why! ", "why!"),
        ("エイダは船を守る。", "守る。"),
    ],
)
def test_a_long_summary_ends_with_a_whole_sentence(sentence: str, end: str) -> None:
    kept = cleaned(sentence * 200)
    assert kept is not None
    assert kept.endswith(end)
    assert LONGEST - len(sentence) < len(kept) <= LONGEST


def test_one_endless_sentence_is_cut() -> None:
    assert cleaned("boat " * 500) == ("boat " * 500)[: LONGEST - 1] + "…"
