"""The one HTTP session of the adapter, and JSON calls over it; every error is one of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.adapters.ollama.refusals import classify
from bot.errors import BackendStalled, BackendUnavailable, BackendUnreachable, RequestRejected

CONNECT_SECONDS = 5.0
MAX_ERROR = 64 * 1024
"""Bytes of an error page that are read."""
MAX_BODY = 64 * 1024 * 1024
"""Bytes of an answer: a verbose `show` holds a whole vocabulary."""


def new_session(headers: Mapping[str, str]) -> aiohttp.ClientSession:
    """Return a session for all hosts. Our slots bound the connections, not the connector.

    `identity`: a proxy that compresses would hold tokens back. aiohttp sets TCP_NODELAY.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=0, ttl_dns_cache=60),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        headers={"Accept-Encoding": "identity", **headers},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


@asynccontextmanager
async def opened(
    session: aiohttp.ClientSession, method: str, base: str, path: str, body: bytes | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    """Yield the answer, whatever its status; the connection is closed unless it was read.

    A kept connection may have been closed by the host meanwhile, so a disconnect before the
    answer is tried once more. Redirects are not followed: they would carry credentials away.

    Raises:
        BackendUnreachable: no answer.
    """
    response = await _send(session, method, base, path, body)
    try:
        yield response
    finally:
        if response.content.at_eof():
            response.release()
        else:
            response.close()


async def _send(
    session: aiohttp.ClientSession, method: str, base: str, path: str, body: bytes | None
) -> aiohttp.ClientResponse:
    headers = {"Content-Type": "application/json"} if body is not None else None
    for attempt in (1, 2):
        try:
            return await session.request(
                method, base + path, data=body, headers=headers, allow_redirects=False
            )
        except aiohttp.ServerDisconnectedError as error:
            if attempt == 2:
                raise BackendUnreachable(_why(error), backend=base) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise BackendUnreachable(_why(error), backend=base) from error
        except RuntimeError as error:
            # aiohttp's word for a session that was closed while we are shutting down.
            raise BackendUnavailable("the pool is closed", backend=base) from error
    raise AssertionError("unreachable")  # pragma: no cover


def _why(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]


async def read_error(response: aiohttp.ClientResponse, seconds: float = 5.0) -> str:
    """Return the start of an error page; what can't be read in time is left out."""
    found = b""
    try:
        async with asyncio.timeout(seconds):
            while len(found) < MAX_ERROR and (chunk := await response.content.readany()):
                found += chunk
    except (TimeoutError, aiohttp.ClientError, OSError, RuntimeError):
        pass
    return found[:MAX_ERROR].decode("utf-8", "replace")


async def call_json(
    session: aiohttp.ClientSession,
    method: str,
    base: str,
    path: str,
    body: Any = None,
    *,
    timeout: float,
    model: str = "",
    most: int = MAX_BODY,
) -> dict[str, Any]:
    """Return the JSON object of an answer of at most so many bytes.

    Raises:
        BackendError: no answer in `timeout` seconds, an error answer, or no JSON object.
    """
    data = None if body is None else json.dumps(body).encode("utf-8")
    try:
        async with asyncio.timeout(timeout), opened(session, method, base, path, data) as response:
            if response.status != 200:
                text = await read_error(response, timeout)
                raise classify(response.status, text, backend=base, model=model).error
            value = json.loads(await _read(response, base, most))
    except TimeoutError:
        raise BackendStalled(f"no answer to {path} in {timeout:g} s", backend=base) from None
    except (aiohttp.ClientError, OSError) as error:
        raise BackendUnreachable(_why(error), backend=base) from error
    except (ValueError, RecursionError):
        raise BackendUnavailable(f"{path} is not Ollama's: no JSON", backend=base) from None
    except RuntimeError as error:
        # aiohttp's word for a connection that was closed under it: the pool goes down.
        raise BackendUnavailable("the connection was closed", backend=base) from error
    if not isinstance(value, dict):
        raise BackendUnavailable(f"{path} is not Ollama's: no JSON object", backend=base)
    return value


async def _read(response: aiohttp.ClientResponse, base: str, most: int) -> bytes:
    parts, size = [], 0
    while chunk := await response.content.readany():
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            raise RequestRejected("the answer is beyond any measure", backend=base)
    return b"".join(parts)
