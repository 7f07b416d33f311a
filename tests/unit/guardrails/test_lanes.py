"""Rows of small numbers in one integer: the same as with lists, number by number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.guardrails.lanes import HIGHEST, ZERO, Lanes

WIDE = 6
LANES = Lanes(WIDE)
BYTES = st.binary(min_size=WIDE, max_size=WIDE)
COUNTS = st.lists(st.integers(0, HIGHEST), min_size=WIDE, max_size=WIDE)
OFFSETS = st.lists(st.integers(-ZERO, HIGHEST - 3 * 255), min_size=WIDE, max_size=WIDE)


def counted(numbers: list[int]) -> int:
    """Return a row of numbers that are not negative."""
    return LANES.positive(LANES.row(numbers))


@given(COUNTS)
def test_a_row_holds_its_numbers_in_their_order(numbers: list[int]) -> None:
    assert LANES.numbers(counted(numbers)) == numbers


@given(BYTES, BYTES, BYTES, OFFSETS)
def test_three_rows_and_an_offset_add_up_and_what_is_negative_is_nothing(
    one: bytes, two: bytes, three: bytes, offset: list[int]
) -> None:
    row = LANES.positive(LANES.sum_of_three(one + two + three) + LANES.row(offset))
    expected = [max(0, sum(each)) for each in zip(one, two, three, offset, strict=True)]
    assert LANES.numbers(row) == expected


@given(COUNTS, COUNTS)
def test_the_higher_number_is_found_at_each_place(one: list[int], other: list[int]) -> None:
    higher = LANES.higher(counted(one), counted(other))
    assert LANES.numbers(higher) == [max(each) for each in zip(one, other, strict=True)]


def test_64_rows_of_the_highest_numbers_stay_in_their_lanes() -> None:
    row = counted([HIGHEST] * WIDE)
    assert LANES.numbers(sum([row] * 64)) == [64 * HIGHEST] * WIDE
