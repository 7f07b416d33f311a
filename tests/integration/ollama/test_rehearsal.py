"""The stand-in at its socket: it speaks Ollama's protocol, so the pool needs no other path."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import aiohttp
import pytest

from bot.adapters.ollama import (
    OllamaEmbedder,
    OllamaPool,
    Rehearsal,
    answers,
    model_info,
    model_names,
)
from bot.adapters.ollama.rehearsal import NOTE
from bot.errors import ModelMissing
from tests.fakes import PATIENCE
from tests.integration.ollama.conftest import MODEL, ask, told
from tests.integration.pools import pool_over


@pytest.fixture
async def stand_in() -> AsyncIterator[Rehearsal]:
    rehearsal = Rehearsal(rate=4000, models=[MODEL, "llama-guard3:1b"])
    await rehearsal.start()
    yield rehearsal
    await rehearsal.close()


@pytest.fixture
async def pool(stand_in: Rehearsal) -> AsyncIterator[OllamaPool]:
    async with pool_over(stand_in.url) as found:
        yield found


async def test_a_reply_ends_with_a_visible_note(pool: OllamaPool) -> None:
    await pool.warm(MODEL)

    text, end = await told(pool, ask("Alice: how do lighthouses work?"))

    assert text.endswith(NOTE)
    assert NOTE.startswith("\n-# rehearsal")
    assert "ighthouses" in text
    assert end.prompt_tokens > 0
    assert end.total > 0


async def test_equal_conversations_get_equal_replies(pool: OllamaPool) -> None:
    request = ask("I had a long day by the sea")
    assert (await told(pool, request))[0] == (await told(pool, request))[0]
    assert (await told(pool, request))[0] != (await told(pool, ask("what a lighthouse")))[0]


async def test_json_comes_without_a_note(pool: OllamaPool) -> None:
    schema = {
        "type": "object",
        "required": ["route"],
        "properties": {"route": {"enum": ["factual", "creative", "companion"]}},
    }
    text, _ = await told(pool, ask(format=schema))
    assert json.loads(text)["route"] in ("factual", "creative", "companion")


async def test_the_note_stands_even_under_a_cut_reply(pool: OllamaPool) -> None:
    text, end = await told(pool, ask(options={"num_predict": 3}))
    assert end.reason == "length"
    assert text.endswith(NOTE)


async def test_tokens_come_at_the_rate() -> None:
    slow = Rehearsal(rate=20)
    await slow.start()
    loop = asyncio.get_running_loop()
    async with pool_over(slow.url) as pool, aclosing(pool.stream(ask())) as stream:
        await anext(stream)
        began = loop.time()
        for _ in range(4):
            await anext(stream)
    await slow.close()
    assert 0.1 < loop.time() - began < 0.6


async def test_it_plays_any_model_but_no_guard(stand_in: Rehearsal, pool: OllamaPool) -> None:
    assert (await told(pool, ask(model="whatever:70b")))[0]
    with pytest.raises(ModelMissing):
        await told(pool, ask(model="llama-guard3:1b"))
    assert await model_names(stand_in.url, {}) == (MODEL,)


async def test_embeddings_and_questions_work(stand_in: Rehearsal, pool: OllamaPool) -> None:
    found = await OllamaEmbedder(pool, "embeddinggemma", 64).embed(
        ["tea", "rain"], timeout=PATIENCE
    )
    assert (found.space, len(found.vectors)) == ("embeddinggemma@64", 2)
    assert (await model_info(stand_in.url, MODEL, {}))["rehearsal.context_length"] > 0
    assert await answers(stand_in.url, {})


async def test_hostile_requests_are_refused(stand_in: Rehearsal) -> None:
    bodies = [
        ("/api/chat", b""),
        ("/api/chat", b"["),
        ("/api/chat", b"[]"),
        ("/api/chat", b"[" * 50_000),
        ("/api/chat", b'{"model": 5}'),
        ("/api/chat", b'{"model": "m", "messages": ["x"]}'),
        ("/api/embed", b'{"model": "m", "input": 5}'),
        ("/api/embed", b'{"model": "m", "input": ["x"], "dimensions": 1000000000}'),
        ("/api/embed", json.dumps({"model": "m", "input": ["x"] * 10_000}).encode()),
    ]
    async with aiohttp.ClientSession() as session:
        for path, body in bodies:
            async with session.post(stand_in.url + path, data=body) as response:
                assert response.status == 400, body[:60]
                assert "error" in await response.json()
        huge = {"model": "m", "messages": [{"role": "user", "content": 5}], "options": 7}
        async with session.post(stand_in.url + "/api/chat", json=huge) as response:
            assert response.status == 200


async def test_leaving_and_closing_are_clean(stand_in: Rehearsal, pool: OllamaPool) -> None:
    async with aclosing(pool.stream(ask())) as stream:
        await anext(stream)
    await stand_in.close()
    await stand_in.close()
    assert not await answers(stand_in.url, {})
