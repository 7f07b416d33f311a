"""Validation in Ollama's order: JSON → model name → exists → unload → capability → options."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.ollama.catalogue import FakeModel, full_name
from tests.fakes.ollama.scheduler import FOREVER

LOAD_OPTIONS = ("num_ctx", "num_batch", "num_thread", "num_gpu", "main_gpu", "use_mmap")
_INTEGERS = {
    *("num_ctx", "num_batch", "num_thread", "num_gpu", "main_gpu", "num_keep", "num_predict"),
    *("seed", "top_k", "repeat_last_n"),
}
_FLOATS = {
    *("temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty"),
    "frequency_penalty",
}
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Job:
    """A valid chat or generate request."""

    model: FakeModel
    body: Mapping[str, Any]
    messages: list[dict[str, Any]]
    options: dict[str, Any]
    load_options: tuple[tuple[str, object], ...]
    num_ctx: int
    keep_alive: float
    think: bool
    stream: bool
    generate: bool = False


def parse_body(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        raise Refusal(400, "missing request body")
    try:
        body = json.loads(raw)
    except ValueError:
        first = raw.decode("utf-8", "replace").strip()[:1]
        raise Refusal(400, f"invalid character '{first}' looking for beginning of value") from None
    if not isinstance(body, dict):
        raise Refusal(400, "json: cannot unmarshal array into Go value of type api.ChatRequest")
    return body


def find_model(models: Mapping[str, FakeModel], body: Mapping[str, Any]) -> FakeModel:
    name = body.get("model") or body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise Refusal(400, "model is required")
    model = models.get(full_name(name))
    if model is None:
        raise Refusal(404, f"model '{name}' not found")
    return model


def keep_alive_of(body: Mapping[str, Any], default: float) -> float:
    """Return seconds; negative values mean for ever."""
    value = body.get("keep_alive")
    if value is None:
        return default
    if isinstance(value, str):
        parts = _DURATION.findall(value)
        if not parts:
            raise Refusal(400, f'time: invalid duration "{value}"')
        value = sum(float(number) * _UNITS[unit] for number, unit in parts)
    return FOREVER if float(value) < 0 else float(value)


def job_of(model: FakeModel, body: Mapping[str, Any], *, keep_alive: float, num_ctx: int) -> Job:
    """Check capability, think and options. Raises Refusal."""
    generate = "prompt" in body and "messages" not in body
    if not model.can("completion"):
        raise Refusal(400, f'"{model.name}" does not support chat')
    if body.get("tools") and not model.can("tools"):
        raise Refusal(400, f"registry.ollama.ai/library/{model.name} does not support tools")
    options = {**model.parameters, **(body.get("options") or {})}
    think = _think(model, body)
    check_options(options)
    ctx = min(int(options.get("num_ctx") or num_ctx), model.context_length)
    load = [(name, options[name]) for name in LOAD_OPTIONS if name in options]
    load.append(("shift", body.get("shift", True)))
    return Job(
        model,
        body,
        _messages(model, body, generate),
        options,
        tuple(load),
        ctx,
        keep_alive,
        think,
        body.get("stream", True) is not False,
        generate,
    )


def _think(model: FakeModel, body: Mapping[str, Any]) -> bool:
    wanted = body.get("think")
    if wanted and not model.can("thinking"):
        raise Refusal(400, f'"{model.name}" does not support thinking')
    if not model.can("thinking"):
        return False
    if model.name.startswith("gpt-oss"):
        return True  # only low, medium, high are heard; true and false are not
    return wanted is not False


def _messages(model: FakeModel, body: Mapping[str, Any], generate: bool) -> list[dict[str, Any]]:
    if generate:
        system = body.get("system") or model.system
        found = [{"role": "system", "content": system}] if system else []
        prompt = body.get("prompt")
        return found + ([{"role": "user", "content": prompt}] if prompt else [])
    messages = body.get("messages") or []
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise Refusal(
            400, "json: cannot unmarshal string into Go struct field ChatRequest.messages"
        )
    for message in messages:
        if message.get("role") not in {"system", "user", "assistant", "tool"}:
            raise Refusal(400, f'invalid role "{message.get("role")}"')
        if not isinstance(message.get("content", ""), str):
            raise Refusal(400, "json: cannot unmarshal into Go struct field Message.content")
    if messages and model.system and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": model.system}, *messages]
    return messages


def check_options(options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _INTEGERS and not number:
            raise Refusal(500, f'option "{name}" must be of type integer')
        if name in _FLOATS and not number:
            raise Refusal(500, f'option "{name}" must be of type float32')
        if name == "stop" and not isinstance(value, list):
            raise Refusal(500, 'option "stop" must be of type array')


def check_template(model: FakeModel, messages: list[dict[str, Any]]) -> None:
    """Refuse, on strict models, what their templates refuse."""
    if not model.strict:
        return
    roles = [message["role"] for message in messages]
    if "system" in roles[1:]:
        raise _jinja("System role not supported in the middle of a conversation")
    turns = roles[1:] if roles and roles[0] == "system" else roles
    alternating = all(r == ("user", "assistant")[at % 2] for at, r in enumerate(turns))
    if not turns or not alternating or turns[-1] != "user":
        raise _jinja("Conversation roles must alternate user/assistant/user/assistant/...")


def _jinja(reason: str) -> Refusal:
    inner = {"code": 500, "message": f"Jinja Exception: {reason}", "type": "server_error"}
    return Refusal(500, json.dumps({"error": inner}))


def overflow(tokens: int, num_ctx: int) -> Refusal:
    """Return the 400 of `truncate: false`: JSON within a string."""
    inner = {
        "code": 400,
        "message": f"request ({tokens} tokens) exceeds the available context size "
        f"({num_ctx} tokens), try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": tokens,
        "n_ctx": num_ctx,
    }
    return Refusal(400, json.dumps({"error": inner}))
