"""A stand-in that speaks Ollama's protocol on loopback, for when no Ollama is there."""

from bot.adapters.ollama.rehearsal.compose import NOTE
from bot.adapters.ollama.rehearsal.server import Rehearsal

__all__ = ["NOTE", "Rehearsal"]
