"""What stands in place of a reply that nobody goes on with."""

from __future__ import annotations

from bot.chat.notices import BROKEN_OFF, EXPIRED, INTERRUPTED, WAKING, small_print
from bot.chat.replying.breaking_off import broken_off
from bot.delivery.split import LIMIT, units
from bot.languages import reading, translated

MARK = f"\n\n-# {BROKEN_OFF}"


def left(shown: str, *, complete: bool = False) -> str | None:
    return broken_off(shown, LIMIT, complete=complete)


def test_what_was_said_is_marked_as_broken_off() -> None:
    assert left("It is about") == f"It is about{MARK}"


def test_what_is_complete_is_left_alone() -> None:
    assert left("It is 8,611 metres.", complete=True) is None


def test_a_promise_to_go_on_is_taken_back_in_the_language_it_was_made_in() -> None:
    with reading("de"):
        promised = f"Es ist\n\n{small_print(translated(INTERRUPTED))}"
        assert left(promised, complete=True) == f"Es ist\n\n-# {translated(BROKEN_OFF)}"


def test_a_line_about_the_wait_is_removed() -> None:
    assert left(small_print(WAKING)) == ""


def test_what_is_told_or_marked_already_is_so_once() -> None:
    assert left(EXPIRED) is None
    assert left(f"It is about{MARK}") == f"It is about{MARK}"


def test_no_code_block_stays_open_above_the_mark() -> None:
    assert left("```py\nprint(1)") == f"```py\nprint(1)\n```{MARK}"


def test_a_text_that_fills_its_message_makes_room_for_the_mark() -> None:
    made = left("word " * 399 + "end")
    assert made is not None
    assert made.endswith(f"word{MARK}")
    assert LIMIT - 16 < units(made) <= LIMIT
