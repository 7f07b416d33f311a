"""Work that waits until a turn's request has gone out, or is done while others are at work."""

from __future__ import annotations

import asyncio

from bot.scheduling.afterwards import afterwards, meanwhile


async def test_it_comes_after_what_is_begun_later_in_the_same_moment() -> None:
    done: list[str] = []
    reached = asyncio.Event()

    async def written_by_a_task_of_the_client() -> None:
        await asyncio.sleep(0)
        done.append("request")

    afterwards(lambda: (done.append("afterwards"), reached.set()))
    await asyncio.create_task(written_by_a_task_of_the_client())
    await reached.wait()
    assert done == ["request", "afterwards"]


async def test_what_was_done_sooner_need_not_come_again() -> None:
    done: list[str] = []
    handle = afterwards(lambda: done.append("afterwards"))
    handle.cancel()
    reached = asyncio.Event()
    afterwards(reached.set)
    await reached.wait()
    assert done == []


async def test_what_is_done_meanwhile_comes_after_what_was_asked_for_at_the_same_moment() -> None:
    done: list[str] = []

    async def asks_in_a_task_of_its_own() -> None:
        await asyncio.sleep(0)  # others may ask, too
        await asyncio.create_task(sends())

    async def sends() -> None:
        done.append("asked")

    works = [lambda: done.append("rules"), lambda: done.append("route")]
    await asyncio.gather(asks_in_a_task_of_its_own(), meanwhile(*works))
    assert done == ["asked", "rules", "route"]
