"""Summaries come from what is stored, and hold nothing that was deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.adapters.redis import Client, RedisConversations, Sealer
from bot.chat.place import MessageId
from bot.chat.replying.summary import Summariser
from bot.chat.turn import TurnId
from tests.fakes import PATIENCE
from tests.fakes.ollama import FakeOllama
from tests.integration.pools import pool_over
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
    async with pool_over(ollama.url) as pool:
        yield Summariser(pool, lambda: MODEL, conversations)


async def test_what_a_cut_leaves_out_is_summarised(
    summariser: Summariser, ollama: FakeOllama, conversations: RedisConversations
) -> None:
    assert await summariser.summarise(PLACE, TurnId("500"))
    kept = await conversations.load(PLACE)
    assert (kept.trimmed_to, kept.summary) == (TurnId("500"), TEXT)
    told = ollama.chats[-1].messages[-1]["content"]
    assert "words of turn 400" in told
    assert "words of turn 500" not in told


async def test_a_deletion_takes_the_summary_and_is_not_in_the_next(
    summariser: Summariser, ollama: FakeOllama, conversations: RedisConversations
) -> None:
    await summariser.summarise(PLACE, TurnId("500"))
    await conversations.record(PLACE, exchange(150, said(150)))
    await conversations.delete(PLACE, [MessageId(200)])
    assert (await conversations.load(PLACE)).summary is None
    assert await summariser.summarise(PLACE, TurnId("600"))
    assert "words of turn 200" not in ollama.chats[-1].messages[-1]["content"]


@pytest.mark.parametrize("what", ["deleted", "edited", "forgotten", "reset"])
async def test_what_is_taken_back_while_the_model_writes_costs_the_summary(
    summariser: Summariser, ollama: FakeOllama, conversations: RedisConversations, what: str
) -> None:
    ollama.set_pace(rate=None, first_token=0.3)
    writing = asyncio.create_task(summariser.summarise(PLACE, TurnId("500")))
    await ollama.until(lambda: len(ollama.chats) == 1)
    person = (await conversations.load(PLACE)).exchanges[0].said[0].speaker.id
    if what == "deleted":
        await conversations.delete(PLACE, [MessageId(200)])
    elif what == "edited":
        await conversations.edit(PLACE, MessageId(200), "other words")
    elif what == "reset":
        await conversations.reset(PLACE)
        await conversations.record(PLACE, exchange(900, said(900)))
    else:
        await conversations.delete_person(person)
    assert not await writing
    kept = await conversations.load(PLACE)
    assert (kept.trimmed_to, kept.summary) == (None, None)


async def test_new_turns_while_the_model_writes_cost_nothing(
    summariser: Summariser, ollama: FakeOllama, conversations: RedisConversations
) -> None:
    ollama.set_pace(rate=None, first_token=0.3)
    writing = asyncio.create_task(summariser.summarise(PLACE, TurnId("500")))
    await ollama.until(lambda: len(ollama.chats) == 1)
    await conversations.record(PLACE, exchange(900, said(900)))
    assert await writing


async def test_a_short_or_failing_one_is_none(summariser: Summariser, ollama: FakeOllama) -> None:
    assert not await summariser.summarise(PLACE, TurnId("300"))
    ollama.fail_next("error", status=500, message="boom", times=-1)
    assert not await summariser.summarise(PLACE, TurnId("500"))


async def test_sensitive_summaries_are_not_kept(summariser: Summariser, ollama: FakeOllama) -> None:
    ollama.reply_with("Anna told everybody that she is pregnant and wants to keep it quiet.")
    assert not await summariser.summarise(PLACE, TurnId("500"))


async def test_each_cut_is_summarised_once(
    summariser: Summariser, ollama: FakeOllama, conversations: RedisConversations
) -> None:
    working = asyncio.create_task(summariser.run())
    try:
        before = await conversations.load(PLACE)
        summariser.look(before, None, None)
        summariser.look(before, None, TurnId("600"))
        summariser.look(before, None, TurnId("600"))
        async with asyncio.timeout(PATIENCE):
            while (await conversations.load(PLACE)).summary is None:
                await asyncio.sleep(0.01)
        cut = await conversations.load(PLACE)
        summariser.look(cut, cut.trimmed_to, None)
        await asyncio.sleep(0.05)
        assert len(ollama.chats) == 1
        await conversations.delete(PLACE, [MessageId(100)])
        summariser.look(await conversations.load(PLACE), cut.trimmed_to, None)
        await ollama.until(lambda: len(ollama.chats) == 2)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
