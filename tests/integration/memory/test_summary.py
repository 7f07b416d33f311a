"""Summaries come from what is stored, and hold nothing that was deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.adapters.ollama import OllamaPool
from bot.adapters.redis import Client, RedisConversations, Sealer
from bot.chat.place import MessageId
from bot.chat.turn import TurnId
from bot.memory import Summariser
from tests.fakes.ollama import FakeOllama
from tests.integration.redis.values import PLACE, exchange, said

MODEL = "llama3.2:3b"
TEXT = "Anna and Ben planned a picnic by the lake and chose Sunday."


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    async with FakeOllama([MODEL]) as fake:
        fake.reply_with(TEXT)
        yield fake


@pytest.fixture
async def conversations(redis: Client, sealer: Sealer) -> RedisConversations:
    store = RedisConversations(redis, sealer)
    for turn in range(100, 700, 100):
        await store.record(PLACE, exchange(turn, said(turn, f"words of turn {turn}")))
    return store


@pytest.fixture
async def summariser(
    ollama: FakeOllama, conversations: RedisConversations
) -> AsyncIterator[Summariser]:
    pool = OllamaPool(
        [ollama.url], num_ctx=4096, num_parallel=2, first_token_timeout=5.0, token_timeout=2.0
    )
    await pool.start()
    yield Summariser(pool, lambda: MODEL, conversations)
    await pool.close()


async def test_what_a_trim_leaves_out_is_summarised(
    summariser: Summariser, ollama: FakeOllama
) -> None:
    assert await summariser.summary(PLACE, TurnId("500")) == TEXT
    told = ollama.chats[-1].messages[-1]["content"]
    assert "words of turn 400" in told
    assert "words of turn 500" not in told


async def test_a_deleted_message_is_not_in_the_next_summary(
    summariser: Summariser, ollama: FakeOllama, conversations: RedisConversations
) -> None:
    await conversations.trim(PLACE, TurnId("500"), "words of turn 200 were said")
    await conversations.delete(PLACE, [MessageId(200)])
    await conversations.record(PLACE, exchange(150, said(150)))
    await summariser.summary(PLACE, TurnId("600"))
    assert "words of turn 200" not in ollama.chats[-1].messages[-1]["content"]


async def test_a_message_deleted_while_the_model_writes_costs_the_summary(
    summariser: Summariser, ollama: FakeOllama, conversations: RedisConversations
) -> None:
    ollama.set_pace(rate=None, first_token=0.3)
    writing = asyncio.create_task(summariser.summary(PLACE, TurnId("500")))
    await ollama.until(lambda: len(ollama.chats) == 1)
    await conversations.delete(PLACE, [MessageId(200)])
    assert await writing is None


async def test_a_short_or_failing_one_is_none(summariser: Summariser, ollama: FakeOllama) -> None:
    assert await summariser.summary(PLACE, TurnId("300")) is None
    ollama.fail_next("error", status=500, message="boom", times=-1)
    assert await summariser.summary(PLACE, TurnId("500")) is None


async def test_sensitive_summaries_are_not_kept(summariser: Summariser, ollama: FakeOllama) -> None:
    ollama.reply_with("Anna told everybody that she is pregnant and wants to keep it quiet.")
    assert await summariser.summary(PLACE, TurnId("500")) is None
