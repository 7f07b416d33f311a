"""One generation on one host: it holds a slot and a connection until it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass

import aiohttp

from bot.adapters.ollama.host import Host, tagged
from bot.adapters.ollama.http import opened, read_error
from bot.adapters.ollama.ndjson import LineReader
from bot.adapters.ollama.refusals import classify, shown_of
from bot.adapters.ollama.wire import finished_of, parse_line, piece_of, plain_piece
from bot.errors import (
    AnswerBroken,
    BackendError,
    BackendStalled,
    BackendUnavailable,
    BackendUnreachable,
    ModelMissing,
    StreamBroken,
)
from bot.ports import Finished, Piece

DRAIN_SECONDS = 0.25
"""The body's end follows the last line at once; a host that holds it back loses its connection."""

TOGETHER = 1_000
"""Characters from which what came at once is passed on, though more is there."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Loop times and seconds that bound an exchange."""

    first_by: float
    """The first token must be there."""
    all_by: float
    """Everything must be there."""
    token_timeout: float
    """Seconds between two tokens."""
    patient: bool = True
    """Whether the first token may take as long as a host in health may take for it. Who can't wait
    so long learns nothing of the host: its breaker must not open for that."""


class Exchange:
    """A running generation. Made by `begun`, which sees to it that it ends."""

    def __init__(self, host: Host, model: str, reader: LineReader, limits: Limits) -> None:
        self._host = host
        self._model = model
        self._reader = reader
        self._limits = limits
        self._after: Finished | None = None
        self.started = False

    async def next(self) -> Piece | Finished:
        """Return the next piece with text, or the end.

        Raises:
            BackendUnavailable: the host failed before the first piece; as an `AnswerBroken` where
                it is in health, for all that is known.
            BackendStalled: nothing came in time.
            StreamBroken: the host failed after the first piece.
        """
        if self._after is not None:
            return self._after
        try:
            return await self._next()
        except StreamBroken as error:
            if self.started:
                raise StreamBroken(str(error), backend=self._host.base) from error
            raise AnswerBroken(str(error), backend=self._host.base) from error

    async def _next(self) -> Piece | Finished:
        while True:
            line = self._reader.pop() or await self._line()
            if line is None:
                # A restart of the server, or its guard against repetition: both end like this.
                raise StreamBroken("the stream ended without `done`")
            value = parse_line(line)
            if (error := value.get("error")) is not None:
                raise await self._error_line(str(error))
            piece = piece_of(value)
            if value.get("done") is True:
                end = finished_of(value, backend=self._host.base, model=self._model)
                await self._end()
                if piece is None:
                    return end
                self._after = end
            if piece is not None:
                self.started = True
                return self._with_rest(piece) if self._after is None else piece

    def _with_rest(self, piece: Piece) -> Piece:
        """Return a piece with those that came together with it: each costs its readers a look."""
        text, thinking = piece.text, piece.thinking
        while not piece.logprobs and len(text) < TOGETHER:
            line = self._reader.pop()
            if line is None:
                break
            more = plain_piece(line)
            if more is None:  # whatever it is, it gets its own turn
                self._reader.put_back(line)
                break
            text, thinking = text + more.text, thinking + more.thinking
        return Piece(text, thinking, piece.logprobs)

    async def _line(self) -> bytes | None:
        now = asyncio.get_running_loop().time()
        limits = self._limits
        until = now + limits.token_timeout if self.started else limits.first_by
        try:
            return await self._reader.next(min(until, limits.all_by))
        except TimeoutError:
            if self.started or limits.patient:
                self._host.breaker.failed()
            raise BackendStalled(self._stall(now), backend=self._host.base) from None
        except (aiohttp.ClientError, OSError) as error:
            self._host.breaker.failed()
            kind = StreamBroken if self.started else BackendUnavailable
            why = f"the connection broke: {type(error).__name__}"
            raise kind(why, backend=self._host.base) from error

    def _stall(self, since: float) -> str:
        if since + self._limits.token_timeout > self._limits.all_by and self.started:
            return "the answer took longer than its total time"
        return "no next token in time" if self.started else "no first token in time"

    async def _error_line(self, text: str) -> BackendError:
        found = classify(500, text, backend=self._host.base, model=self._model)
        if found.sick:
            self._host.breaker.failed()
        await self._end()
        return StreamBroken(shown_of(text)) if self.started else found.error

    async def _end(self) -> None:
        if not self._reader.ended:
            with suppress(TimeoutError, aiohttp.ClientError, OSError):
                await self._reader.drain(DRAIN_SECONDS)


@asynccontextmanager
async def begun(
    session: aiohttp.ClientSession, host: Host, model: str, body: bytes, limits: Limits
) -> AsyncIterator[Exchange]:
    """Take a slot, send the request, and yield the exchange once its head is there.

    Ollama sends the head with the first token. Leaving closes the connection unless the answer
    was complete, so that the host stops generating at once.

    Raises:
        BackendError: no slot, no connection, or an error answer.
    """
    slots = host.slots(model)
    await slots.take(min(limits.first_by, limits.all_by))
    is_probe = host.breaker.begin()
    try:
        async with _answer(session, host, body, limits) as response:
            if response.status != 200:
                raise await _refusal(host, model, response)
            with closing(LineReader(response.content)) as reader:
                yield Exchange(host, model, reader, limits)
    except BackendUnreachable as error:
        host.lost(error)
        raise
    finally:
        if is_probe:
            host.breaker.let_go()
        slots.give()


@asynccontextmanager
async def _answer(
    session: aiohttp.ClientSession, host: Host, body: bytes, limits: Limits
) -> AsyncIterator[aiohttp.ClientResponse]:
    exchange = opened(session, "POST", host.base, "/api/chat", body)
    try:
        async with asyncio.timeout_at(min(limits.first_by, limits.all_by)) as patience:
            with host.ended_by(lambda: patience.reschedule(0)):
                response = await exchange.__aenter__()
    except TimeoutError:
        if host.closed:
            raise BackendUnavailable("the pool is closed", backend=host.base) from None
        if limits.patient:
            host.breaker.failed()
        raise BackendStalled("no first token in time", backend=host.base) from None
    try:
        with host.ended_by(response.close):
            yield response
    finally:
        await exchange.__aexit__(None, None, None)


async def _refusal(host: Host, model: str, response: aiohttp.ClientResponse) -> BackendError:
    text = await read_error(response)
    found = classify(response.status, text, backend=host.base, model=model)
    if found.sick:
        host.breaker.failed()
    else:
        host.breaker.succeeded()
    if isinstance(found.error, ModelMissing):
        host.models -= {tagged(model)}
    return found.error
