"""Who may use the playground: hosts, origins, the token; and the headers of every answer."""

from __future__ import annotations

import hmac
import json
import secrets
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr

from bot.adapters.web.server import is_loopback

log = structlog.get_logger(__name__)

COOKIE = "troupe_play"
COOKIE_SECONDS = 12 * 3600

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def problem(kind: type[web.HTTPException], code: str, message: str) -> web.HTTPException:
    """Return an HTTP error whose body is JSON: a code for the page, a line for the person."""
    body = json.dumps({"error": {"code": code, "message": message}})
    return kind(text=body, content_type="application/json")


class Access:
    """Checks of a request, in order: host, origin, token."""

    def __init__(self, token: SecretStr | None) -> None:
        self._token = token.get_secret_value().encode() if token else None
        # Made anew at each start, so that the cookie is no lasting copy of the token.
        self._cookie = secrets.token_urlsafe(32)

    def check_host(self, request: web.Request) -> None:
        """Refuse names that are not loopback, against DNS rebinding.

        With a token any name will do: a page under another name has no cookie of ours.
        """
        if self._token is None and not is_loopback(_hostname(request.host)):
            raise problem(
                web.HTTPForbidden,
                "host",
                "Open the page as http://127.0.0.1 or http://localhost, or set PLAY_TOKEN.",
            )

    def check_origin(self, request: web.Request) -> None:
        """Refuse requests that another site's page sends in the reader's name."""
        origin = request.headers.get("Origin")
        foreign = origin is not None and origin.partition("://")[2] != request.host
        if foreign or request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise problem(web.HTTPForbidden, "origin", "Requests of other sites are refused.")

    def check_token(self, request: web.Request) -> None:
        """Refuse who has neither the cookie nor `Authorization: Bearer TOKEN`."""
        if self._token is None or self._has_cookie(request):
            return
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self.is_token(given.strip()):
            raise problem(web.HTTPUnauthorized, "token", "Please give the playground's token.")

    def is_token(self, given: str) -> bool:
        """Compare in constant time."""
        mine = self._token or b""
        return bool(mine) and hmac.compare_digest(given.encode("utf-8", "replace"), mine)

    def remember(self, request: web.Request, response: web.Response) -> None:
        """Set the cookie of somebody who gave the token."""
        response.set_cookie(
            COOKIE,
            self._cookie,
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Strict",
            secure=request.secure,
        )

    def _has_cookie(self, request: web.Request) -> bool:
        given = request.cookies.get(COOKIE, "").encode("utf-8", "replace")
        return hmac.compare_digest(given, self._cookie.encode())


def guard(access: Access, *, open_paths: frozenset[str]) -> Middleware:
    """Return the middleware that checks every request and dresses every answer.

    Paths outside `/api/`, and `open_paths`, need no token: they are the page itself.
    """

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            access.check_host(request)
            if request.path.startswith("/api/"):
                access.check_origin(request)
                if request.path not in open_paths:
                    access.check_token(request)
            return await handler(request)
        except web.HTTPException as error:
            return _as_json(error)
        except Exception:  # the last line of defence of a handler: log it, answer 500
            log.exception("request failed", path=request.path)
            return _as_json(web.HTTPInternalServerError())

    return checked


async def dress(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers just before the answer is sent."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _as_json(error: web.HTTPException) -> web.Response:
    if error.content_type == "application/json":
        body = error.text or ""
    else:
        code = error.reason.lower().replace(" ", "_")
        body = json.dumps({"error": {"code": code, "message": f"{error.reason}."}})
    answer = web.Response(status=error.status, text=body, content_type="application/json")
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _hostname(host: str) -> str:
    """Return the name within a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
