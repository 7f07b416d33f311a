"""Ideas that are too alike are dropped, and others are asked for in their place."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.replying.variety import TRIES, varied
from bot.creative.diversity import VARIED, distinct
from bot.creative.ideas import listed
from bot.creative.order import Order, Tool

KETTLE = "A kettle that hums the anthem of whoever holds it"
AGAIN = "A kettle which hums the anthem of whoever is holding it"
BRIDGE = "A bridge closed on Tuesdays when it visits its sister"
MOTH = "Moths hired as lamplighters strike for shorter nights"
SOUP = "Soup that writes back to its cook in noodles"


class Model:
    """Answers as it was told, and remembers what it was asked."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[int, tuple[str, ...]]] = []

    async def __call__(self, count: int, known: Sequence[str]) -> str:
        self.asked.append((count, tuple(known)))
        return self._answers.pop(0) if self._answers else ""


def order(count: int, *known: str) -> Order:
    return Order(Tool.BRAINSTORM, count=count, known=known)


async def test_ideas_that_differ_cost_no_further_generation() -> None:
    model = Model()
    found = await varied(listed([KETTLE, BRIDGE, MOTH]), order(3), model)
    assert found is not None
    assert found.ideas == (KETTLE, BRIDGE, MOTH)
    assert (found.dropped, found.asked_again, model.asked) == (0, 0, [])
    assert found.distinct_2 == distinct([KETTLE, BRIDGE, MOTH])


async def test_a_repeated_idea_is_replaced_by_one_that_knows_the_others() -> None:
    model = Model(f"1. {MOTH}")
    found = await varied(listed([KETTLE, AGAIN, BRIDGE]), order(3), model)
    assert found is not None
    assert found.ideas == (KETTLE, BRIDGE, MOTH)
    assert model.asked == [(1, (KETTLE, BRIDGE))]
    assert (found.dropped, found.asked_again) == (1, 1)


async def test_known_ideas_do_not_come_again() -> None:
    model = Model(MOTH)
    found = await varied(listed([AGAIN, BRIDGE]), order(2, KETTLE), model)
    assert found is not None
    assert found.ideas == (BRIDGE, MOTH)
    assert model.asked == [(1, (KETTLE, BRIDGE))]


async def test_a_model_that_repeats_itself_is_asked_no_more_than_twice() -> None:
    model = Model(listed([AGAIN, KETTLE]), listed([KETTLE, AGAIN]))
    found = await varied(listed([KETTLE, AGAIN, KETTLE]), order(3), model)
    assert found is not None
    assert found.ideas == (KETTLE,)
    assert len(model.asked) == found.asked_again == TRIES


async def test_ideas_of_one_mould_are_loosened() -> None:
    mould = [f"The old man who {verb} the sea and never comes home again" for verb in
             ("paints", "sells", "fears", "maps")]  # fmt: skip
    assert distinct(mould) < VARIED
    model = Model(BRIDGE, SOUP)
    found = await varied(listed(mould), order(2), model)
    assert found is not None
    assert found.distinct_2 > distinct(mould)


async def test_too_many_ideas_are_cut_to_the_ordered_number() -> None:
    found = await varied(listed([KETTLE, BRIDGE, MOTH, SOUP]), order(2), Model())
    assert found is not None
    assert found.ideas == (KETTLE, BRIDGE)


async def test_what_is_no_list_stands_as_it_is() -> None:
    assert await varied("I would rather not.", order(3), Model()) is None
