"""The stand-in's server, on loopback only."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.adapters.ollama.host import tagged
from bot.adapters.ollama.rehearsal.compose import NOTE, compose
from bot.adapters.ollama.rehearsal.schema import fulfil
from bot.adapters.ollama.rehearsal.vectors import embed_text
from bot.adapters.ollama.rehearsal.voice import scene_of, words_of

VERSION = "0.0.0-rehearsal"
DIMENSIONS = 256
MAX_DIMENSIONS = 4096
MAX_BODY = 16 * 1024 * 1024
MAX_TEXTS = 512
_GUARDS = re.compile(r"guard|shieldgemma", re.IGNORECASE)
_TOKEN = re.compile(r"\s*\S{1,8}|\s+")
_CHARS_A_TOKEN = 4


class Rehearsal:
    """Speaks Ollama's protocol without a model, so that every other part is real.

    `rate` is in tokens a second; `models` are the names it claims to have. Any other name is
    played too, save guard models: a stand-in must never say that a text is safe. Equal
    conversations get equal replies for equal `seed`.
    """

    def __init__(self, rate: float = 40.0, *, models: Sequence[str] = (), seed: int = 0) -> None:
        self._rate = rate
        self._models = [tagged(model) for model in models if not _GUARDS.search(model)]
        self._seed = seed
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.get("/", self._home),
                web.get("/api/version", self._version),
                web.get("/api/tags", self._tags),
                web.get("/api/ps", self._tags),
                web.post("/api/show", self._show),
                web.post("/api/chat", self._chat),
                web.post("/api/embed", self._embed),
            ]
        )
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=1.0
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening; running replies break off. May be called twice."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @property
    def url(self) -> str:
        """Return the base URL; the stand-in must have been started."""
        return f"http://127.0.0.1:{self._port}"

    # ── routes ──────────────────────────────────────────────────────────────────────────────

    async def _home(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is not running; this is the rehearsal stand-in")

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": VERSION})

    async def _tags(self, _: web.Request) -> web.Response:
        names = self._models or ["rehearsal:latest"]
        return web.json_response({"models": [_entry(name) for name in names]})

    async def _show(self, request: web.Request) -> web.Response:
        body = await _body(request)
        model = _model(body)
        return web.json_response(
            {
                "details": _entry(model)["details"],
                "model_info": {
                    "general.architecture": "rehearsal",
                    "rehearsal.context_length": 131_072,
                    "rehearsal.embedding_length": DIMENSIONS,
                },
                "capabilities": ["completion", "embedding"],
            }
        )

    async def _embed(self, request: web.Request) -> web.Response:
        body = await _body(request)
        model, given = _model(body), body.get("input")
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise _error(400, "invalid input type")
        if len(texts) > MAX_TEXTS:
            raise _error(400, "too many inputs")
        size = body.get("dimensions", DIMENSIONS)
        if not isinstance(size, int) or not 1 <= size <= MAX_DIMENSIONS:
            raise _error(400, "invalid dimensions")
        vectors = await asyncio.to_thread(lambda: [embed_text(text, size) for text in texts])
        return web.json_response({"model": model, "embeddings": vectors})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        model = _model(body)
        messages = body.get("messages") or []
        if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
            raise _error(400, "json: cannot unmarshal messages")
        if not messages:
            return web.json_response(_line(model, "") | {"done": True, "done_reason": "load"})
        began = time.monotonic()
        tokens, reason = self._reply(body, messages)
        prompt = sum(len(str(message.get("content") or "")) for message in messages)
        counts = {"prompt_eval_count": 1 + prompt // _CHARS_A_TOKEN, "eval_count": len(tokens)}
        if body.get("stream") is False:
            return web.json_response(_line(model, "".join(tokens)) | _end(reason, began) | counts)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for at, token in enumerate(tokens):
            await asyncio.sleep(max(0.0, began + at / self._rate - time.monotonic()))
            await response.write(_bytes(_line(model, token)))
        await response.write(_bytes(_line(model, "") | _end(reason, began) | counts))
        await response.write_eof()
        return response

    def _reply(
        self, body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]
    ) -> tuple[list[str], str]:
        """Return the reply's tokens and why it ended."""
        options = body.get("options")
        options = options if isinstance(options, Mapping) else {}
        scene = scene_of(messages)
        seed = f"{self._seed}/{options.get('seed', len(messages))}"
        if body.get("format"):
            value = fulfil(body["format"], f"{seed}/{scene.said}", words_of(scene.said)[:24])
            return _TOKEN.findall(json.dumps(value, ensure_ascii=False)), "stop"
        tokens, reason = _TOKEN.findall(compose(scene, seed)), "stop"
        limit = options.get("num_predict", -1)
        if isinstance(limit, int) and 0 <= limit < len(tokens):
            tokens, reason = tokens[:limit], "length"
        return [*tokens, NOTE], reason


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise _error(400, "invalid JSON") from None
    if not isinstance(body, dict):
        raise _error(400, "json: cannot unmarshal into an object")
    return body


def _model(body: Mapping[str, Any]) -> str:
    name = body.get("model") or body.get("name")
    if not isinstance(name, str) or not name:
        raise _error(400, "model is required")
    if _GUARDS.search(name):
        raise _error(404, f"model '{name[:100]}' not found")
    return name


def _error(status: int, message: str) -> web.HTTPException:
    kind = web.HTTPNotFound if status == 404 else web.HTTPBadRequest
    return kind(text=json.dumps({"error": message}), content_type="application/json")


def _entry(name: str) -> dict[str, Any]:
    details = {"family": "rehearsal", "parameter_size": "0", "quantization_level": "none"}
    return {"name": name, "model": name, "size": 0, "digest": "rehearsal", "details": details}


def _line(model: str, text: str) -> dict[str, Any]:
    return {
        "model": model,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "message": {"role": "assistant", "content": text},
        "done": False,
    }


def _end(reason: str, began: float) -> dict[str, Any]:
    spent = int((time.monotonic() - began) * 1e9)
    return {"done": True, "done_reason": reason, "total_duration": spent, "eval_duration": spent}


def _bytes(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
