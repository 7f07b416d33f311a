"""Where history begins."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.prompting import plan_trim


@pytest.mark.parametrize(
    ("costs", "budget", "start"),
    [
        ([], 10, 0),
        ([5, 5], 10, 0),
        ([5, 5, 5], 10, 2),
        ([1] * 11, 10, 6),
        ([1, 1, 9], 10, 2),
        ([1, 1, 20], 10, 3),
        ([20, 1, 1], 10, 1),
    ],
)
def test_history_is_halved_when_it_overflows(costs: list[int], budget: int, start: int) -> None:
    assert plan_trim(costs, budget) == start


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(0, 300))
@settings(max_examples=200, deadline=None)
def test_what_is_kept_fits_and_is_the_newest(costs: list[int], budget: int) -> None:
    start = plan_trim(costs, budget)
    assert 0 <= start <= len(costs)
    assert sum(costs[start:]) <= budget
    if sum(costs) > budget and start < len(costs) - 1:
        assert sum(costs[start:]) <= budget // 2 + costs[-1]


def test_the_prefix_stays_for_many_turns() -> None:
    """A conversation of equal turns is cut once in many turns, not once a turn."""
    start, cuts, costs = 0, 0, [10]
    for _ in range(200):
        costs.append(10)
        moved = plan_trim(costs[start:], 400)
        cuts += moved > 0
        start += moved
    assert cuts <= 10
