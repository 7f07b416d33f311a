"""The HTTP side of discord.py, paced and retried by us.

discord.py's own client waits inside its buckets, retries 5xx answers up to five times and, on a
global 429, wakes every waiting call at the same instant (discord/http.py, `HTTPClient.request`);
its webhooks have a second copy of that loop which posts a message again after every 5xx
(discord/webhook/async_.py). Here both end in one place with one budget, and nothing that could
have happened already is done twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import aiohttp
import discord
import structlog
from discord import utils
from discord.http import HTTPClient, Route, json_or_text
from discord.webhook.async_ import AsyncWebhookAdapter

from bot.adapters.discord.calling.pacing import Throttle, usual_priority
from bot.delivery.pacing import Learnt, Priority, Ticket

log = structlog.get_logger(__name__)

ATTEMPTS = 5
"""Tries of one call, as in discord.py."""
CALL_TIMEOUT = 12.0
"""Seconds for one try, from its start to its answer."""
_BACK_OFF = (0.3, 1.0, 2.5, 5.0)
"""Seconds before the second try and so on, after a 5xx or a lost connection."""
_MAX_RETRY_AFTER = 60.0
"""A 429 that asks for more is raised: the person would not wait so long."""


class _NotNow(Exception):
    """Try again: `error` is what to raise should this have been the last try."""

    def __init__(self, error: Exception, *, refused: bool) -> None:
        self.error = error
        self.refused = refused


class RestClient(HTTPClient):
    """discord.py's HTTP client with its `request` replaced."""

    def __init__(self, *args: Any, throttle: Throttle, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.throttle = throttle
        self._session: aiohttp.ClientSession | None = None
        self._over = False

    async def request(
        self,
        route: Route,
        *,
        files: Sequence[discord.File] | None = None,
        form: Iterable[dict[str, Any]] | None = None,
        ticket: Ticket | None = None,
        priority: Priority | None = None,
        **kwargs: Any,
    ) -> Any:
        """Make a call when the budget allows it, and return the answer's body.

        `ticket` is one that was granted for this route already; it is used up.

        Raises:
            discord.HTTPException: Discord refused, or failed `ATTEMPTS` times.
            discord.RateLimited: a 429 that asks for more than a minute.
            aiohttp.ClientError, TimeoutError: no answer; a call that may have been performed
                and must not be repeated is not tried again.
        """
        chosen = usual_priority(route) if priority is None else priority
        again_is_safe = _again_is_safe(route, kwargs.get("json"), form)
        call = _prepared(self, form, kwargs)
        for attempt in range(ATTEMPTS):
            if ticket is None:
                ticket = self.throttle.ask(route, chosen)
                await self.throttle.granted(ticket)
            for file in files or ():
                file.reset(seek=attempt)
            try:
                return await self._once(route, ticket, call)
            except _NotNow as failed:
                ticket = None
                last = attempt == ATTEMPTS - 1 or self._over
                if last or not (again_is_safe or failed.refused):
                    raise failed.error from None
                if not failed.refused:
                    await asyncio.sleep(_BACK_OFF[attempt])
        raise AssertionError("the last attempt returns or raises")

    async def _once(self, route: Route, ticket: Ticket, call: dict[str, Any]) -> Any:
        learnt: Learnt | None = None
        if form := call.get("form"):
            call = {**call, "data": _multipart(form)}
        arguments = {name: value for name, value in call.items() if name != "form"}
        began, status = time.monotonic(), 0
        try:
            async with self._rest().request(route.method, route.url, **arguments) as response:
                data = await json_or_text(response)
                status, learnt = response.status, _learnt(response)
                if response.status < 300:
                    return data
                raise self._failure(route, ticket, response, data)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise _NotNow(error, refused=False) from error
        finally:
            self.throttle.answered(ticket, learnt)
            if self.throttle.on_call is not None:
                self.throttle.on_call(route.key, status, time.monotonic() - began)

    def _failure(
        self, route: Route, ticket: Ticket, response: aiohttp.ClientResponse, data: Any
    ) -> Exception:
        """Return what to raise for an answer that is no success."""
        status = response.status
        if status == 429:
            if not response.headers.get("Via") or not isinstance(data, dict):
                return discord.HTTPException(response, data)  # Cloudflare has banned us
            retry_after = float(data.get("retry_after", 1.0))
            everywhere = bool(data.get("global"))
            self.throttle.refused(
                ticket, retry_after, everywhere=everywhere, learnt=_learnt(response)
            )
            log.warning("discord rate limited", route=route.key, after=retry_after)
            if retry_after > _MAX_RETRY_AFTER:
                return discord.RateLimited(retry_after)
            return _NotNow(discord.HTTPException(response, data), refused=True)
        if status >= 500:
            return _NotNow(discord.DiscordServerError(response, data), refused=False)
        if status == 403:
            return discord.Forbidden(response, data)
        if status == 404:
            return discord.NotFound(response, data)
        return discord.HTTPException(response, data)

    def _rest(self) -> aiohttp.ClientSession:
        """Return the session of REST calls; discord.py's own carries the gateway."""
        if self._over:
            raise aiohttp.ClientConnectionError("the client is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                trace_configs=None if self.http_trace is None else [self.http_trace],
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=CALL_TIMEOUT),
            )
        return self._session

    async def close(self) -> None:
        """Close both sessions, for good: who calls later opens none that nobody would close."""
        self._over = True
        if self._session is not None:
            await self._session.close()
        await super().close()


class PacedWebhooks(AsyncWebhookAdapter):
    """discord.py's second HTTP client (interactions, follow-ups, webhooks), led into the first."""

    def __init__(self, rest: RestClient) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # discord.py gives no types
        self._rest = rest

    async def request(
        self,
        route: Route,
        session: aiohttp.ClientSession,  # discord.py passes it; ours is used
        *,
        payload: dict[str, Any] | None = None,
        multipart: list[dict[str, Any]] | None = None,
        proxy: str | None = None,
        proxy_auth: aiohttp.BasicAuth | None = None,
        files: Sequence[discord.File] | None = None,
        reason: str | None = None,
        auth_token: str | None = None,
        params: dict[str, Any] | None = None,
    ) -> Any:
        """Make the call within the budget."""
        kwargs: dict[str, Any] = {}
        if payload is not None:
            kwargs["json"] = payload
        if params is not None:
            kwargs["params"] = params
        if reason is not None:
            kwargs["reason"] = reason
        return await self._rest.request(route, files=files, form=multipart, **kwargs)


def _again_is_safe(route: Route, body: Any, form: Any) -> bool:
    """Whether a call may be repeated although its first try may have been performed."""
    if route.method != "POST":
        return True
    if route.path.endswith("/callback"):
        return True  # a second acknowledgement is refused with 40060 and changes nothing
    return form is None and isinstance(body, dict) and bool(body.get("enforce_nonce"))


def _prepared(
    client: HTTPClient, form: Iterable[dict[str, Any]] | None, kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments of aiohttp's `request`."""
    headers = {"User-Agent": client.user_agent}
    if client.token is not None:
        headers["Authorization"] = f"Bot {client.token}"
    call = {name: value for name, value in kwargs.items() if name not in ("json", "reason")}
    if "json" in kwargs:
        headers["Content-Type"] = "application/json"
        call["data"] = utils._to_json(kwargs["json"])
    if reason := kwargs.get("reason"):
        headers["X-Audit-Log-Reason"] = quote(reason, safe="/ ")
    if form is not None:
        call["form"] = list(form)
    if client.proxy is not None:
        call["proxy"] = client.proxy
    if client.proxy_auth is not None:
        call["proxy_auth"] = client.proxy_auth
    return {**call, "headers": headers}


def _multipart(form: list[dict[str, Any]]) -> aiohttp.FormData:
    data = aiohttp.FormData(quote_fields=False)  # Discord does not take escaped brackets
    for field in form:
        data.add_field(**field)
    return data


def _learnt(response: aiohttp.ClientResponse) -> Learnt | None:
    """Read what an answer says about its bucket."""
    headers = response.headers
    try:
        return Learnt(
            limit=int(headers["X-RateLimit-Limit"]),
            remaining=int(headers["X-RateLimit-Remaining"]),
            reset_after=float(headers["X-RateLimit-Reset-After"]),
            bucket=headers.get("X-RateLimit-Bucket"),
        )
    except (KeyError, ValueError):
        return None
