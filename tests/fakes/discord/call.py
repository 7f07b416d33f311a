"""One REST call, and the table of routes that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes.discord.errors import ApiError, invalid

if TYPE_CHECKING:
    from tests.fakes.discord.rest import Rest

Handler = Callable[["Rest", "Call"], Any]
"""Takes the server and the call; returns the JSON body, or None for 204."""


@dataclass(slots=True)
class Call:
    """A request, taken apart."""

    method: str
    path: str
    template: str
    params: dict[str, str]
    query: dict[str, str]
    body: Any = None
    files: list[tuple[str, bytes, str]] = field(default_factory=list)
    """Name, content and content type of each uploaded file, in order."""
    status: int = 200

    def id(self, name: str) -> int:
        """Return a path parameter that must be a snowflake.

        Raises:
            ApiError: 50035.
        """
        value = self.params[name]
        if not value.isdecimal() or len(value) > 20:
            raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        return int(value)

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """Return a bounded query parameter.

        Raises:
            ApiError: 50035.
        """
        value = self.query.get(name)
        if value is None:
            return default
        if not value.isdecimal() or not low <= int(value) <= high:
            raise invalid(name, "NUMBER_TYPE_MAX", f"int value should be {low} to {high}.")
        return int(value)

    def snowflake(self, name: str) -> int | None:
        """Return an optional id in the query."""
        value = self.query.get(name)
        return int(value) if value and value.isdecimal() else None

    @property
    def json(self) -> dict[str, Any]:
        """Return the body, which must be an object.

        Raises:
            ApiError: 50109.
        """
        if not isinstance(self.body, dict):
            raise ApiError(400, 50109)
        return self.body


@dataclass(slots=True, frozen=True)
class Route:
    """A template and what answers it."""

    method: str
    template: str
    handler: Handler
    bucket: str | None
    token: bool
    exempt: bool
    parts: tuple[str, ...]


class RouteTable:
    """Finds the route of a path."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[Route]] = {}

    def route(
        self,
        method: str,
        template: str,
        *,
        bucket: str | None = None,
        token: bool = True,
        exempt: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Register a handler.

        Args:
            method: HTTP method.
            template: path with parameters in braces.
            bucket: its rate-limit bucket.
            token: whether the bot's token is needed.
            exempt: whether the global limit leaves it alone.
        """

        def register(handler: Handler) -> Handler:
            parts = tuple(template.strip("/").split("/"))
            found = Route(method, template, handler, bucket, token, exempt, parts)
            routes = self._routes.setdefault((method, len(parts)), [])
            routes.append(found)
            routes.sort(key=lambda r: [part.startswith("{") for part in r.parts])
            return handler

        return register

    def find(self, method: str, parts: list[str]) -> tuple[Route, dict[str, str]] | None:
        """Return the route of these path segments and its parameters; literals win."""
        for candidate in self._routes.get((method, len(parts)), ()):
            params = _match(candidate.parts, parts)
            if params is not None:
                return candidate, params
        return None


def _match(template: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    params = {}
    for expected, actual in zip(template, parts, strict=True):
        if expected.startswith("{"):
            params[expected[1:-1]] = actual
        elif expected != actual:
            return None
    return params


routes = RouteTable()
