"""Ollama: a pool of hosts that talk, embeddings, questions to a host, and the stand-in."""

from bot.adapters.ollama.admin import (
    ModelDetails,
    ModelInfo,
    answers,
    list_models,
    loaded,
    show,
    version,
)
from bot.adapters.ollama.classifier import OllamaClassifier
from bot.adapters.ollama.embedder import OllamaEmbedder
from bot.adapters.ollama.host import BackendStatus
from bot.adapters.ollama.pool import OllamaPool, PoolObserver
from bot.adapters.ollama.rehearsal import Rehearsal

__all__ = [
    "BackendStatus",
    "ModelDetails",
    "ModelInfo",
    "OllamaClassifier",
    "OllamaEmbedder",
    "OllamaPool",
    "PoolObserver",
    "Rehearsal",
    "answers",
    "list_models",
    "loaded",
    "show",
    "version",
]
