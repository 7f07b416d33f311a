"""Vectors of many texts at once, for evaluations on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bot.adapters.ollama.embedder import OllamaEmbedder
from bot.adapters.ollama.opened import opened
from bot.errors import SettingsRejected
from bot.settings import OllamaSettings

SECONDS_A_TEXT: Final = 2.0
"""How long a slow host may take for each."""


async def embed_all(
    texts: Sequence[str], settings: OllamaSettings, headers: Mapping[str, str]
) -> Sequence[Sequence[float]]:
    """Return one vector a text, from the hosts and the embedding model of the settings.

    Raises:
        SettingsRejected: OLLAMA_EMBED_MODEL is not set.
        BackendError: the hosts do not answer, or lack the model.
    """
    if settings.embed_model is None:
        raise SettingsRejected(["OLLAMA_EMBED_MODEL: needed for --embeddings ollama"])
    async with opened(settings, headers) as pool:
        embedder = OllamaEmbedder(pool, settings.embed_model)
        return (await embedder.embed(texts, timeout=60 + SECONDS_A_TEXT * len(texts))).vectors
