"""One or more Ollama hosts behind the `ChatModel` port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import structlog

from bot.adapters.ollama.breaker import BreakerState
from bot.adapters.ollama.exchange import Exchange, Limits, begun
from bot.adapters.ollama.facts import is_loaded, sees
from bot.adapters.ollama.health import poll, watch
from bot.adapters.ollama.host import BackendStatus, Host, tagged
from bot.adapters.ollama.http import MAX_BODY, call_json, new_session
from bot.adapters.ollama.observer import PoolObserver
from bot.adapters.ollama.placement import choose
from bot.adapters.ollama.reuse import ReuseEstimator
from bot.adapters.ollama.wire import chat_body, load_body
from bot.errors import (
    BackendError,
    BackendStalled,
    BackendUnavailable,
    BackendUnreachable,
    ModelMissing,
)
from bot.ports import ChatRequest, Finished, Piece

log = structlog.get_logger(__name__)

PATIENCE = 10.0
"""Seconds that a request waits for the probe of a host which answers its checks, if all rest."""
PROBE_POLL = 0.1
WARM_SECONDS = 900.0
"""A cold load from a slow disk; a client that gives up aborts the load."""


class OllamaPool:
    """Chooses a host for each request, and moves on to another one until the first piece.

    `bases` are URLs without a trailing slash, best first. `num_parallel` is each host's
    OLLAMA_NUM_PARALLEL: the requests it runs at once for a model. Timeouts are in seconds;
    `first_token_timeout` covers our queue, the host's, the load and the prompt; a request that
    waits less for its answer says nothing of the host when it gives up.
    """

    def __init__(
        self,
        bases: Sequence[str],
        *,
        num_ctx: int,
        num_parallel: int,
        headers: Mapping[str, str] | None = None,
        first_token_timeout: float,
        token_timeout: float,
        total_timeout: float = 600.0,
        observer: PoolObserver | None = None,
        queue_limit: int | None = None,
    ) -> None:
        self._num_ctx = num_ctx
        self._num_parallel = num_parallel
        self._headers = dict(headers or {})
        self._first_token_timeout = first_token_timeout
        self._token_timeout = token_timeout
        self._total_timeout = total_timeout
        self._observer = observer
        queue = 4 * num_parallel if queue_limit is None else queue_limit
        self._alarm = asyncio.Event()
        self._hosts = {
            base: Host(
                base,
                num_parallel=num_parallel,
                queue_limit=queue,
                on_breaker=self._on_breaker,
                on_lost=self._alarm.set,
            )
            for base in bases
        }
        self._reuse = ReuseEstimator()
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._warmed: set[str] = set()

    # ── life ────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Open the session, ask every host once (for at most 2 s), and go on asking."""
        self._session = new_session(self._headers)
        hosts = list(self._hosts.values())
        await asyncio.gather(*(poll(self._session, host) for host in hosts))
        self._own(watch(self._session, hosts, self._came_back, self._alarm), "ollama-health")

    async def close(self) -> None:
        """Stop asking, and close every connection; running streams break."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for host in self._hosts.values():
            host.hang_up()
        if self._session is not None:
            await self._session.close()

    async def warm(self, model: str) -> None:
        """Load the model on every healthy host, and again whenever a host comes back.

        Raises:
            BackendError: no host could load it.
        """
        self._warmed.add(model)
        hosts = [host for host in self._hosts.values() if host.healthy]
        if not hosts:
            raise BackendUnavailable("no Ollama host answers")
        errors = await asyncio.gather(*(self._warm(host, model) for host in hosts))
        failed = [error for error in errors if error is not None]
        if len(failed) == len(hosts):
            raise failed[0]

    # ── what is going on ────────────────────────────────────────────────────────────────────

    def status(self) -> tuple[BackendStatus, ...]:
        """Return every host as last seen."""
        return tuple(host.status() for host in self._hosts.values())

    @property
    def capacity(self) -> int:
        """Return how many chat streams can run at once over the healthy hosts."""
        usable = sum(host.usable for host in self._hosts.values())
        if not usable:
            self._hurry()
            usable = sum(host.usable for host in self._hosts.values())
        return self._num_parallel * usable

    @property
    def queue_depth(self) -> int:
        """Return how many requests wait for a slot."""
        return sum(host.waiting for host in self._hosts.values())

    async def is_loading(self, model: str, affinity: str) -> bool:
        """Whether a request with this affinity waits for its host to load the model."""
        base = choose([host.candidate(model) for host in self._hosts.values()], affinity)
        if base is None or self._session is None or not self._hosts[base].healthy:
            return False
        return not await is_loaded(self._session, self._hosts[base], model)

    async def sees(self, model: str) -> bool:
        """Whether a model takes pictures, by the first host that knows."""
        for host in self._hosts.values():
            if self._session is not None and host.usable and tagged(model) in host.models:
                known = await sees(self._session, host, model)
                if known is not None:
                    return known
        return False

    # ── work ────────────────────────────────────────────────────────────────────────────────

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece | Finished, None]:
        """Yield pieces, then exactly one `Finished`. See `ports.ChatModel`."""
        if any(message.images for message in request.messages):
            body = await asyncio.to_thread(chat_body, request, self._num_ctx)
        else:
            body = chat_body(request, self._num_ctx)
        limits = self._limits(request)
        async with AsyncExitStack() as stack:
            host, exchange, event = await self._first(request, body, limits, stack)
            try:
                while isinstance(event, Piece):
                    yield event
                    event = await exchange.next()
            except BackendError as error:
                self._failed(host, error)
                raise
            host.breaker.succeeded()
            await stack.aclose()  # the slot is free before whoever listens goes on
            if self._observer is not None:
                self._observer.finished(event, self._reuse.estimate(event))
            yield event

    async def call(
        self, path: str, body: Any, *, model: str, timeout: float
    ) -> tuple[dict[str, Any], str]:
        """Return the JSON answer of some host, and which; another is tried when one fails.

        Raises:
            BackendError: no host answered within `timeout` seconds.
        """
        until = asyncio.get_running_loop().time() + timeout
        tried: set[str] = set()
        last: BackendError | None = None
        while (host := self._pick(model, "", tried)) is not None:
            tried.add(host.base)
            try:
                return await self._call(host, path, body, model, until), host.base
            except BackendError as error:
                self._failed(host, error)
                if not error.retryable:
                    raise
                last = _telling(last, error)
        raise last or self._nobody()

    async def call_one(
        self,
        path: str,
        body: Any,
        *,
        model: str,
        timeout: float,
        among: Collection[str],
        most: int,
    ) -> tuple[dict[str, Any], str]:
        """Return the JSON answer, of at most so many bytes, of the best of these hosts, and which.

        Raises:
            BackendError: it did not answer within `timeout` seconds; or none of them is usable.
        """
        until = asyncio.get_running_loop().time() + timeout
        host = self._pick(model, "", self._hosts.keys() - set(among))
        if host is None:
            raise self._nobody()
        try:
            return await self._call(host, path, body, model, until, most), host.base
        except BackendError as error:
            self._failed(host, error)
            raise

    async def _call(
        self, host: Host, path: str, body: Any, model: str, until: float, most: int = MAX_BODY
    ) -> dict[str, Any]:
        slots = host.slots(model)
        await slots.take(until)
        is_probe = host.breaker.begin()
        left = max(0.01, until - asyncio.get_running_loop().time())
        try:
            value = await call_json(
                self._open_session,
                "POST",
                host.base,
                path,
                body,
                timeout=left,
                model=model,
                most=most,
            )
            host.breaker.succeeded()
            return value
        except BackendUnreachable as error:
            host.lost(error)
            raise
        except BackendStalled:
            if left >= self._first_token_timeout:
                host.breaker.failed()
            raise
        finally:
            if is_probe:
                host.breaker.let_go()
            slots.give()

    async def _first(
        self, request: ChatRequest, body: bytes, limits: Limits, stack: AsyncExitStack
    ) -> tuple[Host, Exchange, Piece | Finished]:
        """Begin on the best host, on the next one if that fails, and return the first event."""
        loop = asyncio.get_running_loop()
        tried: set[str] = set()
        last: BackendError | None = None
        while (host := await self._pick_soon(request, tried, limits)) is not None:
            tried.add(host.base)
            attempt = AsyncExitStack()
            try:
                async with attempt:
                    sent = loop.time()
                    exchange = await attempt.enter_async_context(
                        begun(self._open_session, host, request.model, body, limits)
                    )
                    event = await exchange.next()
                    stack.push_async_exit(attempt.pop_all())
            except BackendError as error:
                self._failed(host, error)
                if not error.retryable or loop.time() >= limits.first_by:
                    raise
                last = _telling(last, error)
                continue
            if host.breaker.state != "closed":
                host.breaker.succeeded()
            if self._observer is not None:
                self._observer.first_token(host.base, loop.time() - sent)
            return host, exchange, event
        raise last or self._nobody()

    def _limits(self, request: ChatRequest) -> Limits:
        now = asyncio.get_running_loop().time()
        first = request.first_token_timeout
        return Limits(
            first_by=now + (self._first_token_timeout if first is None else first),
            all_by=now + self._total_timeout,
            token_timeout=self._token_timeout,
            patient=first is None or first >= self._first_token_timeout,
        )

    def _pick(self, model: str, affinity: str, tried: Collection[str]) -> Host | None:
        base = choose(
            [
                host.candidate(model)
                for host in self._hosts.values()
                if host.base not in tried and host.breaker.admits
            ],
            affinity,
        )
        return None if base is None else self._hosts[base]

    async def _pick_soon(
        self, request: ChatRequest, tried: set[str], limits: Limits
    ) -> Host | None:
        """Pick a host; where all of them rest, wait until one may be tried again."""
        loop = asyncio.get_running_loop()
        until = min(limits.first_by, loop.time() + PATIENCE)
        while True:
            host = self._pick(request.model, request.affinity, tried)
            resting = not tried and any(each.healthy for each in self._hosts.values())
            if host is not None or not resting or loop.time() >= until:
                return host
            self._hurry()
            await asyncio.sleep(PROBE_POLL)

    def _hurry(self) -> None:
        for host in self._hosts.values():
            if host.healthy:
                host.breaker.hurry()

    def _nobody(self) -> BackendUnavailable:
        return BackendUnavailable("no Ollama host can take requests now")

    @property
    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            raise BackendUnavailable("the pool is not open")
        return self._session

    # ── warm-up and observation ─────────────────────────────────────────────────────────────

    async def _warm(self, host: Host, model: str) -> BackendError | None:
        name = tagged(model)
        host.warming.add(name)
        try:
            await call_json(
                self._open_session,
                "POST",
                host.base,
                "/api/chat",
                load_body(model, self._num_ctx),
                timeout=WARM_SECONDS,
                model=model,
            )
            host.loaded |= {name}
        except BackendError as error:
            log.warning("model not warmed", backend=host.base, model=model, error=str(error))
            return error
        finally:
            host.warming.discard(name)
        return None

    def _came_back(self, host: Host) -> None:
        for model in self._warmed:
            self._own(self._rewarm(host, model), "ollama-warm")

    async def _rewarm(self, host: Host, model: str) -> None:
        if tagged(model) in host.models:
            await self._warm(host, model)

    def _own(self, work: Any, name: str) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._settled)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("pool task failed", task=task.get_name(), exc_info=error)

    def _failed(self, host: Host, error: BackendError) -> None:
        if error.backend is None:
            error.backend = host.base
        if self._observer is not None:
            self._observer.failed(host.base, type(error).__name__)
        if isinstance(error, ModelMissing):
            log.warning("model missing", backend=host.base, error=str(error))

    def _on_breaker(self, base: str, state: BreakerState) -> None:
        log.warning("backend breaker changed", backend=base, state=state)
        if self._observer is not None:
            self._observer.breaker(base, state)


def _telling(before: BackendError | None, error: BackendError) -> BackendError:
    """Return the error that tells more: a host without the model says little of a failure."""
    return before if before is not None and isinstance(error, ModelMissing) else error
