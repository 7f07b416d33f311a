"""A real Redis for every integration test: one private server a test process, emptied a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.adapters.redis import Client, EmbeddedRedis, Sealer, open_redis


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of this test process's server."""
    directory: Path = tmp_path_factory.mktemp("redis")
    server = EmbeddedRedis(directory)
    yield await server.start()
    await server.stop()


@pytest.fixture
async def redis(redis_server_url: str) -> AsyncIterator[Client]:
    """A client of an empty database."""
    client = await open_redis(redis_server_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def redis_url(redis_server_url: str, redis: Client) -> str:
    """The URL of an empty database, for processes and services that connect by themselves."""
    return redis_server_url


@pytest.fixture
def sealer() -> Sealer:
    """A sealer with one key."""
    return Sealer([("test", bytes(range(32)))])
