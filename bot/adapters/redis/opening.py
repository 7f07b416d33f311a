"""Opening the database of the settings: an operator's server, or the private one."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog

from bot.adapters.redis.connect import Client, open_redis, store_errors
from bot.adapters.redis.embedded import EmbeddedRedis, is_running
from bot.errors import StoreError

log = structlog.get_logger(__name__)


async def open_database(
    url: str | None,
    data_dir: Path,
    stack: AsyncExitStack,
    *,
    on_error: Callable[[str], None] | None = None,
) -> Client:
    """Connect to `url` or, without one, start the private server of `data_dir`.

    The stack closes the connection, then the server.

    Raises:
        StoreError: Redis is away; the text says what to do.
    """
    if url is not None:
        return await _configured(url, stack, on_error)
    server = EmbeddedRedis(data_dir)
    address = await _private(server, stack)
    event = "private Redis started" if server.started_here else "private Redis shared"
    log.info(event, data_dir=str(data_dir))
    return await _connected(address, stack, on_error)


async def look_into_database(url: str | None, data_dir: Path, stack: AsyncExitStack) -> Client:
    """Connect for reading only: nothing of `data_dir` is made or changed.

    A private server that runs is asked itself; else one is started on a copy of its files.

    Raises:
        StoreError: Redis is away; the text says what to do.
    """
    if url is not None:
        return await _configured(url, stack, None)
    folder = data_dir
    if not await asyncio.to_thread(is_running, data_dir):
        copy = tempfile.TemporaryDirectory(prefix="troupe-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(copy))
        await asyncio.to_thread(_copy_files, data_dir / "redis", folder / "redis")
    return await _connected(await _private(EmbeddedRedis(folder), stack), stack, None)


async def _configured(
    url: str, stack: AsyncExitStack, on_error: Callable[[str], None] | None
) -> Client:
    try:
        return await _connected(url, stack, on_error)
    except StoreError as error:
        raise StoreError(f"{error}; check REDIS_URL, or unset it for a private server") from error


async def _private(server: EmbeddedRedis, stack: AsyncExitStack) -> str:
    url = await server.start()
    stack.push_async_callback(server.stop)
    return url


async def _connected(
    url: str, stack: AsyncExitStack, on_error: Callable[[str], None] | None
) -> Client:
    redis = await open_redis(url, on_error=on_error)
    stack.push_async_callback(redis.aclose)
    await _check_version(redis)
    return redis


async def _check_version(redis: Client) -> None:
    """Refuse a server that lacks commands which the stores use. One that may not be asked is taken
    at its word.

    Raises:
        StoreError: it is too old.
    """
    found: Any = {}
    with contextlib.suppress(StoreError), store_errors(redis):
        found = await redis.info("server")
    version = str(found.get("redis_version", ""))
    if too_old(version):
        raise StoreError(f"this Redis is version {version}; 7.0 or newer is needed, or Valkey")


def too_old(version: str) -> bool:
    """Whether a server of this version has no `EXPIRE … NX`, which came with 7.0."""
    major = version.partition(".")[0]
    return major.isdecimal() and int(major) < 7


def _copy_files(source: Path, target: Path) -> None:
    """Copy what the server stored, without its socket and locks. Blocking."""
    if not source.is_dir():
        return
    try:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.sock", "*.lock", "*.log*"))
    except (OSError, shutil.Error) as error:
        raise StoreError(f"DATA_DIR: {source} can't be read") from error
