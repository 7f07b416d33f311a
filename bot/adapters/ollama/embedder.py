"""Texts to vectors over /api/embed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from bot.adapters.ollama.pool import OllamaPool
from bot.adapters.ollama.wire import FOREVER
from bot.errors import BackendUnavailable
from bot.ports import Embeddings

BATCH = 64
"""Texts in one request."""


class OllamaEmbedder:
    """Implements `ports.Embedder`. `dimensions` cuts Matryoshka models; None takes all."""

    def __init__(self, pool: OllamaPool, model: str, dimensions: int | None = None) -> None:
        self._pool = pool
        self._model = model
        self._dimensions = dimensions

    async def embed(self, texts: Sequence[str], *, timeout: float) -> Embeddings:
        """Return one unit vector a text. Texts beyond the model's context are cut there.

        Raises:
            BackendError: no host answered within `timeout` seconds, or not with vectors.
        """
        until = asyncio.get_running_loop().time() + timeout
        vectors: list[tuple[float, ...]] = []
        for at in range(0, len(texts), BATCH):
            left = until - asyncio.get_running_loop().time()
            vectors += await self._batch(list(texts[at : at + BATCH]), max(0.01, left))
        size = len(vectors[0]) if vectors else (self._dimensions or 0)
        if any(len(vector) != size for vector in vectors):
            raise BackendUnavailable("the hosts' vectors differ in length")
        return Embeddings(f"{self._model}@{size}", tuple(vectors))

    async def _batch(self, texts: list[str], timeout: float) -> list[tuple[float, ...]]:
        body: dict[str, Any] = {
            "model": self._model,
            # Lone surrogates have no UTF-8 form and would be refused as invalid JSON.
            "input": [text.encode("utf-8", "replace").decode() for text in texts],
            "truncate": True,
            "keep_alive": FOREVER,
        }
        if self._dimensions is not None:
            body["dimensions"] = self._dimensions
        answer, base = await self._pool.call("/api/embed", body, model=self._model, timeout=timeout)
        found = answer.get("embeddings")
        if not isinstance(found, list) or len(found) != len(texts):
            raise BackendUnavailable("the host did not send one vector a text", backend=base)
        return [_unit(vector, base) for vector in found]


def _unit(given: Any, base: str) -> tuple[float, ...]:
    try:
        vector = [float(value) for value in given]
        length = math.sqrt(sum(value * value for value in vector))
    except (TypeError, ValueError, OverflowError):
        raise BackendUnavailable("the host sent a vector of no numbers", backend=base) from None
    if not math.isfinite(length) or length == 0 or not vector:
        raise BackendUnavailable("the host sent a vector without a direction", backend=base)
    return tuple(value / length for value in vector)
