"""What an error answer means: whose fault it is decides what is tried next.

Ollama reports our mistakes as 400 and 500 alike, and a sick host as 500 too, so the message is
read before a breaker hears of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.errors import (
    BackendError,
    BackendUnavailable,
    ContextOverflow,
    ModelMissing,
    NotOffered,
    RequestRejected,
)

_OVERFLOW = (
    "exceed_context_size",
    "exceeds the available context size",
    "exceeds the context length",
    "exceeds maximum context length",
)
_OURS = (
    'option "',
    "must alternate",
    "system role",
    "jinja exception",
    "raise_exception",
    "template:",
    "does not support",
    "invalid role",
    "model is required",
    "cannot unmarshal",
    "invalid character",
    "invalid format",
    "failed to load model vocabulary required for format",
)
_OF_THE_HOST = (
    "llama runner",
    "runner process",
    "out of memory",
    "system memory",
    "server busy",
    "timed out",
    "not found",
    "not allowed",
    "unauthorized",
    "unable to",
    "failed to load",
    "error loading",
    "no space left",
    "connection refused",
    "upgrade",
)
"""What Ollama says of itself. Of any other message nobody knows whether it quotes a person."""
UNKNOWN = "an error that Troupe does not know: see the host's own log"
MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error for the caller. `sick`: the host is to blame, its breaker counts it."""

    error: BackendError
    sick: bool


def shown_of(text: str) -> str:
    """Return what may be shown and logged of an error answer: only what Ollama is known to say."""
    message = message_of(text)
    low = message.lower()
    if low.lstrip().startswith("<"):
        return "a page that is not Ollama's"
    known = any(mark in low for mark in (*_OVERFLOW, *_OURS, *_OF_THE_HOST))
    return message if known else UNKNOWN


def message_of(text: str) -> str:
    """Return the innermost error message: Ollama nests JSON in a string for some errors."""
    for _ in range(4):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            break
        inner = value.get("error", value.get("message")) if isinstance(value, dict) else value
        text = inner if isinstance(inner, str) else json.dumps(inner)
        if isinstance(inner, dict) and "message" in inner:
            kind = inner.get("type")
            text = f"{inner['message']}" + (f" ({kind})" if kind else "")
            break
    return " ".join(text.split())[:MAX_SHOWN]


def classify(status: int, text: str, *, backend: str, model: str) -> Refusal:
    """Return what an answer other than 200 means."""
    low, shown = message_of(text).lower(), shown_of(text)
    if any(mark in low for mark in _OVERFLOW):
        return Refusal(ContextOverflow(f"{model}: {shown}", backend=backend), sick=False)
    if status == 404 and "model" in low and "not found" in low:
        return Refusal(
            ModelMissing(f"{model} is not on this host; pull it there", backend=backend),
            sick=False,
        )
    if status in (404, 405):
        return Refusal(NotOffered(f"HTTP {status}: {shown}", backend=backend), sick=True)
    if status in (401, 403):
        hint = "the host wants credentials; check OLLAMA_HEADERS"
        return Refusal(BackendUnavailable(f"HTTP {status}: {hint}", backend=backend), sick=True)
    if any(mark in low for mark in _OURS) or status in (400, 413, 422, 501):
        return Refusal(RequestRejected(f"HTTP {status}: {shown}", backend=backend), sick=False)
    busy = status == 429 or "server busy" in low
    return Refusal(BackendUnavailable(f"HTTP {status}: {shown}", backend=backend), sick=not busy)
