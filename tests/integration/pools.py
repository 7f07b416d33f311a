"""Pools over fakes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.adapters.ollama import OllamaPool
from tests.fakes import PATIENCE


@asynccontextmanager
async def pool_over(*urls: str, **changes: Any) -> AsyncIterator[OllamaPool]:
    """Open a pool that is patient, save for `changes` of its settings."""
    settings: dict[str, Any] = {
        "num_ctx": 4096,
        "num_parallel": 4,
        "first_token_timeout": PATIENCE,
        "token_timeout": PATIENCE,
    }
    pool = OllamaPool(urls, **(settings | changes))
    try:
        await pool.start()
        yield pool
    finally:
        await pool.close()
