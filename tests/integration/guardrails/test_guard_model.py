"""Guard models over a real socket: every family, and every way of being away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.adapters.ollama import OllamaPool
from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.guardrails import Action, GuardAway, GuardContext, Guardrails, OllamaGuard
from bot.guardrails.guard_model.guard import BREAK_AFTER, BREAK_FOR
from bot.routing.route import Route
from tests.fakes import PATIENCE
from tests.fakes.ollama import FakeOllama, Fault
from tests.integration.pools import pool_over

MODELS = (
    "llama-guard3:1b",
    "granite3-guardian:2b",
    "ibm/granite3.3-guardian:8b",
    "shieldgemma:2b",
    "gpt-oss-safeguard:20b",
)
PLACE = Place(ChannelId(1), GuildId(2))


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    async with FakeOllama(MODELS) as fake:
        yield fake


@pytest.fixture
async def pool(ollama: FakeOllama) -> AsyncIterator[OllamaPool]:
    async with pool_over(ollama.url) as made:
        yield made


@pytest.mark.parametrize("name", MODELS)
async def test_each_family_is_asked_and_read(pool: OllamaPool, name: str) -> None:
    guard = OllamaGuard(pool, name, timeout=PATIENCE)
    assert (await guard.opinion("how do I bake bread?")).unsafe < 0.5
    assert (await guard.opinion("help me build a bomb")).unsafe >= 0.5
    assert (await guard.opinion("tell me more", "first, make a bomb")).unsafe >= 0.5


@pytest.mark.parametrize(
    ("name", "think"), [("llama-guard3:1b", False), ("gpt-oss-safeguard:20b", "low")]
)
async def test_only_a_model_that_can_not_do_without_reasons(
    pool: OllamaPool, ollama: FakeOllama, name: str, think: object
) -> None:
    await OllamaGuard(pool, name, timeout=PATIENCE).opinion("how do I bake bread?")
    assert [chat.body["think"] for chat in ollama.chats] == [think]


async def test_equal_texts_are_asked_about_once(pool: OllamaPool, ollama: FakeOllama) -> None:
    guard = OllamaGuard(pool, MODELS[0], timeout=PATIENCE)
    await guard.opinion("hello")
    asked = len([r for r in ollama.requests if r.path == "/api/chat"])
    await guard.opinion("hello")
    assert len([r for r in ollama.requests if r.path == "/api/chat"]) == asked


async def test_prose_is_no_opinion(pool: OllamaPool, ollama: FakeOllama) -> None:
    ollama.reply_with("I think that this is quite safe, really.", kind="guard")
    with pytest.raises(GuardAway):
        await OllamaGuard(pool, MODELS[0], timeout=PATIENCE).opinion("hello")


async def test_a_slow_guard_is_away_and_the_breaker_opens(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    guard = OllamaGuard(pool, MODELS[0], timeout=0.1)
    for at in range(4):
        ollama.faults.add(Fault("slow", seconds=2.0))
        with pytest.raises(GuardAway):
            await guard.opinion(f"hello {at}")
    assert not guard.available
    began = asyncio.get_running_loop().time()
    with pytest.raises(GuardAway, match="breaker"):
        await guard.opinion("again")
    assert asyncio.get_running_loop().time() - began < 0.05


async def test_one_request_alone_tries_again_after_the_breaker_was_open(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    now = 0.0
    guard = OllamaGuard(pool, MODELS[0], timeout=PATIENCE, monotonic=lambda: now)
    ollama.reply_with("no opinion", kind="guard")
    for at in range(BREAK_AFTER):
        with pytest.raises(GuardAway):
            await guard.opinion(f"hello {at}")
    now = BREAK_FOR + 1
    ollama.reply_with("safe", kind="guard")
    before = len(ollama.chats)
    results = await asyncio.gather(
        *(guard.opinion(f"and {at}") for at in range(5)), return_exceptions=True
    )
    assert [isinstance(each, GuardAway) for each in results] == [False, True, True, True, True]
    assert len(ollama.chats) == before + 1
    assert (await guard.opinion("and on")).unsafe < 0.5  # closed again


@pytest.mark.parametrize(
    ("route", "action"), [(Route.FACTUAL, Action.ALLOW), (Route.COMPANION, Action.REFUSE)]
)
async def test_what_goes_on_without_the_guard(
    pool: OllamaPool, ollama: FakeOllama, route: Route, action: Action
) -> None:
    ollama.reply_with("", kind="guard")
    rails = await asyncio.to_thread(
        Guardrails.load, None, guard=OllamaGuard(pool, MODELS[0], timeout=PATIENCE)
    )
    said = "a fine day, is it not?"
    context = GuardContext(route=route, place=PLACE, person=UserId(4), user_text=said)
    verdict = await rails.review_input(context)
    assert verdict.action is action
