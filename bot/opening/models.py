"""The models that talk: the configured hosts, or the rehearsal stand-in where none is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from bot.adapters.ollama import (
    OllamaPool,
    Rehearsal,
    answers,
)
from bot.observability import Metrics
from bot.settings import Settings

log = structlog.get_logger(__name__)

REHEARSAL_MODEL = "rehearsal"


@dataclass(frozen=True, slots=True)
class Models:
    """What talks. `rehearsal` is true when the stand-in does."""

    pool: OllamaPool
    name: str
    rehearsal: bool
    bases: Sequence[str]
    headers: Mapping[str, str]


async def open_models(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Models:
    """Open the pool; without any configured host that answers, over the rehearsal stand-in."""
    ollama = settings.ollama
    headers = ollama.header_values
    bases, name, rehearsal = ollama.bases, ollama.model, False
    if not ollama.hosts_configured and not await answers(bases[0], headers):
        stand_in = Rehearsal(models=(REHEARSAL_MODEL,))
        await stand_in.start()
        stack.push_async_callback(stand_in.close)
        bases, name, rehearsal = [stand_in.url], REHEARSAL_MODEL, True
        log.warning("no Ollama answers: the rehearsal stand-in replies", tried=ollama.bases)
    pool = OllamaPool(
        bases,
        num_ctx=ollama.num_ctx,
        num_parallel=ollama.num_parallel,
        headers=headers,
        first_token_timeout=ollama.first_token_timeout,
        token_timeout=ollama.token_timeout,
        observer=metrics.pool,
    )
    for base in bases:  # a breaker tells of changes only; to alerts a host without one is absent
        metrics.pool.breaker(base, "closed")
    await pool.start()
    stack.push_async_callback(pool.close)
    return Models(pool, name, rehearsal, bases, headers)
