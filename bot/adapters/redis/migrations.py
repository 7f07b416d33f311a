"""Numbered changes of the Redis schema: `migrations/0001_name.py`, each with `async def up(m)`.

One runner works at a time, under a lock that it renews. A migration that fails halfway is not
recorded and runs again from its start, so that `up` must be able to run twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.scripts import Argument, Script
from bot.errors import MigrationError, StoreError

FILE_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.py")
LOCK_S: Final = 30.0
RENEWALS: Final = 3
WAIT_S: Final = 60.0
"""Longest wait for another process that is just migrating."""
SCAN_COUNT: Final = 500

RENEW: Final = Script("lock_renew")
RELEASE: Final = Script("release")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """A migration on disk."""

    number: int
    name: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a run did. `pending` is what is still to do: after a dry run, what it would do."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    version: int
    """Number of the database's last migration."""
    writes: int = 0
    """Write commands that were sent or, in a dry run, would have been."""


class Migration:
    """What `up` works with."""

    def __init__(self, redis: Client, *, dry_run: bool) -> None:
        self._redis = redis
        self._dry_run = dry_run
        self.writes = 0

    async def read(self, *command: Argument) -> Any:
        """Send a command that changes nothing, and return its answer."""
        with store_errors(self._redis):
            return await self._redis.execute_command(*command)

    async def write(self, *command: Argument) -> Any:
        """Send a command that changes something; in a dry run count it only."""
        self.writes += 1
        if self._dry_run:
            return None
        with store_errors(self._redis):
            return await self._redis.execute_command(*command)

    async def keys(self, pattern: str) -> AsyncIterator[str]:
        """Yield the names of keys, on every node of a cluster; some may come twice."""
        names = self._redis.scan_iter(match=pattern, count=SCAN_COUNT)
        while True:
            with store_errors(self._redis):
                try:
                    name = await anext(names)
                except StopAsyncIteration:
                    return
            yield name.decode("utf-8", "replace") if isinstance(name, bytes) else name


async def migrate(
    redis: Client, directory: Path, *, dry_run: bool = False, wait_s: float = WAIT_S
) -> MigrationReport:
    """Bring the database to the newest schema. Running it again changes nothing.

    Args:
        redis: the database.
        directory: the folder of migrations.
        dry_run: write nothing at all, and report what would be done.
        wait_s: how long to wait for another process that is migrating; it then finds the work
            done.

    Raises:
        MigrationError: the files have gaps, one was changed after it ran, the database is newer
            than the program, another process holds the lock, or a migration failed.
        StoreError: Redis is away.
    """
    files = await asyncio.to_thread(read_migrations, directory)
    if dry_run:
        return await _apply(redis, files, dry_run=True)
    if not await _due(redis, files):
        return MigrationReport((), (), files[-1].number if files else 0)
    async with _lock(redis, wait_s) as guard:
        return await guard(_apply(redis, files, dry_run=False))


async def pending(redis: Client, directory: Path) -> tuple[str, ...]:
    """Return the names of the migrations that are still to run.

    Raises:
        MigrationError: the files and the database do not fit; see `migrate`.
        StoreError: Redis is away.
    """
    files = await asyncio.to_thread(read_migrations, directory)
    return tuple(file.path.stem for file in await _due(redis, files))


def read_migrations(directory: Path) -> list[MigrationFile]:
    """Return the folder's migrations in order. Blocking.

    Raises:
        MigrationError: the folder can't be read, or the numbers have gaps.
    """
    files: list[MigrationFile] = []
    try:
        for path in sorted(directory.iterdir()):
            match = FILE_NAME.fullmatch(path.name)
            if match is not None:
                checksum = hashlib.sha256(path.read_bytes()).hexdigest()
                files.append(MigrationFile(int(match[1]), match[2], path, checksum))
            elif path.suffix == ".py" and path.name != "__init__.py":
                raise MigrationError(f"{path.name} is no migration: name it 0001_what.py")
    except OSError as error:
        raise MigrationError(f"{directory} can't be read: {error.strerror}") from error
    if [file.number for file in files] != list(range(1, len(files) + 1)):
        raise MigrationError(f"the migrations in {directory} must be numbered 0001, 0002, …")
    return files


async def _due(redis: Client, files: list[MigrationFile]) -> list[MigrationFile]:
    """Return what is to run, once what has run is found to fit the files."""
    with store_errors(redis):
        stored = await redis.hgetall(keys.SCHEMA_APPLIED)
    try:
        applied = {int(number): json.loads(record)["sha256"] for number, record in stored.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise MigrationError(f"{keys.SCHEMA_APPLIED} can't be read: restore a backup") from error
    if applied and max(applied) > len(files):
        raise MigrationError(
            f"the database has schema {max(applied)}, this program knows {len(files)}: "
            "run the newer program, or restore an older backup"
        )
    due: list[MigrationFile] = []
    for file in files:
        checksum = applied.get(file.number)
        if checksum is None:
            due.append(file)
        elif due:
            raise MigrationError(f"the database has {file.path.stem} but not {due[0].path.stem}")
        elif checksum != file.sha256:
            raise MigrationError(
                f"{file.path.name} was changed after it ran: restore it, and add a new one"
            )
    return due


async def _apply(redis: Client, files: list[MigrationFile], *, dry_run: bool) -> MigrationReport:
    due = await _due(redis, files)
    names = tuple(file.path.stem for file in due)
    version = len(files) - len(due)
    writes = 0
    for file in due:
        migration = Migration(redis, dry_run=dry_run)
        try:
            up = await asyncio.to_thread(_load, file)
            await up(migration)
        except StoreError:
            raise
        except Exception as error:  # a migration's own code may raise anything
            raise MigrationError(f"{file.path.name} failed: {error!r}") from error
        writes += migration.writes
        if dry_run:
            continue
        record = {"name": file.name, "sha256": file.sha256, "at": int(time.time())}
        with store_errors(redis):
            await redis.hset(keys.SCHEMA_APPLIED, str(file.number), json.dumps(record))
        version = file.number
        log.info("migration applied", migration=file.path.stem, writes=migration.writes)
    if dry_run:
        return MigrationReport((), names, version, writes)
    return MigrationReport(names, (), version, writes)


def _load(file: MigrationFile) -> Callable[[Migration], Awaitable[None]]:
    """Run the file, and return its `up`. Blocking."""
    spec = importlib.util.spec_from_file_location(f"troupe_migration_{file.number}", file.path)
    if spec is None or spec.loader is None:
        raise MigrationError(f"{file.path.name} can't be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    up: Callable[[Migration], Awaitable[None]] | None = getattr(module, "up", None)
    if up is None:
        raise MigrationError(f"{file.path.name} has no `async def up(migration)`")
    return up


Guard = Callable[[Awaitable[MigrationReport]], Awaitable[MigrationReport]]


@asynccontextmanager
async def _lock(redis: Client, wait_s: float) -> AsyncIterator[Guard]:
    """Hold the lock, and yield what runs work only as long as it is held."""
    token = secrets.token_hex(16)
    await _acquire(redis, token, wait_s)

    async def guard(work: Awaitable[MigrationReport]) -> MigrationReport:
        job = asyncio.ensure_future(work)
        beat = asyncio.create_task(_beat(redis, token), name="migration-lock")
        try:
            await asyncio.wait((job, beat), return_when=asyncio.FIRST_COMPLETED)
            if job.done():
                return job.result()
            raise MigrationError("the migration's lock was lost; run `troupe migrate` again")
        finally:
            job.cancel()
            beat.cancel()
            await asyncio.gather(job, beat, return_exceptions=True)

    try:
        yield guard
    finally:
        try:
            await RELEASE.run(redis, [keys.SCHEMA_LOCK], [token])
        except StoreError as error:
            log.warning("migration lock not released", reason=str(error))


async def _acquire(redis: Client, token: str, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        with store_errors(redis):
            if await redis.set(keys.SCHEMA_LOCK, token, nx=True, px=int(LOCK_S * 1000)):
                return
            if await redis.get(keys.SCHEMA_LOCK) == token.encode():  # an answer that got lost
                return
        if time.monotonic() >= deadline:
            raise MigrationError("another process is migrating this database; wait for it to end")
        await asyncio.sleep(0.1)


async def _beat(redis: Client, token: str) -> None:
    """Renew the lock; return when it is lost, or could not be renewed for its whole length."""
    renewed = time.monotonic()
    while time.monotonic() - renewed < LOCK_S * 0.9:
        await asyncio.sleep(LOCK_S / RENEWALS / 2)
        try:
            held = await RENEW.run(redis, [keys.SCHEMA_LOCK], [token, int(LOCK_S * 1000)])
        except StoreError:
            continue
        if not held:
            return
        renewed = time.monotonic()
