"""Ready is only who can answer: a Redis that reads but takes no write is no help."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from bot.adapters.redis import Client
from bot.observability import Health, Metrics
from bot.opening import health_checks
from bot.opening.health_checks import expected_health, report_health
from bot.scheduling import FairQueue
from tests.fakes import PATIENCE
from tests.integration.redis.servers import free_port


class NoHosts:
    """A pool without hosts."""

    def status(self) -> tuple[()]:
        return ()


async def reason(health: Health, *, ok: bool) -> str:
    """Wait until Redis is said to be well, or not; return why."""
    async with asyncio.timeout(PATIENCE):
        while True:
            (check,) = [each for each in health.ready().checks if each.name == "redis"]
            if check.ok is ok and check.reason != "not reported yet":
                return check.reason
            await asyncio.sleep(0.02)


@asynccontextmanager
async def watched(redis: Client, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Health]:
    monkeypatch.setattr(health_checks, "HEALTH_EVERY", 0.05)
    health = expected_health()
    queue = FairQueue(lambda: 1)
    task = asyncio.create_task(
        report_health(health, redis, cast("Any", NoHosts()), queue, Metrics("0"))
    )
    try:
        yield health
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_full_redis_is_not_ready_until_there_is_room(
    redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watched(redis, monkeypatch) as health:
        assert await reason(health, ok=True) == "ok"
        await redis.config_set("maxmemory", 1)
        try:
            assert "OutOfMemoryError" in await reason(health, ok=False)
        finally:
            await redis.config_set("maxmemory", 0)
        await reason(health, ok=True)


async def test_a_replica_is_not_ready(redis: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async with watched(redis, monkeypatch) as health:
        await reason(health, ok=True)
        await redis.replicaof("127.0.0.1", free_port())
        try:
            assert "ReadOnlyError" in await reason(health, ok=False)
        finally:
            await redis.replicaof("NO", "ONE")
        await reason(health, ok=True)
