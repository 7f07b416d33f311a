"""What must hold for new turns to be answered, looked at every few seconds."""

from __future__ import annotations

import asyncio

from bot.adapters.ollama import OllamaPool
from bot.adapters.redis import Client, keys
from bot.adapters.redis.connect import store_errors
from bot.errors import StoreError
from bot.observability import Health, Metrics
from bot.scheduling import FairQueue

HEALTH_EVERY = 5.0
"""Seconds between two looks."""
WRITE_TIMEOUT = 2.0


def expected_health() -> Health:
    """Return a health that waits for the checks of every face of the program."""
    health = Health()
    health.expect("loop", live=True, stale_after=10)
    for name in ("redis", "backend"):
        health.expect(name, stale_after=HEALTH_EVERY * 6)
    return health


async def report_health(
    health: Health, redis: Client, pool: OllamaPool, queue: FairQueue, metrics: Metrics
) -> None:
    """Report whether Redis takes writes and a host answers, and how many wait. Endless."""
    while True:
        try:
            await _write(redis)
        except StoreError as error:
            health.report("redis", False, str(error))
        else:
            health.report("redis", True)
        hosts = pool.status()
        healthy = any(host.healthy for host in hosts)
        reasons = "; ".join(f"{host.url}: {host.reason}" for host in hosts if host.reason)
        health.report("backend", healthy, reasons or ("ok" if healthy else "no host answers"))
        metrics.turns.queue_depth(queue.depth)
        await asyncio.sleep(HEALTH_EVERY)


async def _write(redis: Client) -> None:
    """Write something small: a full database, or a replica, answers a PING, but takes no turn."""
    with store_errors(redis):  # it also keeps a cancellation from being lost in redis-py
        async with asyncio.timeout(WRITE_TIMEOUT):
            await redis.set(keys.state("healthy"), 1, ex=60)
