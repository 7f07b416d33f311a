"""Ollama: a pool of hosts that talk, embeddings, questions to a host, and the stand-in."""

from bot.adapters.ollama.admin import answers, model_info, model_names
from bot.adapters.ollama.classifier import OllamaClassifier
from bot.adapters.ollama.embedder import OllamaEmbedder
from bot.adapters.ollama.host import BackendStatus
from bot.adapters.ollama.observer import PoolObserver
from bot.adapters.ollama.pool import OllamaPool
from bot.adapters.ollama.rehearsal import Rehearsal

__all__ = [
    "BackendStatus",
    "OllamaClassifier",
    "OllamaEmbedder",
    "OllamaPool",
    "PoolObserver",
    "Rehearsal",
    "answers",
    "model_info",
    "model_names",
]
