"""What is forgotten leaves nothing behind, by command and by a wish in chat."""

from __future__ import annotations

import pytest

from bot.errors import InvalidChoice, NotFound
from bot.memory import Kind
from bot.memory.notebook import MOST_FORGOTTEN
from tests.integration.memory.conftest import ANNA, HERE, Company, noted


async def left(company: Company) -> str:
    return " | ".join(f"{item.text} {item.context}" for item in await company.items(ANNA))


async def test_our_reply_to_what_is_forgotten_goes_with_it_and_comes_back_with_it(
    company: Company,
) -> None:
    await company.agrees()
    await company.says("I have a dog named Poppy", reply="Poppy is a lovely name for a dog!")
    await company.reads(noted("I have a dog named Poppy"))
    await company.says("she likes to run in the park", reply="Good.")
    [fact] = await company.items(ANNA, Kind.FACT)
    before = await company.items(ANNA)
    undo = await company.memory.notebook.forget(ANNA.id, HERE, fact.id)
    assert await left(company) == "she likes to run in the park "
    await company.memory.notebook.undo(ANNA.id, undo)
    assert sorted(await company.items(ANNA)) == sorted(before)


async def test_replies_that_speak_of_what_is_to_be_forgotten_go(company: Company) -> None:
    await company.agrees()
    await company.says("I have a dog named Poppy", reply="How sweet.")
    await company.says("yes and she barks a lot", reply="Poppy barks, right.")
    await company.says("most of all at night", reply="I see.")
    await company.says("forget about Poppy")
    assert "Poppy" not in await left(company)
    assert await company.texts(ANNA) == ["yes and she barks a lot", "most of all at night"]


async def test_a_whole_line_of_older_values_goes_with_their_messages(company: Company) -> None:
    await company.agrees()
    for town in ("Berlin", "Lisbon", "Porto"):
        await company.says(f"I live in {town}")
        await company.reads(noted(f"I live in {town}", kind="profile", slot="location"))
    [home] = await company.items(ANNA, Kind.PROFILE)
    assert len(await company.items(ANNA, Kind.SUPERSEDED)) == 2
    await company.memory.notebook.forget(ANNA.id, HERE, home.id)
    assert await company.items(ANNA) == []


async def test_another_fact_from_the_same_message_stays(company: Company) -> None:
    await company.agrees()
    await company.says("I have a job in Berlin and a dog called Poppy")
    await company.reads(noted("I have a job in Berlin"), noted("a dog called Poppy"))
    [job, _] = await company.items(ANNA, Kind.FACT)
    await company.memory.notebook.forget(ANNA.id, HERE, job.id)
    assert await company.texts(ANNA) == ["a dog called Poppy"]


async def test_one_goes_back_step_by_step_to_what_was_replaced(company: Company) -> None:
    await company.agrees()
    notebook = company.memory.notebook
    for town in ("Berlin", "Lisbon", "Porto"):
        await company.says(f"I live in {town}")
        await company.reads(noted(f"I live in {town}", kind="profile", slot="location"))
    for now, earlier in (("Porto", "Lisbon"), ("Lisbon", "Berlin")):
        [(item, old)] = await notebook.replaced(ANNA.id, HERE)
        assert (item.text, old.text) == (f"I live in {now}", f"I live in {earlier}")
        _, undo = await notebook.go_back(ANNA.id, HERE, item.id)
    assert await company.texts(ANNA, Kind.PROFILE) == ["I live in Berlin"]
    assert await notebook.replaced(ANNA.id, HERE) == []
    await notebook.undo(ANNA.id, undo)
    assert await company.texts(ANNA, Kind.PROFILE) == ["I live in Lisbon"]


async def test_too_much_at_once_is_refused_and_nothing_is_lost(company: Company) -> None:
    await company.agrees()
    for number in range(MOST_FORGOTTEN + 1):
        await company.says(f"I am number {number} and like the sea")
    with pytest.raises(InvalidChoice, match="11 memories"):
        await company.memory.notebook.forget_matching(ANNA.id, "number and sea")
    assert len(await company.items(ANNA)) == MOST_FORGOTTEN + 1
    with pytest.raises(NotFound, match="nothing like that"):
        await company.memory.notebook.forget_matching(ANNA.id, "the moon")


async def test_what_is_too_long_is_refused_whole(company: Company) -> None:
    await company.agrees()
    await company.says("Remember that " + "I am going to the long long sea " * 8)
    assert await company.items(ANNA) == []
