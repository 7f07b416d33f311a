"""REST v10 over HTTP: taking requests apart, limits, faults, and answering."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from tests.fakes.discord import payloads
from tests.fakes.discord.call import Call, Route, routes
from tests.fakes.discord.commands import Commands
from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.faults import Fault, Faults
from tests.fakes.discord.gateway import Gateway
from tests.fakes.discord.interactions import Interactions
from tests.fakes.discord.limits import RateLimits, Refused
from tests.fakes.discord.posting import File, Posting
from tests.fakes.discord.routes import load
from tests.fakes.discord.sessions import MESSAGE_CONTENT
from tests.fakes.discord.state import Channel, Message, World
from tests.fakes.discord.threads import Threads

PREFIX = "/api/v10"
MAX_BODY = 32 * 1024 * 1024
_HEADERS = {"Content-Type": "application/json"}
Control = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(slots=True, frozen=True)
class Logged:
    """A call that was answered."""

    at: float
    method: str
    template: str
    path: str
    status: int


class Rest:
    """Answers REST calls. `latency` is the seconds a call takes, half before, half after."""

    def __init__(
        self, world: World, gateway: Gateway, posting: Posting, *, token: str, rate_limits: bool
    ) -> None:
        load()
        self.world = world
        self.gateway = gateway
        self.posting = posting
        self.token = token
        self.latency = 0.0
        self.limits = RateLimits(enabled=rate_limits)
        self.faults = Faults()
        self.interactions = Interactions(world, gateway, posting)
        self.threads = Threads(world, gateway)
        self.commands = Commands(world)
        self.calls: Counter[str] = Counter()
        self.rate_limited: Counter[str] = Counter()
        self.invalid_requests = 0
        """Answers 401, 403 and 429, of which Discord allows 10,000 in 10 minutes."""
        self.log: deque[Logged] = deque(maxlen=200_000)
        self.control: Control | None = None

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        path = request.rel_url.raw_path
        if path.startswith(PREFIX):
            return await self._api(request, path[len(PREFIX) :])
        if path.startswith("/_control") and self.control is not None:
            return await self.control(request)
        if path in self.world.files:
            content, kind = self.world.files[path]
            return web.Response(body=content, headers={"Content-Type": kind})
        return web.Response(status=404)

    async def _api(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        parts = [unquote(part) for part in path.strip("/").split("/")]
        found = routes.find(request.method, parts)
        if found is None:
            self.calls[f"{request.method} {path}"] += 1
            return _answer({"message": "404: Not Found", "code": 0}, 404)
        route, params = found
        call = Call(request.method, path, route.template, params, dict(request.query))
        await self._read_body(request, call)
        name = f"{call.method} {call.template}"
        self.calls[name] += 1
        authorised = request.headers.get("Authorization") == f"Bot {self.token}"
        try:
            response = await self._respond(request, route, call, authorised)
        except ApiError as error:
            response = _answer(error.body(), error.status)
        call.status = response.status
        if call.status in (401, 403, 429):
            self.invalid_requests += 1
        self.log.append(
            Logged(time.monotonic(), call.method, call.template, call.path, call.status)
        )
        return response

    async def _respond(
        self, request: web.BaseRequest, route: Route, call: Call, authorised: bool
    ) -> web.Response:
        if route.token and not authorised:
            raise ApiError(401, 0)
        major = "/".join(
            call.params[name]
            for name in ("channel", "guild", "webhook", "token")
            if name in call.params
        )
        exempt = route.exempt or call.params.get("webhook") == str(self.world.application_id)
        refused, headers = self.limits.take(
            route.bucket, major, with_token=authorised, exempt=exempt
        )
        if self.latency:
            await asyncio.sleep(self.latency / 2)
        if refused is not None:
            self.rate_limited[f"{call.method} {call.template}"] += 1
            return _refuse(refused, headers)
        fault = self.faults.take(call)
        try:
            body = await self._perform(request, route, call, fault)
            response = _answer(body, 200 if body is not None else 204, headers)
        except ApiError as error:
            response = _answer(error.body(), error.status, headers)
        if fault is not None and fault.status is not None:
            answer = {"message": f"{fault.status}: injected", "code": fault.code}
            response = _answer(answer, fault.status, headers)
        if self.latency:
            await asyncio.sleep(self.latency / 2)
        return response

    async def _perform(
        self, request: web.BaseRequest, route: Route, call: Call, fault: Fault | None
    ) -> Any:
        if fault is None:
            return route.handler(self, call)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        fails = fault.status is not None or fault.abort
        body = route.handler(self, call) if fault.performed or not fails else None
        if fault.abort and request.transport is not None:
            request.transport.abort()
        return body

    async def _read_body(self, request: web.BaseRequest, call: Call) -> None:
        if not request.body_exists:
            return
        if request.content_type == "multipart/form-data":
            call.body, call.files = await _read_multipart(request)
            return
        call.body = _parsed(await request.read())

    # What several routes need

    def channel(self, call: Call, name: str = "channel") -> Channel:
        """Return the channel of a path.

        Raises:
            ApiError: 10003.
        """
        found = self.world.channels.get(call.id(name))
        if found is None:
            raise ApiError(404, 10003)
        return found

    def message(self, channel: Channel, call: Call, name: str = "message") -> Message:
        """Return the message of a path.

        Raises:
            ApiError: 10008.
        """
        found = channel.messages.get(call.id(name))
        if found is None:
            raise ApiError(404, 10008)
        return found

    def shown(self, message: Message) -> dict[str, Any]:
        """Return a message as the bot may read it: without the intent, stripped."""
        body = payloads.message(message)
        granted = self.gateway.privileged_intents
        intents = self.gateway.asked_intents if granted is None else granted
        if intents & MESSAGE_CONTENT or not self.gateway.identifies:
            return body
        private = message.channel.guild is None
        return payloads.strip_content(body, self.world.bot.id, private=private)


def _parsed(content: bytes) -> Any:
    """Return the JSON; None for none, which `Call.json` then refuses as 50109."""
    try:
        return json.loads(content)
    except ValueError:
        return None


def _answer(body: Any, status: int, headers: dict[str, str] | None = None) -> web.Response:
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(
        body=json.dumps(body).encode(), status=status, headers={**_HEADERS, **(headers or {})}
    )


def _refuse(refused: Refused, headers: dict[str, str]) -> web.Response:
    body = {
        "message": "You are being rate limited.",
        "retry_after": refused.retry_after,
        "global": refused.is_global,
    }
    extra = {
        "Retry-After": str(int(refused.retry_after) + 1),
        "X-RateLimit-Scope": refused.scope,
        "Via": "1.1 google",
    }
    if refused.is_global:
        extra["X-RateLimit-Global"] = "true"
    return _answer(body, 429, headers | extra)


async def _read_multipart(request: web.BaseRequest) -> tuple[Any, list[File]]:
    body: Any = {}
    files: list[File] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read())
        if part.name == "payload_json":
            body = _parsed(content)
        else:
            name = part.filename or "unknown"
            files.append((name, content, _content_type(name)))
    return body, files


def _content_type(name: str) -> str:
    known = {".png": "image/png", ".jpg": "image/jpeg", ".json": "application/json"}
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    texts = {".txt": "text/plain; charset=utf-8", ".md": "text/markdown; charset=utf-8"}
    return (known | texts).get(suffix, "application/octet-stream")
