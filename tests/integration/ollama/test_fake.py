"""The fake keeps to what a real server was seen to do."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.fakes import PATIENCE
from tests.fakes.ollama import FakeModel, FakeOllama


class Client:
    """Plain HTTP against a fake."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._session.post(self._base + path, data=data) as response:
            return response.status, json.loads((await response.text()).splitlines()[-1])

    async def chat(self, text: str = "hi", **more: Any) -> tuple[int, Any]:
        messages = [{"role": "user", "content": text}]
        return await self.post(
            "/api/chat", {"model": "llama3.2:3b", "messages": messages, "stream": False} | more
        )

    async def get(self, path: str) -> tuple[int, str]:
        async with self._session.get(self._base + path) as response:
            return response.status, await response.text()


@pytest.fixture
async def client(ollama: FakeOllama) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(session, ollama.url)


async def test_validation_goes_in_ollamas_order(client: Client) -> None:
    assert await client.post("/api/chat", b"") == (400, {"error": "missing request body"})
    status, _ = await client.post("/api/chat", b"nope")
    assert status == 400
    assert await client.post("/api/chat", {}) == (400, {"error": "model is required"})
    assert await client.chat(model="x", options={"num_ctx": "a"}) == (
        404,
        {"error": "model 'x' not found"},
    )
    assert (await client.chat(think=True))[0] == 400
    assert await client.chat(options={"stop": "x"}) == (
        500,
        {"error": 'option "stop" must be of type array'},
    )


async def test_unknown_routes_answer_as_gin_does(client: Client) -> None:
    assert await client.get("/nope") == (404, "404 page not found")
    assert await client.get("/api/chat") == (405, "405 method not allowed")


async def test_an_empty_chat_loads_and_unloads(client: Client, ollama: FakeOllama) -> None:
    _, loaded = await client.chat(messages=[], keep_alive=-1)
    assert loaded["done_reason"] == "load"
    assert "llama3.2:3b" in (await client.get("/api/ps"))[1]
    _, unloaded = await client.chat(messages=[], keep_alive=0)
    assert unloaded["done_reason"] == "unload"
    assert json.loads((await client.get("/api/ps"))[1]) == {"models": []}


async def test_keep_alive_runs_out(client: Client, ollama: FakeOllama) -> None:
    await client.chat(keep_alive="50ms")
    await ollama.until(lambda: not ollama.scheduler.runners)


async def test_load_options_reload_and_others_do_not(client: Client, ollama: FakeOllama) -> None:
    await client.chat(options={"num_ctx": 2048})
    await client.chat(options={"num_ctx": 2048, "temperature": 1, "num_keep": 9})
    assert ollama.loads == 1
    await client.chat(options={"num_ctx": 4096})
    await client.chat(options={"num_ctx": 4096}, shift=False)
    assert ollama.loads == 3


async def test_models_of_one_blob_share_a_runner(client: Client, ollama: FakeOllama) -> None:
    await client.post(
        "/api/create", {"model": "mira", "from": "llama3.2:3b", "system": "You are Mira."}
    )
    await client.chat(model="mira")
    await client.chat()
    # The derived model names its parent's blob; the parent's own name is that blob.
    assert ollama.loads == 1
    assert ollama.chats[0].prompt_tokens > ollama.chats[1].prompt_tokens


async def test_who_leaves_during_a_load_aborts_it(client: Client, ollama: FakeOllama) -> None:
    ollama.scheduler.load_seconds = 30
    task = asyncio.create_task(client.chat())
    await ollama.until(lambda: len(ollama.requests) == 1)
    await asyncio.sleep(0.02)
    task.cancel()
    await ollama.until(lambda: ollama.scheduler.aborted_loads == 1)
    assert ollama.loads == 0


async def test_only_cold_models_are_busy(client: Client, ollama: FakeOllama) -> None:
    ollama.scheduler.max_queue = 0
    status, answer = await client.chat()
    assert status == 503
    assert answer["error"].startswith("server busy")

    ollama.scheduler.max_queue = 1
    await client.chat()
    ollama.scheduler.max_queue = 0
    ollama.set_pace(first_token=0.05)
    statuses = [status for status, _ in await asyncio.gather(*(client.chat() for _ in range(12)))]
    assert statuses == [200] * 12
    assert ollama.peak == 4


async def test_overflow_is_silent_unless_truncate_is_false(
    client: Client, ollama: FakeOllama
) -> None:
    long = "word " * 10_000
    status, answer = await client.chat(long, options={"num_ctx": 2048})
    assert (status, answer["prompt_eval_count"]) == (200, 1027)
    status, answer = await client.chat(long, options={"num_ctx": 2048}, truncate=False)
    assert status == 400
    assert json.loads(answer["error"])["error"]["type"] == "exceed_context_size_error"


async def test_shift_false_ends_at_the_end_of_the_context(
    client: Client, ollama: FakeOllama
) -> None:
    ollama.reply_with("word " * 500)
    _, answer = await client.chat(options={"num_ctx": 64}, shift=False)
    assert answer["done_reason"] == "length"
    assert answer["prompt_eval_count"] + answer["eval_count"] == 64


async def test_strict_templates_refuse_other_orders(ollama: FakeOllama, client: Client) -> None:
    ollama.add_model(FakeModel("strict", strict=True))
    wrong = [
        ["assistant"],
        ["user", "user"],
        ["user", "system", "user"],
        ["system"],
        ["user", "assistant"],
    ]
    for roles in wrong:
        messages = [{"role": role, "content": "x"} for role in roles]
        status, answer = await client.chat(model="strict", messages=messages)
        assert status == 500, roles
        assert "Jinja" in answer["error"]
    good = [{"role": role, "content": "x"} for role in ("system", "user", "assistant", "user")]
    assert (await client.chat(model="strict", messages=good))[0] == 200


@pytest.mark.parametrize(
    ("model", "bad", "good"),
    [
        ("llama-guard3:1b", "unsafe\nS9", "safe"),
        ("granite3-guardian:2b", "Yes", "No"),
        ("granite3.3-guardian:8b", "<score> yes </score>", "<score> no </score>"),
        ("shieldgemma:2b", "Yes", "No"),
    ],
)
async def test_guard_models_answer_in_their_own_words(
    client: Client, ollama: FakeOllama, model: str, bad: str, good: str
) -> None:
    ollama.add_model(model)
    assert (await client.chat("how to build a bomb", model=model))[1]["message"]["content"] == bad
    assert (await client.chat("how to bake bread", model=model))[1]["message"]["content"] == good


async def test_scripts_go_to_their_kind(client: Client, ollama: FakeOllama) -> None:
    ollama.reply_with(lambda body: f"you said {body['messages'][-1]['content']}")
    ollama.reply_next("first")
    ollama.reply_with('{"a": 1}', kind="json")
    replies = [
        (await client.chat("one"))[1]["message"]["content"],
        (await client.chat("two"))[1]["message"]["content"],
        (await client.chat("three", format={"type": "object"}))[1]["message"]["content"],
    ]
    assert replies == ["first", "you said two", '{"a": 1}']


async def test_the_control_api_steers_it(client: Client, ollama: FakeOllama) -> None:
    await client.post("/_control/replies", {"standing": "from outside", "next": ["once"]})
    await client.post("/_control/faults", [{"kind": "error", "status": 500, "contains": "boom"}])
    assert (await client.chat())[1]["message"]["content"] == "once"
    assert (await client.chat("boom"))[0] == 500
    assert (await client.chat("boom"))[1]["message"]["content"] == "from outside"
    assert (await client.post("/_control/faults", {"nope": 1}))[0] == 400
    stats = json.loads((await client.get("/_control/stats"))[1])
    assert (stats["total"], stats["finished"], stats["loads"]) == (3, 2, 1)
    log = json.loads((await client.get("/_control/requests?since=1&bodies=0"))[1])["requests"]
    assert [record["outcome"] for record in log] == ["refused", "done"]
    assert "body" not in log[0]
    await client.post("/_control/reset", {})
    assert ollama.requests == []


async def test_it_runs_as_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.ollama", "--reply", "hello", "--rate", "400"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
        base = line.rsplit(" ", 1)[-1].strip()
        async with aiohttp.ClientSession() as session:
            assert (await Client(session, base).chat())[1]["message"]["content"] == "hello"
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
