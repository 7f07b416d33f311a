"""Slots of a model on a host, and the estimate of what the cache saved."""

from __future__ import annotations

import asyncio

import pytest

from bot.adapters.ollama.host import MAX_MODELS, Host, tagged
from bot.adapters.ollama.reuse import ReuseEstimator
from bot.adapters.ollama.slots import Slots
from bot.errors import BackendUnavailable
from bot.ports import Finished


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_first_come_first_served() -> None:
    slots = Slots(1, 8, backend="b")
    await slots.take(soon())
    order: list[int] = []

    async def one(number: int) -> None:
        await slots.take(soon())
        order.append(number)
        slots.give()

    tasks = [asyncio.create_task(one(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert (slots.busy, slots.waiting, slots.outstanding) == (1, 5, 6)
    slots.give()
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2, 3, 4]
    assert slots.outstanding == 0


async def test_a_full_queue_refuses_at_once() -> None:
    slots = Slots(1, 0, backend="b")
    await slots.take(soon())
    with pytest.raises(BackendUnavailable, match="queue full"):
        await slots.take(soon())


async def test_who_waits_too_long_leaves_no_trace() -> None:
    slots = Slots(1, 4, backend="b")
    await slots.take(soon())
    with pytest.raises(BackendUnavailable, match="deadline"):
        await slots.take(soon(0.01))
    slots.give()
    await slots.take(soon(0.01))
    assert (slots.busy, slots.waiting) == (1, 0)


async def test_who_is_cancelled_while_waiting_leaves_no_trace() -> None:
    slots = Slots(1, 4, backend="b")
    await slots.take(soon())
    task = asyncio.create_task(slots.take(soon()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    slots.give()
    await slots.take(soon(0.01))
    assert (slots.busy, slots.waiting) == (1, 0)


async def test_slots_of_many_models_are_not_kept_for_ever() -> None:
    host = Host("b", num_parallel=1, queue_limit=1, on_breaker=lambda *_: None)
    await host.slots("busy").take(soon())
    for number in range(3 * MAX_MODELS):
        host.slots(f"m{number}")
    assert host.slots("busy").busy == 1
    assert host.outstanding == 1


@pytest.mark.parametrize(
    ("given", "full"),
    [("a", "a:latest"), ("a:7b", "a:7b"), ("hub:5000/x/a", "hub:5000/x/a:latest")],
)
def test_a_name_without_tag_means_latest(given: str, full: str) -> None:
    assert tagged(given) == full


def end(tokens: int, seconds: float, model: str = "m") -> Finished:
    return Finished("stop", "b", model, tokens, 10, seconds + 1, 0.0, seconds, 1.0)


def test_the_first_prompt_teaches_what_a_token_costs() -> None:
    reuse = ReuseEstimator()
    assert reuse.estimate(end(1000, 2.0)) is None
    assert reuse.estimate(end(1000, 0.5)) == pytest.approx(0.75)
    assert reuse.estimate(end(1000, 2.0)) == pytest.approx(0.0, abs=0.02)


def test_models_are_learnt_apart() -> None:
    reuse = ReuseEstimator()
    reuse.estimate(end(1000, 2.0))
    assert reuse.estimate(end(1000, 0.1, model="small")) is None


def test_short_prompts_say_nothing() -> None:
    assert ReuseEstimator().estimate(end(20, 1.0)) is None


def test_a_dearer_prompt_is_no_negative_share_and_teaches() -> None:
    reuse = ReuseEstimator()
    reuse.estimate(end(1000, 1.0))
    assert reuse.estimate(end(1000, 4.0)) == 0.0
    assert reuse.estimate(end(1000, 1.0)) == pytest.approx(0.75)


def test_a_cost_seen_once_fades() -> None:
    reuse = ReuseEstimator()
    reuse.estimate(end(1000, 100.0))
    for _ in range(400):
        share = reuse.estimate(end(1000, 1.0))
    assert share is not None
    assert share < 0.1
