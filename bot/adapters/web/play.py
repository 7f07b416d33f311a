"""The playground: one page on which a person talks to the personas and sees how it came about.

Every reply runs through the same pipeline as on Discord; `Stage` is that pipeline's face here.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from bot.adapters.web.access import Access, dress, guard, problem
from bot.adapters.web.sessions import Sessions
from bot.chat.notices import notice_for
from bot.chat.stage import MAX_TEXT, PersonaSummary, Spoken, StageStatus
from bot.errors import Busy, NotFound, TroupeError, UserFacing
from bot.languages import reading

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024
READ_SECONDS = 10.0
WRITE_SECONDS = 30.0
TURN_SECONDS = 600.0
HEARTBEAT_SECONDS = 10.0
STATIC = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")
PNG = b"\x89PNG\r\n\x1a\n"


class PlaySink(Protocol):
    """Where a reply becomes visible while it is written."""

    def show(self, text: str) -> None:
        """Show the whole approved text so far; the latest text wins. Never waits."""
        ...


class Account(Protocol):
    """What was decided in a turn, and why: `bot.chat.account.TurnAccount`."""

    def to_json(self) -> dict[str, Any]: ...


class Stage(Protocol):
    """The service behind the page."""

    def personas(self) -> Sequence[PersonaSummary]: ...

    def knows(self, persona: str) -> bool:
        """Whether there is a persona of this id."""
        ...

    async def avatar(self, persona: str) -> bytes | None:
        """Return a small PNG, or None."""
        ...

    def status(self) -> StageStatus: ...

    async def say(
        self,
        session: str,
        text: str,
        persona: str | None,
        sink: PlaySink,
        locale: str | None = None,
    ) -> Account:
        """Run a whole turn; None lets the router choose. Cancelling stops the generation."""
        ...

    async def talk(self, session: str) -> Sequence[Spoken]:
        """Return what is stored of the session's conversation."""
        ...

    async def reset(self, session: str) -> None:
        """Forget the session's conversation."""
        ...


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Login(_Body):
    token: str = Field(max_length=512)


class _Session(_Body):
    session: str = Field(min_length=1, max_length=64)


class _Say(_Session):
    text: str = Field(max_length=MAX_TEXT)
    persona: str | None = Field(default=None, max_length=128)

    @field_validator("text")
    @classmethod
    def _printable(cls, value: str) -> str:
        kept = "".join(c for c in value if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127)).strip()
        if not kept:
            raise ValueError("is empty")
        return kept


_AnyBody = TypeVar("_AnyBody", bound=_Body)


class _Latest:
    """A sink that keeps the latest text until its reader has time for it."""

    def __init__(self) -> None:
        self.text = ""
        self.changed = asyncio.Event()

    def show(self, text: str) -> None:
        self.text = text
        self.changed.set()


class Playground:
    """The page, its files and its few calls."""

    def __init__(self, stage: Stage, token: SecretStr | None = None) -> None:
        self._stage = stage
        self._access = Access(token)
        self._sessions = Sessions()
        self._turns: set[asyncio.Task[Account]] = set()
        self._draining = False
        self._files = {
            f"/{path.relative_to(STATIC).as_posix()}": path.read_bytes()
            for path in sorted(STATIC.rglob("*"))
            if path.suffix in TYPES
        }

    def app(self) -> web.Application:
        """Return the application that a `WebServer` serves."""
        app = web.Application(
            middlewares=[guard(self._access, open_paths=frozenset({"/api/login"}))],
            client_max_size=MAX_BODY,
        )
        app.on_response_prepare.append(dress)
        app.on_cleanup.append(self._end)
        app.router.add_post("/api/login", self._login)
        app.router.add_get("/api/state", self._state)
        app.router.add_post("/api/session", self._open)
        app.router.add_post("/api/talk", self._talk)
        app.router.add_post("/api/say", self._say)
        app.router.add_post("/api/reset", self._reset)
        app.router.add_get("/api/personas/{persona}/avatar", self._avatar)
        app.router.add_get("/{path:.*}", self._file)
        return app

    def drain(self) -> None:
        """Take no new turns; those under way go on."""
        self._draining = True

    async def _end(self, _app: web.Application) -> None:
        """Stop what still runs once the server is closed."""
        for turn in self._turns:
            turn.cancel()
        if self._turns:
            await asyncio.wait(set(self._turns), timeout=WRITE_SECONDS)

    # ── calls ───────────────────────────────────────────────────────────────────────────────

    async def _login(self, request: web.Request) -> web.Response:
        body = await _read(request, _Login)
        if not self._access.is_token(body.token):
            raise problem(web.HTTPUnauthorized, "token", "That is not the playground's token.")
        response = web.json_response({"ok": True})
        self._access.remember(request, response)
        return response

    async def _state(self, _request: web.Request) -> web.Response:
        return _json(
            {
                "status": asdict(self._stage.status()),
                "personas": [asdict(persona) for persona in self._stage.personas()],
                "limits": {"text": MAX_TEXT},
            }
        )

    async def _open(self, request: web.Request) -> web.Response:
        await _read(request, _Body)
        try:
            ident, gone = self._sessions.open()
        except Busy as busy:
            raise problem(web.HTTPServiceUnavailable, "busy", busy.text) from busy
        for old in gone:
            await self._forget(old)
        return _json({"session": ident})

    async def _talk(self, request: web.Request) -> web.Response:
        """Tell what was said. Whoever names a conversation that is stored has had it before a
        restart: nobody guesses its id."""
        body = await _read(request, _Session)
        try:
            talk = await self._stage.talk(body.session)
            if talk and not self._sessions.knows(body.session):
                for old in self._sessions.adopt(body.session):
                    await self._forget(old)
            self._sessions.use(body.session)
        except Busy as busy:
            raise problem(web.HTTPServiceUnavailable, "busy", busy.text) from busy
        except NotFound as error:
            raise problem(web.HTTPNotFound, "session", error.text) from error
        except TroupeError as error:
            log.warning("conversation not read", error=error)
            raise problem(web.HTTPServiceUnavailable, "failed", notice_for(error)) from error
        return _json({"talk": [asdict(spoken) for spoken in talk]})

    async def _reset(self, request: web.Request) -> web.Response:
        body = await _read(request, _Session)
        with _held(self._sessions, body.session):
            try:
                await self._stage.reset(body.session)
            except TroupeError as error:
                log.warning("reset failed", error=error)
                line = notice_for(error)
                raise problem(web.HTTPServiceUnavailable, "failed", line) from error
        return _json({"ok": True})

    async def _avatar(self, request: web.Request) -> web.Response:
        picture = await self._stage.avatar(request.match_info["persona"])
        if picture is None or not picture.startswith(PNG):
            raise problem(web.HTTPNotFound, "not_found", "There is no such picture.")
        return _cacheable(request, picture, "image/png")

    async def _file(self, request: web.Request) -> web.Response:
        name = "/index.html" if request.path == "/" else request.path
        content = self._files.get(name)
        if content is None:
            raise problem(web.HTTPNotFound, "not_found", "There is no such page.")
        return _cacheable(request, content, TYPES[Path(name).suffix])

    async def _say(self, request: web.Request) -> web.StreamResponse:
        body = await _read(request, _Say)
        if self._draining:
            line = "Troupe is restarting. Please try again in a minute."
            raise problem(web.HTTPServiceUnavailable, "draining", line)
        if body.persona is not None and not self._stage.knows(body.persona):
            raise problem(web.HTTPNotFound, "persona", "There is no such persona any more.")
        with _held(self._sessions, body.session):
            response = web.StreamResponse(
                headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"}
            )
            # Proxies such as nginx would hold the stream back.
            response.headers["X-Accel-Buffering"] = "no"
            await response.prepare(request)
            await self._run(response, body, _locale(request))
            return response

    async def _run(self, response: web.StreamResponse, body: _Say, locale: str | None) -> None:
        """Run the turn while its reader stays."""
        sink = _Latest()
        turn = asyncio.create_task(
            asyncio.wait_for(
                self._stage.say(body.session, body.text, body.persona, sink, locale), TURN_SECONDS
            )
        )
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        turn.add_done_callback(lambda _: sink.changed.set())
        try:
            await _relay(response, sink, turn)
            with reading(locale):
                await _line(response, _ending(turn))
        except ConnectionError:
            log.info("reader left", session_turn="cancelled")
        except TimeoutError:
            log.info("reader too slow", session_turn="cancelled")
        finally:
            turn.cancel()
            await asyncio.wait({turn}, timeout=WRITE_SECONDS)
            if turn.done() and not turn.cancelled():
                turn.exception()

    async def _forget(self, session: str) -> None:
        try:
            await self._stage.reset(session)
        except TroupeError as error:
            # Its lifetime in the store ends it anyway.
            log.warning("old conversation stays for now", error=error)


# ── the stream ──────────────────────────────────────────────────────────────────────────────


async def _relay(response: web.StreamResponse, sink: _Latest, turn: asyncio.Task[Account]) -> None:
    """Send what is new of the text, until the turn is over."""
    sent = ""
    while True:
        try:
            await asyncio.wait_for(sink.changed.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            await _line(response, {"type": "wait"})
            continue
        sink.changed.clear()
        text = sink.text
        if text != sent:
            grown = text.startswith(sent)
            kind = "add" if grown else "show"
            await _line(response, {"type": kind, "text": text[len(sent) :] if grown else text})
            sent = text
        if turn.done() and sink.text == sent:
            return


def _ending(turn: asyncio.Task[Account]) -> dict[str, Any]:
    """Return the last line: the account, or what went wrong in one line for the person."""
    if turn.cancelled():
        return _failure("cancelled", "The reply was stopped.")
    error = turn.exception()
    if error is None:
        return {"type": "account", "account": turn.result().to_json()}
    if isinstance(error, TimeoutError):
        return _failure("timeout", "The reply took too long. Please try again.")
    if not isinstance(error, UserFacing):
        log.error("turn failed", exc_info=error)
    code = "busy" if isinstance(error, Busy) else "failed"
    return _failure(code, notice_for(error))


def _failure(code: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"code": code, "message": message}}


async def _line(response: web.StreamResponse, line: dict[str, Any]) -> None:
    """Write one line.

    Raises:
        TimeoutError: the reader does not read.
        ConnectionError: the reader is gone.
    """
    data = json.dumps(line, ensure_ascii=True, default=str).encode() + b"\n"
    await asyncio.wait_for(response.write(data), WRITE_SECONDS)


# ── requests and answers ────────────────────────────────────────────────────────────────────


@contextmanager
def _held(sessions: Sessions, ident: str) -> Iterator[None]:
    """Hold a session for a turn; its errors become HTTP answers."""
    with ExitStack() as stack:
        try:
            stack.enter_context(sessions.turn(ident))
        except NotFound as error:
            raise problem(web.HTTPNotFound, "session", error.text) from error
        except Busy as error:
            raise problem(web.HTTPConflict, "busy", error.text) from error
        yield


async def _read(request: web.Request, kind: type[_AnyBody]) -> _AnyBody:
    """Return the checked body."""
    if request.content_type != "application/json":
        raise problem(web.HTTPUnsupportedMediaType, "json", "Send application/json.")
    try:
        body = await asyncio.wait_for(request.read(), READ_SECONDS)
        return kind.model_validate_json(body)
    except TimeoutError as error:
        raise problem(web.HTTPRequestTimeout, "timeout", "The request took too long.") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        line = f"{where}: {first['msg'].removeprefix('Value error, ')}"
        raise problem(web.HTTPUnprocessableEntity, "invalid", line[:200]) from error


def _locale(request: web.Request) -> str | None:
    """Return the language that a browser asks for first."""
    first = request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].strip()
    return first if _LOCALE.fullmatch(first) else None


def _json(answer: dict[str, Any]) -> web.Response:
    return web.json_response(answer, headers={"Cache-Control": "no-store"})


def _cacheable(request: web.Request, content: bytes, kind: str) -> web.Response:
    tag = hashlib.sha256(content).hexdigest()[:24]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    charset = None if kind == "image/png" else "utf-8"
    return web.Response(body=content, content_type=kind, charset=charset, headers=headers)
