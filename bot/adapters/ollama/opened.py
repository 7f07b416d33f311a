"""A pool for one errand on the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bot.adapters.ollama.pool import OllamaPool
from bot.settings import OllamaSettings


@asynccontextmanager
async def opened(settings: OllamaSettings, headers: Mapping[str, str]) -> AsyncIterator[OllamaPool]:
    """Give a started pool over the hosts of the settings, and close it."""
    pool = OllamaPool(
        settings.bases,
        num_ctx=settings.num_ctx,
        num_parallel=settings.num_parallel,
        headers=headers,
        first_token_timeout=settings.first_token_timeout,
        token_timeout=settings.token_timeout,
    )
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()
