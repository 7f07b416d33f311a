"""Notes of the program under a reply: they stand outside of its code, and are none of its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompting.small_print import code_closed, without_small_print

NOTE = "\n\n-# This was cut."
OPEN = "```python\nprint(1)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (OPEN + NOTE, f"{OPEN}\n```{NOTE}"),
        (f"{OPEN}\n```{NOTE}", f"{OPEN}\n```{NOTE}"),
        (f"{OPEN}{NOTE}\n-# An AI writes.", f"{OPEN}\n```{NOTE}\n-# An AI writes."),
        ("Done." + NOTE, "Done." + NOTE),
        (OPEN, OPEN),
    ],
    ids=["open", "closed", "two notes", "no code", "no note"],
)
def test_a_note_never_stands_within_code(text: str, shown: str) -> None:
    assert code_closed(text) == shown


lines = st.lists(st.sampled_from(["```", "```py", "x = 1", "", "words", "  ```"]), max_size=8)


@given(lines, st.booleans())
def test_closing_code_adds_nothing_else_and_is_done_once(body: list[str], noted: bool) -> None:
    text = "\n".join(body) + (NOTE if noted else "")
    shown = code_closed(text)
    assert code_closed(shown) == shown
    own, stored = without_small_print(shown), without_small_print(text)
    assert own in (stored, f"{stored}\n```")
    if noted:
        assert own.count("```") % 2 == 0


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Done.\n\n-# a\n\n-# b", "Done."),
        ("-# a\n-# b", "-# a"),
        ("\n\n-# a", ""),
        ("Done.\n-# a\n", "Done.\n-# a\n"),
        ("Done.\n-# a\nwords", "Done.\n-# a\nwords"),
        ("Done.\n-#a", "Done.\n-#a"),
        ("", ""),
    ],
)
def test_only_notes_at_the_end_are_none_of_the_words(text: str, own: str) -> None:
    assert without_small_print(text) == own


@pytest.mark.parametrize("unit", ["\n", "-# \n"])
def test_a_reply_of_many_lines_is_looked_through_once(unit: str) -> None:
    """A search that begins anew at each line takes minutes here."""
    text = unit * 400_000 + "end"
    assert without_small_print(text) == text
