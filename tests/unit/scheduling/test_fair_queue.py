"""Slots go round by guild and person; nobody waits past their deadline."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import Busy
from bot.scheduling import FairQueue, Urgency, fair_queue
from tests.fakes import PATIENCE


async def take(queue: FairQueue, person: str, guild: str, log: list[str]) -> None:
    async with queue.slot(person, guild, timeout=5):
        log.append(f"{guild}:{person}")
        await asyncio.sleep(0)


async def run_all(queue: FairQueue, asked: list[tuple[str, str]]) -> list[str]:
    """Let all ask, in this order, while the only slot is taken; return the order of grants."""
    log: list[str] = []
    async with queue.slot("first", "first", timeout=1):
        tasks = []
        for person, guild in asked:
            tasks.append(asyncio.create_task(take(queue, person, guild, log)))
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return log


async def test_a_free_slot_is_granted_at_once() -> None:
    queue = FairQueue(lambda: 1)
    async with queue.slot("ann", "g", timeout=1) as slot:
        assert slot.waited < 1
        assert queue.running == 1
    assert queue.running == 0


async def test_guilds_take_turns_whatever_their_number_of_questions() -> None:
    asked = [("a", "busy")] * 4 + [("b", "quiet")]
    assert (await run_all(FairQueue(lambda: 1), asked))[:2] == ["busy:a", "quiet:b"]


async def test_people_of_a_guild_take_turns() -> None:
    asked = [("a", "g"), ("a", "g"), ("a", "g"), ("b", "g")]
    assert await run_all(FairQueue(lambda: 1), asked) == ["g:a", "g:b", "g:a", "g:a"]


async def test_idle_time_earns_no_credit() -> None:
    queue = FairQueue(lambda: 1)
    await run_all(queue, [("a", "old")] * 5)
    order = await run_all(queue, [("a", "old"), ("b", "new"), ("b", "new"), ("a", "old")])
    assert order == ["old:a", "new:b", "new:b", "old:a"] or order == [
        "old:a",
        "new:b",
        "old:a",
        "new:b",
    ]


async def test_waiting_past_the_deadline_says_busy_with_the_place() -> None:
    queue = FairQueue(lambda: 1)
    async with queue.slot("a", "g", timeout=1):
        with pytest.raises(Busy) as refused:
            async with queue.slot("b", "g", timeout=0.01):
                pass
    assert refused.value.place == 1
    assert "number 1" in refused.value.text
    assert queue.depth == 0


async def test_a_full_queue_refuses_at_once() -> None:
    queue = FairQueue(lambda: 1, limit=1)
    async with queue.slot("a", "g", timeout=1):
        waiting = asyncio.create_task(take(queue, "b", "g", []))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            async with queue.slot("c", "g", timeout=60):
                pass
    await waiting


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancelled_wait_gives_everything_back(steps: int) -> None:
    queue = FairQueue(lambda: 1)
    async with queue.slot("a", "g", timeout=1):
        task = asyncio.create_task(take(queue, "b", "g", []))
        await asyncio.sleep(0)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (queue.depth, queue.running) == (0, 0)
    await asyncio.wait_for(take(queue, "c", "g", []), PATIENCE)


async def test_more_capacity_lets_more_run_after_a_wake() -> None:
    size = 1
    queue = FairQueue(lambda: size)
    log: list[str] = []
    async with queue.slot("a", "g", timeout=1):
        task = asyncio.create_task(take(queue, "b", "g", log))
        await asyncio.sleep(0)
        assert not log
        size = 2
        queue.wake()
        await asyncio.wait_for(task, PATIENCE)
    assert log == ["g:b"]


async def test_a_direct_request_takes_the_place_of_an_overheard_one_never_the_reverse() -> None:
    reasons: list[str] = []
    queue = FairQueue(lambda: 1, limit=1, turned_away=reasons.append)

    async def ask(urgency: Urgency) -> None:
        async with queue.slot("p", "g", timeout=5, urgency=urgency):
            await asyncio.sleep(0)

    async with queue.slot("a", "g", timeout=1):
        overheard = asyncio.create_task(ask(Urgency.AMBIENT))
        await asyncio.sleep(0)
        direct = asyncio.create_task(ask(Urgency.DIRECT))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await overheard
        with pytest.raises(Busy):
            await ask(Urgency.AMBIENT)
    await direct
    assert reasons == ["displaced", "full"]


async def test_a_busy_guild_that_fills_the_line_makes_room_for_another() -> None:
    queue = FairQueue(lambda: 1, limit=3)
    log: list[str] = []
    async with queue.slot("first", "busy", timeout=1):
        crowd = [asyncio.create_task(take(queue, f"p{n}", "busy", log)) for n in range(3)]
        await asyncio.sleep(0)
        other = asyncio.create_task(take(queue, "q", "quiet", log))
        await asyncio.sleep(0)
    await other
    results = await asyncio.gather(*crowd, return_exceptions=True)
    assert [type(result) for result in results].count(Busy) == 1
    assert log[0] == "quiet:q"


async def test_who_waits_is_told_the_place_as_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_queue, "TELL_AFTER", 0.01)
    monkeypatch.setattr(fair_queue, "TELL_EVERY", 0.01)
    queue = FairQueue(lambda: 1)
    told: list[int] = []
    async with queue.slot("a", "g", timeout=1):
        before = asyncio.create_task(take(queue, "b", "g", []))
        await asyncio.sleep(0)

        async def wait() -> None:
            async with queue.slot("c", "g", timeout=5, told=lambda place, _: told.append(place)):
                pass

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.05)
        assert told == [2]
        before.cancel()
        await asyncio.sleep(0.05)
        assert told == [2, 1]
    await waiting


async def test_who_fails_while_being_told_takes_no_slot_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fair_queue, "TELL_AFTER", 0.01)
    queue = FairQueue(lambda: 1)

    def fails(place: int, seconds: float) -> None:
        raise LookupError(place)

    async with queue.slot("a", "g", timeout=1):
        with pytest.raises(LookupError):
            async with queue.slot("b", "g", timeout=1, told=fails):
                pass
        assert queue.depth == 0
    assert queue.running == 0
