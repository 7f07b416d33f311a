"""Our requests in Ollama's words, and Ollama's lines in ours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import StreamBroken
from bot.ports import ChatMessage, ChatRequest, Finished, Piece, TokenProbability

LOAD_OPTIONS = frozenset(
    {"num_ctx", "num_batch", "num_thread", "num_gpu", "main_gpu", "use_mmap", "num_keep"}
)
"""Options that a request may not carry: a change of these reloads the model (`num_keep` does
not, but has its own field)."""

FOREVER = -1
"""`keep_alive`: the model stays loaded; every request must say so, or the last one decides."""

_NS = 1e-9
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def chat_body(request: ChatRequest, num_ctx: int) -> bytes:
    """Return the body of /api/chat.

    `truncate: false` turns a silently cut prompt into an error; `shift: false` ends a reply at
    the end of the context instead of forgetting the system message; `think: false` because
    Ollama thinks by default on models that can (gpt-oss hears only `low`, `medium` and `high`).
    """
    options: dict[str, Any] = {
        name: value for name, value in request.options.items() if name not in LOAD_OPTIONS
    }
    if request.num_keep is not None:
        options["num_keep"] = request.num_keep
    body = load_body(request.model, num_ctx) | {
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        "think": request.think or False,
        "truncate": False,
        "options": options | load_options(num_ctx),
    }
    if request.format is not None:
        body["format"] = request.format
    if request.logprobs:
        body["logprobs"] = True
        body["top_logprobs"] = min(request.logprobs, 20)
    return _JSON.encode(body).encode("utf-8", "replace")


def load_options(num_ctx: int) -> dict[str, Any]:
    """Return the options that decide how a model is loaded: the same in every request."""
    return {"num_ctx": num_ctx}


def load_body(model: str, num_ctx: int) -> dict[str, Any]:
    """Return the body that loads a model and keeps it: no messages."""
    return {
        "model": model,
        "messages": [],
        "stream": False,
        "keep_alive": FOREVER,
        "shift": False,
        "options": load_options(num_ctx),
    }


def _message(message: ChatMessage) -> dict[str, Any]:
    found: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        found["images"] = list(message.images)
    return found


def parse_line(line: bytes) -> dict[str, Any]:
    """Return the line's object.

    Raises:
        StreamBroken: it is no JSON object.
    """
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise StreamBroken("the host sent a line that is no JSON") from None
    if not isinstance(value, dict):
        raise StreamBroken("the host sent a line that is no JSON object")
    return value


def piece_of(line: Mapping[str, Any]) -> Piece | None:
    """Return the line's text, or None when it holds none.

    Raises:
        StreamBroken: the message is not what Ollama sends.
    """
    message = line.get("message")
    if message is None:
        return None
    if not isinstance(message, dict):
        raise StreamBroken("the host sent a message that is no object")
    text, thinking = message.get("content") or "", message.get("thinking") or ""
    if not (isinstance(text, str) and isinstance(thinking, str)):
        raise StreamBroken("the host sent content that is no text")
    if not text and not thinking:
        return None
    logprobs = line.get("logprobs")
    return Piece(_clean(text), _clean(thinking), _logprobs(logprobs) if logprobs else ())


def plain_piece(line: bytes) -> Piece | None:
    """Return the piece of a line that holds nothing else; None for an end, an error, or noise."""
    try:
        value = parse_line(line)
        if value.get("done") is True or "error" in value or "logprobs" in value:
            return None
        return piece_of(value)
    except StreamBroken:
        return None


def finished_of(line: Mapping[str, Any], *, backend: str, model: str) -> Finished:
    """Return the end of the stream, from the line with `done: true`.

    A zero count is absent on the wire. Durations are nanoseconds there.

    Raises:
        StreamBroken: the reason is none that ends a reply.
    """
    reason = line.get("done_reason", "stop")
    if reason not in ("stop", "length"):
        raise StreamBroken(f"the generation ended for an unknown reason: {str(reason)[:40]}")
    return Finished(
        reason=reason,
        backend=backend,
        model=model,
        prompt_tokens=int(_number(line, "prompt_eval_count")),
        reply_tokens=int(_number(line, "eval_count")),
        total=_number(line, "total_duration") * _NS,
        load=_number(line, "load_duration") * _NS,
        prompt_eval=_number(line, "prompt_eval_duration") * _NS,
        eval=_number(line, "eval_duration") * _NS,
    )


def _number(line: Mapping[str, Any], name: str) -> float:
    value = line.get(name, 0)
    sane = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e18
    return value if sane else 0


def _clean(text: str) -> str:
    """Replace lone surrogates: no store and no socket takes them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _logprobs(given: Any) -> tuple[TokenProbability, ...]:
    try:
        return tuple(
            TokenProbability(
                _clean(str(one["token"])), float(one["logprob"]), _tops(one.get("top_logprobs"))
            )
            for one in given[:64]
        )
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        raise StreamBroken("the host sent log-probabilities that can't be read") from None


def _tops(given: Sequence[Mapping[str, Any]] | None) -> tuple[tuple[str, float], ...]:
    return tuple((_clean(str(t["token"])), float(t["logprob"])) for t in (given or ())[:20])
