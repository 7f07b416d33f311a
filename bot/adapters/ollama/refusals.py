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
MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error for the caller. `sick`: the host is to blame, its breaker counts it."""

    error: BackendError
    sick: bool


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
    message = message_of(text)
    low = message.lower()
    if any(mark in low for mark in _OVERFLOW):
        return Refusal(ContextOverflow(f"{model}: {message}", backend=backend), sick=False)
    if status == 404 and "model" in low and "not found" in low:
        return Refusal(
            ModelMissing(f"{model} is not on this host; pull it there", backend=backend),
            sick=False,
        )
    if status in (404, 405):
        return Refusal(NotOffered(f"HTTP {status}: {message}", backend=backend), sick=True)
    if status in (401, 403):
        hint = "the host wants credentials; check OLLAMA_HEADERS"
        return Refusal(BackendUnavailable(f"HTTP {status}: {hint}", backend=backend), sick=True)
    if any(mark in low for mark in _OURS) or status in (400, 413, 422, 501):
        return Refusal(RequestRejected(f"HTTP {status}: {message}", backend=backend), sick=False)
    busy = status == 429 or "server busy" in low
    shown = "a page that is not Ollama's" if low.lstrip().startswith("<") else message
    return Refusal(BackendUnavailable(f"HTTP {status}: {shown}", backend=backend), sick=not busy)
