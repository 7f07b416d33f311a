"""Opening the database: to work with it, or only to look at it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.adapters.redis import Sealer, check_seal, look_into_database, open_database
from bot.errors import RecordCorrupt, StoreError

SEALER = Sealer([("a", bytes(32))])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_looking_at_nothing_makes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with AsyncExitStack() as stack:
        redis = await look_into_database(None, data, stack)
        assert await redis.dbsize() == 0
        await check_seal(redis, SEALER, only_look=True)
        assert await redis.dbsize() == 0
    assert not data.exists()


async def test_looking_sees_what_is_stored_and_changes_no_file(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        redis = await open_database(None, tmp_path, stack)
        await check_seal(redis, SEALER)
        async with AsyncExitStack() as second:  # beside a server that runs
            beside = await look_into_database(None, tmp_path, second)
            await redis.set("k", "v")
            assert await beside.get("k") == b"v"
        assert await redis.get("k") == b"v"
    before = contents(tmp_path)
    async with AsyncExitStack() as stack:
        redis = await look_into_database(None, tmp_path, stack)
        assert await redis.get("k") == b"v"
        await redis.set("k", "other")
        await check_seal(redis, SEALER, only_look=True)
        with pytest.raises(RecordCorrupt, match="other encryption keys"):
            await check_seal(redis, Sealer([("b", bytes(range(32)))]), only_look=True)
    assert contents(tmp_path) == before


async def test_who_joins_a_private_server_does_not_say_that_it_started_one(tmp_path: Path) -> None:
    with capture_logs() as said:
        async with AsyncExitStack() as stack:
            await open_database(None, tmp_path, stack)
            await open_database(None, tmp_path, stack)
    assert [each["event"] for each in said] == ["private Redis started", "private Redis shared"]


async def test_a_configured_server_that_is_away_is_named_by_its_setting(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        for opened in (open_database, look_into_database):
            with pytest.raises(StoreError, match="check REDIS_URL"):
                await opened("redis://127.0.0.1:9/0", tmp_path, stack)


async def answer_as_version_6(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while header := await reader.readline():
        words = []
        for _ in range(int(header[1:])):
            size = int((await reader.readline())[1:])
            words.append((await reader.readexactly(size + 2))[:-2])
        told = b"# Server\r\nredis_version:6.2.14\r\n"
        answers = {b"PING": b"+PONG\r\n", b"INFO": b"$%d\r\n%b\r\n" % (len(told), told)}
        writer.write(answers.get(words[0], b"+OK\r\n"))
    writer.close()


async def test_a_server_that_is_too_old_is_refused_with_its_version(tmp_path: Path) -> None:
    server = await asyncio.start_unix_server(answer_as_version_6, tmp_path / "old.sock")
    async with server, AsyncExitStack() as stack:
        with pytest.raises(StoreError, match=r"version 6\.2\.14; 7\.0 or newer"):
            await open_database(f"unix://{tmp_path}/old.sock", tmp_path, stack)
