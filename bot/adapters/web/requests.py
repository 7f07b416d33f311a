"""What a page sends, checked, and how it is answered."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.adapters.web.access import problem
from bot.chat.stage import MAX_TEXT

READ_SECONDS = 10.0
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")


class Body(BaseModel):
    """Nothing but what is asked for."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Login(Body):
    """The playground's token."""

    token: str = Field(max_length=512)


class Session(Body):
    """A conversation, by its id."""

    session: str = Field(min_length=1, max_length=64)


class Say(Session):
    """What a person says, and to whom; None lets the router choose."""

    text: str = Field(max_length=MAX_TEXT)
    persona: str | None = Field(default=None, max_length=128)

    @field_validator("text")
    @classmethod
    def _printable(cls, value: str) -> str:
        kept = "".join(c for c in value if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127)).strip()
        if not kept:
            raise ValueError("is empty")
        return kept


AnyBody = TypeVar("AnyBody", bound=Body)


async def read(request: web.Request, kind: type[AnyBody]) -> AnyBody:
    """Return the checked body.

    Raises:
        web.HTTPException: it is none of this kind, or does not come.
    """
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


def locale_of(request: web.Request) -> str | None:
    """Return the language that a browser asks for first."""
    first = request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].strip()
    return first if _LOCALE.fullmatch(first) else None


def answered(answer: dict[str, Any]) -> web.Response:
    """Return an answer that nobody keeps."""
    return web.json_response(answer, headers={"Cache-Control": "no-store"})


def cacheable(request: web.Request, content: bytes, kind: str) -> web.Response:
    """Return a file, or that the browser has it already."""
    tag = hashlib.sha256(content).hexdigest()[:24]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    charset = None if kind == "image/png" else "utf-8"
    return web.Response(body=content, content_type=kind, charset=charset, headers=headers)
