"""Pools and fakes for these tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest

from bot.adapters.ollama import OllamaPool
from bot.adapters.ollama.breaker import BreakerState
from bot.ports import ChatMessage, ChatRequest, Finished, Piece
from tests.fakes.ollama import FakeOllama

MODEL = "llama3.2:3b"


class Observed:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.first_tokens: list[tuple[str, float]] = []
        self.ends: list[tuple[Finished, float | None]] = []
        self.failures: list[tuple[str, str]] = []
        self.breakers: list[tuple[str, str]] = []

    def first_token(self, backend: str, seconds: float) -> None:
        self.first_tokens.append((backend, seconds))

    def finished(self, finished: Finished, estimated_reuse: float | None) -> None:
        self.ends.append((finished, estimated_reuse))

    def failed(self, backend: str, kind: str) -> None:
        self.failures.append((backend, kind))

    def breaker(self, backend: str, state: BreakerState) -> None:
        self.breakers.append((backend, state))


def ask(text: str = "How tall is K2?", **settings: Any) -> ChatRequest:
    """Return a request with a system message and one user message."""
    messages = (ChatMessage("system", "You are Mira."), ChatMessage("user", text))
    return ChatRequest(settings.pop("model", MODEL), messages, **settings)


async def told(pool: OllamaPool, request: ChatRequest) -> tuple[str, Finished]:
    """Return the whole reply and its end."""
    pieces: list[str] = []
    end: Finished | None = None
    async with aclosing(pool.stream(request)) as stream:
        async for event in stream:
            assert end is None, "nothing follows the end"
            if isinstance(event, Piece):
                pieces.append(event.text)
            else:
                end = event
    assert end is not None
    return "".join(pieces), end


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as fake:
        yield fake


@pytest.fixture
async def other() -> AsyncIterator[FakeOllama]:
    async with FakeOllama() as fake:
        yield fake


@pytest.fixture
def observed() -> Observed:
    return Observed()


PoolOf = Callable[..., Any]


@pytest.fixture
async def pool_of(observed: Observed) -> AsyncIterator[PoolOf]:
    """Return a function that opens a pool over fakes; pools are closed after the test."""
    async with AsyncExitStack() as stack:

        async def make(*fakes: FakeOllama, **changes: Any) -> OllamaPool:
            settings: dict[str, Any] = {
                "num_ctx": 4096,
                "num_parallel": 4,
                "first_token_timeout": 5.0,
                "token_timeout": 2.0,
                "observer": observed,
            }
            pool = OllamaPool([fake.url for fake in fakes], **(settings | changes))
            await pool.start()
            stack.push_async_callback(pool.close)
            return pool

        yield make
