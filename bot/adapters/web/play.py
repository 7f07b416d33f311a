"""The playground: one page on which a person talks to the personas and sees how it came about.

Every reply runs through the same pipeline as on Discord; `Stage` is that pipeline's face here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot.adapters.web.access import Access, dress, guard, problem
from bot.adapters.web.relaying import (
    WRITE_SECONDS,
    Account,
    Latest,
    PlaySink,
    ending,
    relay,
    write,
)
from bot.adapters.web.requests import (
    Body,
    Login,
    Say,
    Session,
    answered,
    cacheable,
    locale_of,
    read,
)
from bot.adapters.web.sessions import Sessions
from bot.chat.notices import notice_for
from bot.chat.stage import MAX_TEXT, PersonaSummary, Spoken, StageStatus
from bot.errors import Busy, NotFound, TroupeError
from bot.languages import reading

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024
TURN_SECONDS = 600.0
STATIC = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
PNG = b"\x89PNG\r\n\x1a\n"


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
        body = await read(request, Login)
        if not self._access.is_token(body.token):
            raise problem(web.HTTPUnauthorized, "token", "That is not the playground's token.")
        response = web.json_response({"ok": True})
        self._access.remember(request, response)
        return response

    async def _state(self, _request: web.Request) -> web.Response:
        return answered(
            {
                "status": asdict(self._stage.status()),
                "personas": [asdict(persona) for persona in self._stage.personas()],
                "limits": {"text": MAX_TEXT},
            }
        )

    async def _open(self, request: web.Request) -> web.Response:
        await read(request, Body)
        try:
            ident, gone = self._sessions.open()
        except Busy as busy:
            raise problem(web.HTTPServiceUnavailable, "busy", busy.text) from busy
        for old in gone:
            await self._forget(old)
        return answered({"session": ident})

    async def _talk(self, request: web.Request) -> web.Response:
        """Tell what was said. Whoever names a conversation that is stored has had it before a
        restart: nobody guesses its id."""
        body = await read(request, Session)
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
        return answered({"talk": [asdict(spoken) for spoken in talk]})

    async def _reset(self, request: web.Request) -> web.Response:
        body = await read(request, Session)
        with _held(self._sessions, body.session):
            try:
                await self._stage.reset(body.session)
            except TroupeError as error:
                log.warning("reset failed", error=error)
                line = notice_for(error)
                raise problem(web.HTTPServiceUnavailable, "failed", line) from error
        return answered({"ok": True})

    async def _avatar(self, request: web.Request) -> web.Response:
        picture = await self._stage.avatar(request.match_info["persona"])
        if picture is None or not picture.startswith(PNG):
            raise problem(web.HTTPNotFound, "not_found", "There is no such picture.")
        return cacheable(request, picture, "image/png")

    async def _file(self, request: web.Request) -> web.Response:
        name = "/index.html" if request.path == "/" else request.path
        content = self._files.get(name)
        if content is None:
            raise problem(web.HTTPNotFound, "not_found", "There is no such page.")
        return cacheable(request, content, TYPES[Path(name).suffix])

    async def _say(self, request: web.Request) -> web.StreamResponse:
        body = await read(request, Say)
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
            await self._run(response, body, locale_of(request))
            return response

    async def _run(self, response: web.StreamResponse, body: Say, locale: str | None) -> None:
        """Run the turn while its reader stays."""
        sink = Latest()
        turn = asyncio.create_task(
            asyncio.wait_for(
                self._stage.say(body.session, body.text, body.persona, sink, locale), TURN_SECONDS
            )
        )
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        turn.add_done_callback(lambda _: sink.changed.set())
        try:
            await relay(response, sink, turn)
            with reading(locale):
                await write(response, ending(turn))
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
