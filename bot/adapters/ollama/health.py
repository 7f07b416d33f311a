"""Asks every host, every few seconds, whether it is there and what it has."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import structlog

from bot.adapters.ollama.host import Host
from bot.adapters.ollama.http import call_json
from bot.errors import BackendError, BackendUnreachable

log = structlog.get_logger(__name__)

POLL_SECONDS = (5.0, 10.0)
"""Between two rounds, at random, so that several processes do not ask at once."""
SICK_POLL_SECONDS = 2.0
"""Between two rounds while a host is away."""
ALARM_SECONDS = 0.25
"""The shortest pause, however many requests fail."""
POLL_TIMEOUT = 2.0
MISSES = 2
"""Slow answers in a row before a host counts as away: it may only be busy."""


async def poll(session: aiohttp.ClientSession, host: Host) -> bool:
    """Refresh what is known of a host. True when it is back after it failed a check.

    A host whose checks never failed is not back: it answers these while its generations break,
    and its breaker must not close for that.
    """
    was_away, missed = not host.healthy, host.missed_polls > 0
    try:
        version, tags, ps = await asyncio.gather(
            _get(session, host, "/api/version"),
            _get(session, host, "/api/tags"),
            _get(session, host, "/api/ps"),
        )
    except BackendError as error:
        host.missed_polls += 1
        if isinstance(error, BackendUnreachable) or host.missed_polls >= MISSES or was_away:
            host.away(str(error))
        return False
    host.missed_polls = 0
    host.healthy, host.reason = True, None
    host.version = str(version.get("version") or "")[:40] or None
    host.models, host.loaded = names_of(tags), names_of(ps)
    return was_away and missed


async def watch(
    session: aiohttp.ClientSession,
    hosts: Sequence[Host],
    came_back: Callable[[Host], None],
    alarm: asyncio.Event,
) -> None:
    """Poll for ever; `alarm` shortens the pause, since a request just found a host gone."""
    while True:
        away = any(not host.healthy for host in hosts)
        pause = SICK_POLL_SECONDS if away else random.uniform(*POLL_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await alarm.wait()
            await asyncio.sleep(ALARM_SECONDS)
        alarm.clear()
        for host, back in zip(
            hosts, await asyncio.gather(*(_safe_poll(session, h) for h in hosts)), strict=True
        ):
            if back:
                host.breaker.recovered()
                log.info("backend is back", backend=host.base)
                came_back(host)


async def _safe_poll(session: aiohttp.ClientSession, host: Host) -> bool:
    try:
        return await poll(session, host)
    except Exception:
        # The watch must outlive whatever one host answers.
        log.exception("backend health not read", backend=host.base)
        host.away("its health answer can't be read")
        return False


async def _get(session: aiohttp.ClientSession, host: Host, path: str) -> dict[str, Any]:
    return await call_json(session, "GET", host.base, path, timeout=POLL_TIMEOUT)


def names_of(answer: dict[str, Any]) -> frozenset[str]:
    """Return the models that an answer of /api/tags or /api/ps lists."""
    models = answer.get("models")
    if not isinstance(models, list):
        return frozenset()
    names = (model.get("name") for model in models[:1000] if isinstance(model, dict))
    return frozenset(name for name in names if isinstance(name, str))
