"""Long replies in parts: nothing lost, nothing torn, every fence closed."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.delivery.split import LIMIT, Part, is_visible, rest_after, says_something, split, units


def texts(text: str, **limits: int) -> list[str]:
    return [part.text for part in split(text, **limits)]


def body(part: Part) -> str:
    return part.text[len(part.opening) : len(part.text) - len(part.closing)]


def test_a_short_reply_is_one_part() -> None:
    assert texts("Hello there.") == ["Hello there."]


UNSEEN = ("\u200b", "\u2060", "\ufeff", "\u3164", "\u00ad", "\u2800", "\u115f", "\ufe0f")


@pytest.mark.parametrize("nothing", ["", " ", "\n\n", *UNSEEN, "\u2060\ufeff \n", "".join(UNSEEN)])
def test_nothing_to_see_makes_no_part(nothing: str) -> None:
    assert split(nothing) == []
    assert not is_visible(nothing)
    assert not says_something(nothing)


@pytest.mark.parametrize(
    "block", ["```", "```python", "\n```c++\n", "```\n```", "```\n\u200b\n```"]
)
def test_an_empty_code_block_says_nothing(block: str) -> None:
    assert is_visible(block)
    assert not says_something(block)


@pytest.mark.parametrize("text", ["Hm.", "🙂", "```x```", "```\nx\n```", "```python x", "❤\ufe0f"])
def test_whatever_can_be_read_says_something(text: str) -> None:
    assert says_something(text)


def test_a_cut_prefers_the_end_of_a_paragraph() -> None:
    first, second = "a" * 60 + ". " + "b" * 10, "c" * 50
    assert texts(f"{first}\n\n{second}", limit=100) == [first, second]


def test_then_the_end_of_a_line() -> None:
    assert texts("a" * 70 + "\n" + "b" * 50, limit=100) == ["a" * 70, "b" * 50]


def test_then_the_end_of_a_sentence() -> None:
    said = "One two three four five six seven eight nine. Then some more words that go on and on"
    assert texts(said + " and on and on and on.", limit=100)[0].endswith("nine.")


def test_then_a_word() -> None:
    parts = texts("word " * 40, limit=100)
    assert all(set(part.split()) == {"word"} for part in parts)


def test_words_without_spaces_are_cut_where_the_limit_is() -> None:
    assert [len(part) for part in texts("x" * 250, limit=100)] == [92, 92, 66]


def test_an_early_break_does_not_leave_a_stump() -> None:
    parts = texts("Hi.\n\n" + "word " * 60, limit=100)
    assert len(parts[0]) > 40


def test_a_fence_is_closed_and_opened_again_with_its_language() -> None:
    code = "\n".join(f"line_{i} = {i}" for i in range(40))
    parts = texts(f"Look:\n```python\n{code}\n```\nDone.", limit=200)
    assert len(parts) > 2
    assert parts[0].startswith("Look:\n```python\n")
    assert all(part.endswith("\n```") for part in parts[:-1])
    assert all(part.startswith("```python\n") for part in parts[1:-1])
    assert parts[-1].endswith("Done.")


@pytest.mark.parametrize("mark", ["||", "**"])
def test_markup_is_closed_and_opened_again(mark: str) -> None:
    said = " ".join(f"secret{i}" for i in range(400))
    parts = texts(f"Look: {mark}{said}{mark} Done.", limit=500)
    assert len(parts) > 4
    assert parts[0].startswith(f"Look: {mark}secret0 ")
    assert all(part.count(mark) == 2 for part in parts)
    assert all(part.startswith(mark) and part.endswith(mark) for part in parts[1:-1])
    assert parts[-1].endswith(f"{mark} Done.")


def test_a_spoiler_with_code_in_it_stays_one() -> None:
    parts = texts("||See:\n```py\n" + "x = 1\n" * 400 + "```\n||Done.", limit=300)
    assert all(part.startswith("||```py\n") for part in parts[1:-1])
    assert all(part.endswith("\n```||") for part in parts[:-1])


def test_markup_that_ends_where_a_part_ends_is_not_opened_again() -> None:
    for size in range(60, 200):
        parts = texts(
            "a ||" + "secret " * (size // 7) + "x" * (size % 7) + "|| " + "after " * 30, limit=120
        )
        assert not any(part.startswith("||||") for part in parts)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("**kwargs is", ""),
        ("a || b or", "c || d"),
        ("2**3 and", "2**4"),
        ("`||x` is", "||"),
        (r"\||x or", "||"),
        ("```\n||x\n```\n", "||"),
    ],
)
def test_what_is_no_markup_is_never_closed(text: str, end: str) -> None:
    parts = split(f"{text} " + "word " * 400 + end, limit=300)
    assert not any(part.opening or part.closing for part in parts)


def test_a_part_never_begins_with_an_empty_fence() -> None:
    for size in range(60, 200):
        parts = texts("```py\n" + "x = 1\n" * (size // 6) + "```\nafter " * 20, limit=120)
        assert not any(re.match(r"```\w*\n```", part) for part in parts)


def test_a_fence_that_is_still_being_written_is_closed_for_now() -> None:
    assert texts("```js\nlet a") == ["```js\nlet a\n```"]


@pytest.mark.parametrize(
    "whole",
    [
        "[the docs](https://example.org/a/long/path?with=query)",
        "https://example.org/a/long/path?with=query&and=more",
        "<https://example.org/a/long/path>",
        "<@123456789012345678>",
        "<:partyparrot:123456789012345678>",
        "||the butler did it with a candlestick||",
        "`a_long_piece_of_inline_code()`",
        "👩\u200d👩\u200d👧\u200d👦",
        "e\u0301",
        "🇩🇪",
    ],
)
def test_what_belongs_together_stays_together(whole: str) -> None:
    for before in range(50, 110):
        parts = texts("x" * before + whole + "y" * 60, limit=120)
        assert any(whole in part for part in parts), before


def test_a_link_longer_than_a_message_is_cut_all_the_same() -> None:
    text = "https://example.org/" + "a" * 300
    assert "".join(texts(text, limit=100)) == text


def test_the_limit_counts_utf16_units() -> None:
    parts = texts("🦊" * 1500)
    assert all(units(part) <= LIMIT for part in parts)
    assert "".join(parts) == "🦊" * 1500


def test_a_lone_surrogate_does_no_harm() -> None:
    assert "".join(texts("a\ud83e" * 1500)) == "a\ud83e" * 1500


def test_the_first_part_leaves_room_for_a_header() -> None:
    first, *rest = texts("x" * 300, limit=100, first=60)
    assert units(first) <= 60
    assert all(units(part) <= 100 for part in rest)


def test_a_growing_text_leaves_its_first_parts_alone() -> None:
    said = " ".join(f"Sentence number {i} of the tale goes on." for i in range(200))
    final = texts(said, limit=500)
    for length in range(1200, len(said), 97):
        assert texts(said[:length], limit=500)[:2] == final[:2]


def test_hostile_markup_takes_no_time() -> None:
    began = time.process_time()
    for evil in ("[" * 8000, "||" * 4000, "`" * 8000, "<@" * 4000, "https://" * 1000, "|" * 7999):
        split(evil)
    assert time.process_time() - began < 1.0


PIECES = st.sampled_from(
    [
        "word ",
        "word",
        "\n",
        "\n\n",
        "```",
        "```py\n",
        "\n```\n",
        "`code`",
        "||spoiler||",
        "||",
        " **",
        "[text](https://example.org/x)",
        "<@123456789012345678>",
        "Done. ",
        "🦊",
        "👩\u200d👧",
        " ",
        "\t",
        "|",
        "`",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=80).map("".join))
def test_whatever_comes_nothing_is_lost_and_nothing_too_long(text: str) -> None:
    parts = split(text, limit=100)
    assert "".join(text[part.start : part.end] for part in parts) == (text if parts else "")
    for part in parts:
        assert units(part.text) <= 100
        assert is_visible(body(part)) or "```" in part.text
        assert len(re.findall("```", part.text)) % 2 == 0
        assert body(part).strip() == text[part.start : part.end].strip()
    if is_visible(text):
        assert parts


@given(st.integers(1, 900), st.integers(0, 300))
@example(said=513, more=1)  # what stands there fills its message to the last character
def test_what_comes_after_the_messages_that_stand_there_is_all_that_is_missing(
    said: int, more: int
) -> None:
    text = " ".join(f"word{number}" for number in range(said + more))
    standing = texts(text[: len(" ".join(text.split()[:said]))])
    rest = rest_after(text, standing)
    assert " ".join(standing).split() + rest.split() == text.split()


def test_code_that_is_cut_off_goes_on_as_code() -> None:
    assert rest_after("```py\na = 1\nb = 2\n```", ["```py\na = 1\n```"]) == "```py\nb = 2\n```"


def test_a_spoiler_that_is_cut_off_goes_on_as_a_spoiler() -> None:
    text = f"||{'secret ' * 600}||"
    first = texts(text)[0]
    assert first.endswith("secret||")
    assert rest_after(text, [first]).startswith("||secret")


def test_a_text_that_was_changed_since_is_said_anew() -> None:
    assert rest_after("I'd rather not.", ["It is made of"]) == "I'd rather not."
