"""Whoever leaves stops the host at once, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from bot.errors import BackendUnavailable, StreamBroken
from tests.fakes import PATIENCE
from tests.fakes.ollama import FakeOllama
from tests.integration.ollama.conftest import PoolOf, ask, told


async def test_closing_the_generator_stops_the_host(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    ollama.set_pace(rate=20)

    async with aclosing(pool.stream(ask())) as stream:
        async for _ in stream:
            break

    await ollama.until(lambda: ollama.cancelled == 1, seconds=1)
    assert pool.status()[0].outstanding == 0


async def test_cancelling_the_task_stops_the_host(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    ollama.set_pace(rate=20)
    task = asyncio.create_task(told(pool, ask()))
    await ollama.until(lambda: any(record.generated for record in ollama.chats))

    task.cancel()

    await ollama.until(lambda: ollama.cancelled == 1, seconds=1)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert pool.status()[0].outstanding == 0


async def test_cancelling_during_the_prompt_stops_the_host(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama)
    ollama.set_pace(first_token=30)
    task = asyncio.create_task(told(pool, ask()))
    await ollama.until(lambda: len(ollama.chats) == 1)

    task.cancel()

    await ollama.until(lambda: ollama.cancelled == 1, seconds=1)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_leaving_early_costs_nobody_a_slot(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama, num_parallel=1)
    ollama.set_pace(rate=50)
    for _ in range(3):
        async with aclosing(pool.stream(ask())) as stream:
            async for _ in stream:
                break
    ollama.set_pace(rate=None)

    assert (await told(pool, ask()))[0]


async def test_a_finished_stream_gives_its_connection_back(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama)
    for _ in range(12):
        await told(pool, ask())
    polls = 3  # each opened a connection of its own, and all are used again
    assert len({record.peer for record in ollama.chats}) <= polls


async def test_closing_the_pool_breaks_what_runs(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama, token_timeout=60)
    ollama.set_pace(rate=20)
    task = asyncio.create_task(told(pool, ask()))
    await ollama.until(lambda: any(record.generated for record in ollama.chats))

    await pool.close()

    with pytest.raises(StreamBroken):
        await asyncio.wait_for(task, PATIENCE)
    with pytest.raises(BackendUnavailable):
        await told(pool, ask())


async def test_closing_the_pool_breaks_what_waits(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama, num_parallel=1, first_token_timeout=60)
    ollama.set_pace(first_token=30)
    tasks = [asyncio.create_task(told(pool, ask(text))) for text in ("a", "b")]
    await ollama.until(lambda: len(ollama.chats) == 1)

    await pool.close()

    for task in tasks:
        with pytest.raises(BackendUnavailable):
            await asyncio.wait_for(task, PATIENCE)
