"""One generation: prompt → slot → tokens on the wire, with the faults that were asked for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.fakes.ollama.cache import Slot
from tests.fakes.ollama.faults import Fault
from tests.fakes.ollama.record import Record
from tests.fakes.ollama.tokens import cut_messages, cut_tokens, render, tokenize
from tests.fakes.ollama.validate import Job, check_template, overflow

ODD = "a\u0085b\u2028c \U0001f9d9\u200d\u2642\ufe0f "
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
INSTANT_LINES = 32
"""Without a rate, lines leave in groups of this size; with one, a line a write."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens a second a stream, prompt tokens a second, and seconds before the first token."""

    rate: float | None = None
    prompt_rate: float | None = None
    first_token: float = 0.0


def prompt_of(job: Job) -> list[str]:
    """Return the prompt's tokens after Ollama's silent cuts. Raises Refusal."""
    messages = job.messages
    truncate = job.body.get("truncate") is not False
    if truncate:
        messages = cut_messages(messages, job.num_ctx)
    check_template(job.model, messages)
    tokens = render(messages)
    if len(tokens) > job.num_ctx:
        if not truncate:
            raise overflow(len(tokens), job.num_ctx)
        tokens = cut_tokens(tokens, job.num_ctx, int(job.options.get("num_keep", 4)))
    return tokens


def limited(job: Job, text: str, prompt: int) -> tuple[list[str], str]:
    """Apply stop words, num_predict and the end of the context. Return tokens and reason."""
    for stop in job.options.get("stop") or []:
        if stop and stop in text:
            text = text[: text.index(stop)]
    tokens, reason = list(tokenize(text)), "stop"
    limit = int(job.options.get("num_predict", -1))
    if 0 <= limit < len(tokens):
        tokens, reason = tokens[:limit], "length"
    if job.body.get("shift") is False and prompt + len(tokens) > job.num_ctx:
        tokens, reason = tokens[: max(0, job.num_ctx - prompt)], "length"
    return tokens, reason


@dataclass(slots=True)
class Generation:
    """Everything about one running answer."""

    job: Job
    request: web.Request
    record: Record
    fault: Fault | None
    pace: Pace
    slot: Slot
    load: float
    began: float
    response: web.StreamResponse | None = None
    pending: list[bytes] = field(default_factory=list)
    prompt_eval: float = 0.0
    eval_began: float = 0.0

    async def run(self, tokens: list[str], reason: str) -> web.StreamResponse:
        """Evaluate the prompt, send the tokens, and end as the fault says, or well."""
        await self._prefill()
        if not self.job.stream:
            return self._whole(tokens, reason)
        kind = self.fault.kind if self.fault else None
        if kind == "odd_text":
            tokens = [ODD, *tokens]
        if kind == "length":
            reason = "length"
        if self.job.think or kind == "thinking":
            for piece in ("Let me ", "think ", "about it."):
                await self._line(self._chunk("", thinking=piece))
        for at, token in enumerate(tokens):
            if kind is not None and at == self.fault.after and await self._strike(kind):  # type: ignore[union-attr]
                return self._ended()
            await self._wait(at)
            await self._line(self._chunk(token))
            self.record.generated += 1
            self.slot.tokens.append(token)
        if kind is not None and len(tokens) <= self.fault.after and await self._strike(kind):  # type: ignore[union-attr]
            return self._ended()
        await self._line(self._last(reason))
        return await self._finish("".join(tokens))

    # ── phases ──────────────────────────────────────────────────────────────────────────────

    async def _prefill(self) -> None:
        began = time.perf_counter()
        if self.fault and self.fault.kind == "slow":
            await asyncio.sleep(self.fault.seconds)
        if self.pace.prompt_rate:
            await asyncio.sleep(self.record.evaluated / self.pace.prompt_rate)
        if self.pace.first_token:
            await asyncio.sleep(self.pace.first_token)
        self.eval_began = time.perf_counter()
        self.prompt_eval = self.eval_began - began
        self.record.first_token_at = time.time()

    async def _wait(self, at: int) -> None:
        if self.pace.rate:
            due = self.eval_began + at / self.pace.rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def _strike(self, kind: str) -> bool:
        """Let the fault happen. True when the stream is over."""
        assert self.fault is not None
        match kind:
            case "stall":
                await self._flush()
                await asyncio.sleep(self.fault.seconds)
            case "blank_line":
                await self._raw(b"\n")
            case "length":
                await self._line(self._last("length"))
                return True
            case "error_line":
                await self._line({"error": self.fault.message})
                return True
            case "eof":
                return True
            case "truncated_json":
                await self._raw(b'{"model":"x","message":{"role":"assistant","content":"cut o')
                return True
            case "huge_line":
                await self._raw(b'{"x":"' + b"y" * self.fault.size)
                return True
            case "abort":
                await self._flush()
                if self.request.transport is not None:
                    self.request.transport.abort()
                return True
        return False

    def _ended(self) -> web.StreamResponse:
        self.record.outcome = "faulted"
        return self.response or web.StreamResponse()

    async def flush_end(self) -> None:
        """Send what is pending and end the body."""
        if self.pending:
            await self._flush()
        if self.response is None:
            await self._open()
        assert self.response is not None
        with suppress(ConnectionResetError):
            await self.response.write_eof()

    async def _finish(self, text: str) -> web.StreamResponse:
        await self._flush()
        self.record.text = text
        self.record.outcome = "done"
        assert self.response is not None
        await self.response.write_eof()
        return self.response

    # ── the wire ────────────────────────────────────────────────────────────────────────────

    async def _open(self) -> None:
        self.response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await self.response.prepare(self.request)

    async def _raw(self, data: bytes) -> None:
        self.pending.append(data)
        if self.pace.rate or len(self.pending) >= INSTANT_LINES:
            await self._flush()
            if not self.pace.rate:
                await asyncio.sleep(0)

    async def _line(self, value: dict[str, Any]) -> None:
        await self._raw(_COMPACT(value).encode() + b"\n")

    async def _flush(self) -> None:
        if self.response is None:
            await self._open()
        assert self.response is not None
        data, self.pending = b"".join(self.pending), []
        if data:
            await self.response.write(data)

    # ── the lines ───────────────────────────────────────────────────────────────────────────

    def _chunk(self, token: str, *, thinking: str = "") -> dict[str, Any]:
        line: dict[str, Any] = {"model": self.job.body["model"], "created_at": now()}
        if self.job.generate:
            line["response"] = token
        else:
            line["message"] = {"role": "assistant", "content": token}
            if thinking:
                line["message"]["thinking"] = thinking
        line["done"] = False
        if self.job.body.get("logprobs"):
            line["logprobs"] = [_logprob(token, int(self.job.body.get("top_logprobs") or 0))]
        return line

    def _last(self, reason: str) -> dict[str, Any]:
        line = self._chunk("")
        line.pop("logprobs", None)
        return line | {"done": True, "done_reason": reason} | self._counts()

    def _counts(self) -> dict[str, Any]:
        """Return durations in nanoseconds and counts; zero ones are absent, as in Go."""
        ended = time.perf_counter()
        found = {
            "total_duration": int((ended - self.began) * 1e9),
            "load_duration": int(self.load * 1e9),
            "prompt_eval_count": self.record.prompt_tokens,
            "prompt_eval_duration": int(self.prompt_eval * 1e9),
            "eval_count": self.record.generated,
            "eval_duration": int((ended - self.eval_began) * 1e9),
        }
        return {name: value for name, value in found.items() if value}

    def _whole(self, tokens: list[str], reason: str) -> web.StreamResponse:
        text = "".join(tokens)
        self.record.generated, self.record.text, self.record.outcome = len(tokens), text, "done"
        self.slot.tokens.extend(tokens)
        return json_response(self._last(reason) | self._content(text))

    def _content(self, text: str) -> dict[str, Any]:
        if self.job.generate:
            return {"response": text}
        return {"message": {"role": "assistant", "content": text}}


def _logprob(token: str, top: int) -> dict[str, Any]:
    label = token.strip()
    pairs = {"safe": "unsafe", "unsafe": "safe", "Yes": "No", "No": "Yes"}
    other = (pairs | {"A": "B", "B": "C", "C": "A"}).get(label, "the")
    found: dict[str, Any] = {"token": token, "logprob": -0.05, "bytes": list(token.encode())}
    ranked: Sequence[tuple[str, float]] = [(token, -0.05), (other, -3.02), (" a", -6.0)]
    found["top_logprobs"] = [{"token": t, "logprob": p} for t, p in ranked[:top]]
    return found


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def json_response(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        text=_COMPACT(value), status=status, content_type="application/json", charset="utf-8"
    )
