"""The fake's HTTP side: routes, the request log, start and stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

from aiohttp import web

from bot.adapters.ollama.rehearsal.vectors import embed_text
from tests.fakes import PATIENCE
from tests.fakes.ollama.catalogue import FakeModel, full_name, guess
from tests.fakes.ollama.control import control_routes
from tests.fakes.ollama.faults import Fault, FaultPlan
from tests.fakes.ollama.generate import Generation, Pace, json_response, limited, now, prompt_of
from tests.fakes.ollama.info import show_body, tag_entry
from tests.fakes.ollama.record import Log, Record
from tests.fakes.ollama.replies import Script, Scripts
from tests.fakes.ollama.scheduler import FOREVER, Scheduler, ServerBusy, slot_of
from tests.fakes.ollama.systemone import PATH, systemone_body
from tests.fakes.ollama.tokens import tokenize
from tests.fakes.ollama.validate import (
    Job,
    Refusal,
    find_model,
    job_of,
    keep_alive_of,
    parse_body,
)

DEFAULT_MODELS = ("llama3.2:3b", "embeddinggemma", "llama-guard3:1b")
BUSY = "server busy, please try again.  maximum pending requests exceeded"


class FakeOllama:
    """A host on a loopback socket. `async with FakeOllama() as ollama: ollama.url`."""

    def __init__(
        self,
        models: Iterable[str | FakeModel] = DEFAULT_MODELS,
        *,
        rate: float | None = None,
        prompt_rate: float | None = None,
        first_token: float = 0.0,
        num_parallel: int = 4,
        num_ctx: int = 4096,
        load_seconds: float = 0.0,
        max_queue: int = 512,
        max_loaded: int = 3,
        version: str = "0.33.0",
        token: str | None = None,
        port: int = 0,
        keep_records: int = 5000,
    ) -> None:
        found = [guess(model) if isinstance(model, str) else model for model in models]
        self.models = {full_name(model.name): model for model in found}
        self.pace = Pace(rate, prompt_rate, first_token)
        self.num_ctx = num_ctx
        self.version = version
        self.token = token
        """With one, every request needs `Authorization: Bearer …`, as behind a proxy."""
        self.leaning: dict[str, float] | None = None
        """The shares that typed classification gives; None: an older server without it."""
        self.scripts = Scripts()
        self.faults = FaultPlan()
        self.log = Log(keep_records)
        self.scheduler = Scheduler(
            num_parallel=num_parallel,
            load_seconds=load_seconds,
            max_queue=max_queue,
            max_loaded=max_loaded,
        )
        self._port = port
        self._runner: web.AppRunner | None = None

    # ── life ────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Listen. After `stop`, listens on the same port again, with nothing loaded."""
        app = web.Application(middlewares=[self._outer], client_max_size=64 * 1024 * 1024)
        app.add_routes(self._routes())
        app.add_routes(control_routes(self))
        self._runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=0.05
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Go away, as a killed server does: streams break, the port refuses connections."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        server = runner.server
        for protocol in list(server.connections) if server else []:
            if protocol.transport is not None:
                protocol.transport.abort()
        await runner.cleanup()
        self.scheduler.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # ── for tests ───────────────────────────────────────────────────────────────────────────

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    @property
    def requests(self) -> list[Record]:
        """The chat, generate and embed requests so far, oldest first."""
        return list(self.log.records)

    @property
    def chats(self) -> list[Record]:
        """The chat requests that carried messages."""
        return [r for r in self.log.records if r.path == "/api/chat" and r.messages]

    @property
    def cancelled(self) -> int:
        """How many clients left before their answer was complete."""
        return self.log.cancelled

    @property
    def loads(self) -> int:
        return self.scheduler.loads

    @property
    def peak(self) -> int:
        """The most generations at once."""
        return self.log.peak

    def reply_with(self, script: Script, *, kind: str = "chat") -> None:
        """Say this to every request of the kind: `chat`, `json` (with `format`) or `guard`."""
        self.scripts.standing[kind] = script

    def reply_next(self, *scripts: Script, kind: str = "chat") -> None:
        """Say these, once each, before the standing reply."""
        self.scripts.queues[kind].extend(scripts)

    def fail_next(self, kind: str, **settings: Any) -> Fault:
        """Add a fault; see `Fault` for the kinds and settings."""
        fault = Fault(kind, **settings)  # type: ignore[arg-type]
        self.faults.add(fault)
        return fault

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until something holds. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)

    def add_model(self, model: str | FakeModel) -> None:
        made = guess(model) if isinstance(model, str) else model
        self.models[full_name(made.name)] = made

    def remove_model(self, name: str) -> None:
        self.models.pop(full_name(name), None)

    # ── routes ──────────────────────────────────────────────────────────────────────────────

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._home),
            web.get("/api/version", self._version),
            web.get("/api/tags", self._tags),
            web.get("/api/ps", self._ps),
            web.post("/api/chat", self._work),
            web.post("/api/generate", self._work),
            web.post("/api/embed", self._work),
            web.post(PATH, self._work),
            web.post("/api/show", self._show),
            web.post("/api/pull", self._pull),
            web.post("/api/create", self._create),
        ]

    @web.middleware
    async def _outer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path.startswith("/_control"):
            return await handler(request)
        wanted = f"Bearer {self.token}"
        if self.token is not None and request.headers.get("Authorization") != wanted:
            return web.Response(status=401, text="Unauthorized")
        try:
            if request.path not in ("/api/chat", "/api/generate", "/api/embed", PATH):
                self.log.polls += 1
                await self._early(self.faults.pick(request.path, {}), request)
            return await handler(request)
        except Refusal as refusal:
            return json_response({"error": refusal.message}, refusal.status)
        except web.HTTPNotFound:
            return web.Response(status=404, text="404 page not found")
        except web.HTTPMethodNotAllowed:
            return web.Response(status=405, text="405 method not allowed")
        except _Page as page:
            return page.response

    async def _early(self, fault: Fault | None, request: web.Request) -> None:
        """Let faults happen that come before any work."""
        if fault is None:
            return
        if fault.kind == "error":
            raise Refusal(fault.status, fault.message)
        if fault.kind == "html":
            page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
            raise _Page(web.Response(status=502, text=page, content_type="text/html"))
        if fault.kind == "garbage":
            raise _Page(web.Response(text="<!doctype html>not json\n", content_type="text/html"))
        if fault.kind == "slow" and request.path not in ("/api/chat", "/api/generate"):
            await asyncio.sleep(fault.seconds)
        if fault.kind == "abort" and fault.after == 0 and request.transport is not None:
            request.transport.abort()

    async def _home(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def _version(self, _: web.Request) -> web.Response:
        return json_response({"version": self.version})

    async def _tags(self, _: web.Request) -> web.Response:
        return json_response({"models": [tag_entry(name, m) for name, m in self.models.items()]})

    async def _ps(self, _: web.Request) -> web.Response:
        loaded = []
        for runner in self.scheduler.runners.values():
            name = full_name(runner.model.name)
            entry = {k: v for k, v in tag_entry(name, runner.model).items() if k != "modified_at"}
            forever = runner.expires_at == FOREVER
            expires = "2318-01-01T00:00:00Z" if forever else _iso(runner.expires_at)
            entry |= {"expires_at": expires, "size_vram": 2_000_000_000}
            loaded.append(entry | {"context_length": runner.num_ctx})
        return json_response({"models": loaded})

    async def _show(self, request: web.Request) -> web.Response:
        body = parse_body(await request.read())
        model = find_model(self.models, body)
        return json_response(show_body(model, verbose=bool(body.get("verbose"))))

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        body = parse_body(await request.read())
        name = str(body.get("model") or body.get("name") or "")
        if not name:
            raise Refusal(400, "model is required")
        self.add_model(name)
        lines = b'{"status":"pulling manifest"}\n{"status":"success"}\n'
        if body.get("stream", True) is False:
            return json_response({"status": "success"})
        return web.Response(body=lines, content_type="application/x-ndjson")

    async def _create(self, request: web.Request) -> web.Response:
        body = parse_body(await request.read())
        parent = find_model(self.models, {"model": body.get("from")})
        adapters = body.get("adapters") or {}
        if len(adapters) > 1:
            raise Refusal(400, "only one adapter is currently supported")
        child = parent.derived(
            str(body.get("model")),
            adapter=next(iter(adapters), parent.adapter),
            system=body.get("system") or parent.system,
            parameters={**parent.parameters, **(body.get("parameters") or {})},
        )
        self.add_model(child)
        return json_response({"status": "success"})

    # ── work ────────────────────────────────────────────────────────────────────────────────

    async def _work(self, request: web.Request) -> web.StreamResponse:
        if request.path == PATH and self.leaning is None:
            raise web.HTTPNotFound
        began = time.perf_counter()
        body = parse_body(await request.read())
        peer = request.transport.get_extra_info("peername") if request.transport else None
        record = Record(request.path, body, dict(request.headers), peer=peer)
        self.log.begin(record)
        try:
            fault = self.faults.pick(request.path, body)
            await self._early(fault, request)
            model = find_model(self.models, body)
            if request.path == "/api/embed":
                return await self._embed(model, body, record)
            if request.path == PATH:
                record.outcome = "done"
                return json_response(systemone_body(model, body, self.leaning or {}))
            return await self._answer(request, model, body, record, fault, began)
        except (asyncio.CancelledError, ConnectionResetError):
            self.log.end(record, "cancelled")
            raise
        except (Refusal, _Page) as refusal:
            record.status = getattr(refusal, "status", 502)
            self.log.end(record, "refused" if isinstance(refusal, Refusal) else "faulted")
            raise
        finally:
            self.log.end(record, record.outcome)

    async def _answer(
        self,
        request: web.Request,
        model: FakeModel,
        body: Mapping[str, Any],
        record: Record,
        fault: Fault | None,
        began: float,
    ) -> web.StreamResponse:
        keep_alive = keep_alive_of(body, 300.0)
        empty = not body.get("messages") and not body.get("prompt")
        if empty and keep_alive == 0:
            self.scheduler.unload(model)
            record.outcome = "unload"
            return self._empty(body, "unload", 0.0)
        job = job_of(model, body, keep_alive=keep_alive, num_ctx=self.num_ctx)
        try:
            async with self.scheduler.runner(model, job.load_options, job.num_ctx, keep_alive) as (
                runner,
                load,
            ):
                if empty:
                    record.outcome = "load"
                    return self._empty(body, "load", load)
                prompt = prompt_of(job)
                async with slot_of(runner, prompt) as (slot, reused, waited):
                    record.prompt_tokens, record.reused = len(prompt), reused
                    record.evaluated, record.slot_wait = len(prompt) - reused, waited
                    run = Generation(job, request, record, fault, self.pace, slot, load, began)
                    return await self._generate(run, job, len(prompt))
        except ServerBusy:
            raise Refusal(503, BUSY) from None

    async def _generate(self, run: Generation, job: Job, prompt: int) -> web.StreamResponse:
        tokens, reason = limited(job, self.scripts.reply(job.model, job.body), prompt)
        self.log.entered()
        try:
            response = await run.run(tokens, reason)
            aborted = run.fault is not None and run.fault.kind == "abort"
            if run.record.outcome == "faulted" and not aborted:
                await run.flush_end()
                response = run.response or response
            return response
        finally:
            self.log.left()

    def _empty(self, body: Mapping[str, Any], reason: str, load: float) -> web.Response:
        line: dict[str, Any] = {"model": body["model"], "created_at": now()}
        line |= {"message": {"role": "assistant", "content": ""}, "done": True}
        if load:
            line["load_duration"] = int(load * 1e9)
        return json_response(line | {"done_reason": reason})

    async def _embed(
        self, model: FakeModel, body: Mapping[str, Any], record: Record
    ) -> web.Response:
        given = body.get("input")
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
            raise Refusal(400, "invalid input type")
        if not model.can("embedding"):
            raise Refusal(501, "this model does not support embeddings")
        size = min(int(body.get("dimensions") or model.dimensions), model.dimensions)
        keep_alive = keep_alive_of(body, 300.0)
        async with self.scheduler.runner(model, (), 2048, keep_alive) as (_, load):
            record.prompt_tokens = record.evaluated = sum(len(tokenize(t)) for t in texts)
            vectors = [embed_text(text, size) for text in texts]
        record.outcome = "done"
        counts = {"prompt_eval_count": record.prompt_tokens, "load_duration": int(load * 1e9)}
        return json_response(
            {"model": body["model"], "embeddings": vectors, "total_duration": 1000} | counts
        )

    def set_pace(self, **changes: float | None) -> None:
        """Change `rate`, `prompt_rate` or `first_token` for requests to come."""
        self.pace = replace(self.pace, **changes)  # type: ignore[arg-type]

    def reset(self) -> None:
        """Forget the log, the scripts and the faults."""
        self.log.clear()
        self.scripts.clear()
        self.faults.clear()


class _Page(Exception):
    """A page that is no API answer."""

    def __init__(self, response: web.Response) -> None:
        super().__init__()
        self.response = response
        self.status = response.status


def _iso(at: float) -> str:
    with suppress(ValueError, OverflowError):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    return "2318-01-01T00:00:00Z"
