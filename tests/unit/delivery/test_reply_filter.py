"""Reasoning, leaked names and other people's lines never reach a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.reply_filter import ReasoningFilter, SpeakerFilter


def through(pieces: list[str], *filters: ReasoningFilter | SpeakerFilter) -> str:
    """Feed pieces through the filters in a row and return all that comes out."""
    out = ""
    for piece in pieces:
        for each in filters:
            piece = each.feed(piece)
        out += piece
    rest = ""
    for each in filters:
        rest = each.feed(rest) + each.close()
    return out + rest


def chunks(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("<think>hm</think>\n\nHello", "Hello"),
        ("<Thinking>a <b> c</THINKING>Yes", "Yes"),
        ("One <think>x</think>two", "One two"),
        ("<think>never closed", ""),
        ("a < b and <thin line", "a < b and <thin line"),
        ("a <", "a <"),
        ("", ""),
    ],
)
def test_reasoning_is_dropped_under_any_chunking(size: int, written: str, seen: str) -> None:
    assert through(chunks(written, size), ReasoningFilter()) == seen


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("Wren: The tide turns.", "The tide turns."),
        ("**Wren:** The tide turns.", "The tide turns."),
        ("**Wren**: The tide turns.", "The tide turns."),
        ("wren is a small bird", "wren is a small bird"),
        ("Wren", "Wren"),
        ("Sure.\nAlice: and then?\nWren: well", "Sure."),
        ("Sure.\n**Alice:** and then?", "Sure."),
        ("Sure.\nAlice went home.", "Sure.\nAlice went home."),
        ("Dear Alice: hello", "Dear Alice: hello"),
        ("Sure.\nAli", "Sure.\nAli"),
    ],
)
def test_names_are_cut_under_any_chunking(size: int, written: str, seen: str) -> None:
    assert through(chunks(written, size), SpeakerFilter(["Wren"], ["Alice", "Wren"])) == seen


def test_the_reply_ends_where_somebody_elses_line_begins() -> None:
    speakers = SpeakerFilter(["Wren"], ["Alice"])
    speakers.feed("Yes.\nAlice: no")
    assert speakers.ended
    assert speakers.feed("more") == ""


@given(st.text(alphabet="<think>/ \nWren:Alc", max_size=60), st.integers(1, 8))
def test_chunking_never_changes_the_result(text: str, size: int) -> None:
    def clean(pieces: list[str]) -> str:
        return through(pieces, ReasoningFilter(), SpeakerFilter(["Wren"], ["Alice"]))

    assert clean(chunks(text, size)) == clean([text] if text else [])


@given(st.text(alphabet="abc <>\n:", max_size=80))
def test_text_without_names_or_tags_only_loses_leading_space(text: str) -> None:
    assert through(chunks(text, 3), ReasoningFilter(), SpeakerFilter(["Wren"], ["Zoe"])) == (
        text.lstrip()
    )
