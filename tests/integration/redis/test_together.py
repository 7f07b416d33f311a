"""Commands that are asked for at the same moment travel together, each to its own answer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from bot.adapters.redis import Client, open_redis
from bot.adapters.redis.together import AT_ONCE
from tests.integration.redis.servers import free_port, server


async def connections(redis: Client) -> int:
    return len(await redis.client_list())


async def test_what_is_asked_for_at_once_needs_one_connection(redis: Client) -> None:
    answers = await asyncio.gather(*(redis.set(f"key {n}", n) for n in range(AT_ONCE)))
    assert all(answers)
    assert await connections(redis) == 1


async def test_each_gets_the_answer_to_its_own_command(redis: Client) -> None:
    await asyncio.gather(*(redis.set(f"key {n}", n) for n in range(3 * AT_ONCE)))
    asked = (redis.get(f"key {n}") for n in range(3 * AT_ONCE))
    assert await asyncio.gather(*asked) == [str(n).encode() for n in range(3 * AT_ONCE)]


async def test_commands_take_effect_in_the_order_in_which_they_were_asked_for(
    redis: Client,
) -> None:
    await asyncio.gather(*(redis.rpush("list", n) for n in range(20)))
    assert await redis.lrange("list", 0, -1) == [str(n).encode() for n in range(20)]


async def test_a_command_that_fails_fails_alone(redis: Client) -> None:
    await redis.set("text", "x")
    good, bad, other = await asyncio.gather(
        redis.get("text"), redis.hget("text", "field"), redis.exists("text"), return_exceptions=True
    )
    assert (good, other) == (b"x", 1)
    assert isinstance(bad, ResponseError)


@pytest.mark.parametrize("leaves", [0, 1], ids=["who asked first", "who asked second"])
@pytest.mark.parametrize("steps", range(6))
async def test_whoever_is_cancelled_takes_nobody_along(
    redis: Client, leaves: int, steps: int
) -> None:
    await redis.set("text", "x")
    tasks = [asyncio.ensure_future(redis.get("text")) for _ in range(3)]
    for _ in range(steps):
        await asyncio.sleep(0)
    tasks[leaves].cancel()
    others = [task for number, task in enumerate(tasks) if number != leaves]
    async with asyncio.timeout(2):
        assert await asyncio.gather(*others) == [b"x", b"x"]


async def test_all_are_answered_after_the_server_came_back(tmp_path: Path) -> None:
    port = free_port()
    with server(tmp_path / "first", port=port):
        redis = await open_redis(f"redis://127.0.0.1:{port}")
    with server(tmp_path / "second", port=port):
        assert await asyncio.gather(*(redis.incr(f"key {n}") for n in range(5))) == [1] * 5
    await redis.aclose()


async def test_what_was_handed_on_is_closed_with_the_client(tmp_path: Path) -> None:
    port = free_port()
    with server(tmp_path / "one", port=port):
        redis, other = [await open_redis(f"redis://127.0.0.1:{port}") for _ in range(2)]
        await asyncio.gather(*(redis.get(f"key {n}") for n in range(3 * AT_ONCE)))
        assert await connections(other) == 1 + 3
        await redis.aclose()
        async with asyncio.timeout(5):
            while await connections(other) > 1:
                await asyncio.sleep(0.01)
        await other.aclose()


async def test_a_pipeline_travels_whole_and_in_order_with_what_others_ask_for(
    redis: Client,
) -> None:
    batches = [redis.pipeline(transaction=False) for _ in range(3)]
    for number, batch in enumerate(batches):
        for each in range(AT_ONCE // 2 + 1):  # no two fit together
            batch.rpush(f"list {number}", each)
        batch.llen(f"list {number}")
    *answers, alone = await asyncio.gather(*(b.execute() for b in batches), redis.ping())
    assert alone
    assert await connections(redis) == 3
    assert [answer[-1] for answer in answers] == [AT_ONCE // 2 + 1] * 3
    for number in range(3):
        kept = await redis.lrange(f"list {number}", 0, -1)
        assert kept == [str(each).encode() for each in range(AT_ONCE // 2 + 1)]
    assert await redis.pipeline(transaction=False).execute() == []


async def test_a_pipeline_says_what_failed_and_the_rest_is_done(redis: Client) -> None:
    batch = redis.pipeline(transaction=False)
    batch.set("text", "x")
    batch.hget("text", "field")
    batch.set("other", "y")
    with pytest.raises(ResponseError):
        await batch.execute()
    assert await redis.mget("text", "other") == [b"x", b"y"]
