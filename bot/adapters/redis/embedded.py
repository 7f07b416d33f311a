"""A private Redis server, for when no REDIS_URL is set.

One server process serves one data directory: it listens on a unix socket only, in a directory
that nobody else may enter, and writes an append-only file. The server runs in a session of its
own: Ctrl-C stops the bot, which then stops the server in order. When the bot is killed the server
lives on, with everything it had accepted, and the next start uses it again. With
`appendfsync everysec` a write survives the death of the bot and of the server at once, and a power
cut save for the last second.

Three locks, all `flock` so that the kernel frees them with their holders:

    start.lock   held while a bot starts or stops the server
    server.lock  held by the server process itself, through an inherited descriptor: free means
                 that no server has these files open
    users.lock   shared by every bot that uses the server; the last one stops it
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.adapters.redis.connect import store_errors
from bot.adapters.redis.rewriting import write_anew, written_anew
from bot.adapters.redis.server_files import (
    ServerFiles,
    find_server_binary,
    last_log_lines,
    prepare_files,
)
from bot.errors import StoreError

START_S = 60.0
"""Longest wait for a server to load its file."""
TURN_S = 30.0
"""Longest wait for another bot that is just starting or stopping the server."""
STOP_S = 8.0
"""Longest wait after each of SHUTDOWN, SIGTERM and SIGKILL."""
LOOK_S = 0.5
"""How often a running bot looks whether the server is still alive."""
RETRY_S = 5.0
"""How long to wait after a look, or a restart, that failed."""
LOCK_S = 1.0
"""Longest wait for somebody who only looks whether the server lives."""
POLL_S = 0.02

log = structlog.get_logger(__name__)


def is_running(data_dir: Path) -> bool:
    """Whether the server of a data directory runs. Blocking; makes nothing."""
    lock = data_dir.resolve() / "redis" / "server.lock"
    return lock.exists() and not _is_free(lock)


class EmbeddedRedis:
    """Starts, shares, watches and stops the server of one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._files: ServerFiles | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._use: int | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Start the server, or use the one that runs already. Return its URL.

        Raises:
            StoreError: no server binary, a directory that can't be used, or a server that does
                not come up; the text says what to do.
        """
        self._files = files = await asyncio.to_thread(prepare_files, self._data_dir)
        async with _turn(files):
            try:
                await self._ensure(files)
            except BaseException:  # also when it is cancelled: the server stays for others
                self._let_go()
                raise
            if self._use is None:
                self._use = _open_lock(files.users_lock)
                fcntl.flock(self._use, fcntl.LOCK_SH)
        if self._watch is None:
            self._watch = asyncio.create_task(self._keep_alive(files), name="embedded-redis")
        return f"unix://{quote(str(files.socket))}"

    @property
    def started_here(self) -> bool:
        """Whether we started the server that runs, and did not join another bot's."""
        return self._process is not None

    async def stop(self) -> None:
        """Stop using the server; the last user stops it, within bounds of time."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        files, use = self._files, self._use
        if files is None or use is None:
            return
        self._use = None
        try:
            async with _turn(files):
                fcntl.flock(use, fcntl.LOCK_UN)
                if _try_lock(use):
                    await self._shut_down(files)
        finally:
            os.close(use)
            self._let_go()

    async def _keep_alive(self, files: ServerFiles) -> None:
        """Start the server again when it dies."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if not _is_free(files.server_lock):
                    continue
                log.error("private Redis died", lines=last_log_lines(files.log))
                async with _turn(files):
                    await self._ensure(files)
            except (StoreError, OSError) as error:  # a full disk, or no descriptors left, say
                log.error("private Redis not restarted", reason=str(error))  # noqa: TRY400  # its trace tells nothing
                await asyncio.sleep(RETRY_S)

    async def _ensure(self, files: ServerFiles) -> None:
        """Have a server that answers. The caller holds the start lock."""
        if not _is_free(files.server_lock) and await self._answers(files):
            return  # it ran already; had it died meanwhile, a new one is started
        await self._spawn(files)
        if not await self._answers(files):
            raise StoreError(
                f"the private Redis stopped while it started; see {files.log}\n"
                + "\n".join(last_log_lines(files.log))
            )

    async def _spawn(self, files: ServerFiles) -> None:
        binary = await asyncio.to_thread(find_server_binary)
        files.socket.unlink(missing_ok=True)
        lock = _open_lock(files.server_lock)
        try:
            if not await _within(LOCK_S, lambda: _try_lock(lock)):
                raise StoreError(f"another process uses {files.directory}")
            self._let_go()
            self._process = await asyncio.to_thread(_run_server, binary, files, lock)
        except OSError as error:
            raise StoreError(f"{binary} can't be started: {error.strerror}") from error
        finally:
            os.close(lock)

    def _let_go(self) -> None:
        """Reap the child if it has ended, and else leave it to whoever uses it still."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.returncode = 0  # Popen warns about a child that outlives it: here it should

    async def _answers(self, files: ServerFiles) -> bool:
        """Wait until the server answers from this directory. False when it ended instead."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            directory = await _directory_of(files.socket)
            if directory == str(files.directory):
                return True
            if directory is not None:
                raise StoreError(f"{files.socket} belongs to a server of another directory")
            if _is_free(files.server_lock):
                return False
            await asyncio.sleep(POLL_S)
        raise StoreError(f"the private Redis did not answer in {START_S:.0f} s; see {files.log}")

    async def _shut_down(self, files: ServerFiles) -> None:
        """Ask, then insist. The append-only file is flushed by SHUTDOWN and by SIGTERM alike."""
        ident = await _process_of(files.socket)
        async with _client(files.socket) as client:
            with contextlib.suppress(StoreError):
                await _rewrite(client)
                with store_errors(client):
                    await client.shutdown()
        for insist in (None, signal.SIGTERM, signal.SIGKILL):
            if insist is not None and ident is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(ident, insist)
            if await _within(STOP_S, lambda: _is_free(files.server_lock)):
                break
        else:
            log.error("private Redis not stopped", process=ident)
            return
        files.socket.unlink(missing_ok=True)


async def _rewrite(client: Redis) -> None:
    """Leave nothing in the append-only file that was deleted."""
    await write_anew(client)
    for _ in range(round(STOP_S / POLL_S)):
        if await written_anew(client):
            return
        await asyncio.sleep(POLL_S)


def _client(socket: Path) -> Redis:
    return Redis(
        unix_socket_path=str(socket),
        protocol=2,
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),
    )


async def _directory_of(socket: Path) -> str | None:
    """Return the directory of the server behind the socket; None while there is no answer."""
    async with _client(socket) as client:
        try:
            with store_errors(client):
                answer = await client.config_get("dir")
        except StoreError:  # not up yet, or still loading its file
            return None
    value = answer.get("dir")
    return value if isinstance(value, str) else None


async def _process_of(socket: Path) -> int | None:
    async with _client(socket) as client:
        try:
            with store_errors(client):
                return int((await client.info("server"))["process_id"])
        except (StoreError, KeyError, ValueError):
            return None


@contextlib.asynccontextmanager
async def _turn(files: ServerFiles) -> AsyncIterator[None]:
    """Hold the start lock."""
    lock = _open_lock(files.start_lock)
    try:
        if not await _within(TURN_S, lambda: _try_lock(lock)):
            raise StoreError(f"another process holds {files.start_lock}")
        yield
    finally:
        os.close(lock)


async def _within(seconds: float, done: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


def _run_server(binary: Path, files: ServerFiles, lock: int) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own, with the lock. Blocking."""
    with files.log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # a fixed command line, no shell
            [str(binary), *files.arguments()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=files.directory,
            pass_fds=(lock,),
            start_new_session=True,
            umask=0o077,
        )


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"{path} can't be opened: {error.strerror}") from error


def _try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_free(path: Path) -> bool:
    """Return whether nobody holds the lock. Looks through a shared lock of its own, so that two
    who look do not take each other for a holder."""
    descriptor = _open_lock(path)
    try:
        return _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)
