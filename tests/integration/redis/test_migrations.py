"""Migrations: numbered, checked, locked, once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.adapters.redis import Client, keys, migrations
from bot.adapters.redis.migrations import MigrationReport, migrate, pending
from bot.errors import MigrationError
from bot.files.data_files import migrations_dir, personas_dir
from tests.fakes import PATIENCE

COUNT = "async def up(m):\n    await m.write('INCR', 'troupe:{test}:ran')\n"
SLOW = "import asyncio\n" + COUNT + "    await asyncio.sleep(0.3)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.py").write_text(COUNT)
    (tmp_path / "0002_second.py").write_text(COUNT)
    return tmp_path


async def ran(redis: Client) -> int:
    return int(await redis.get("troupe:{test}:ran") or 0)


async def test_the_shipped_migrations_run(redis: Client) -> None:
    report = await migrate(redis, migrations_dir())
    assert report.applied[0] == "0001_initial"
    assert report.version == len(report.applied)
    assert await redis.hget("troupe:{schema}:info", "layout") == b"1"
    assert (personas_dir() / "..").is_dir()


async def test_each_runs_once_in_order(redis: Client, folder: Path) -> None:
    assert await pending(redis, folder) == ("0001_first", "0002_second")
    assert await migrate(redis, folder) == MigrationReport(("0001_first", "0002_second"), (), 2, 2)
    assert await migrate(redis, folder) == MigrationReport((), (), 2)
    assert await pending(redis, folder) == ()
    (folder / "0003_third.py").write_text(COUNT)
    assert (await migrate(redis, folder)).applied == ("0003_third",)
    assert await ran(redis) == 3
    assert await redis.exists(keys.SCHEMA_LOCK) == 0


async def test_a_dry_run_writes_nothing(redis: Client, folder: Path) -> None:
    report = await migrate(redis, folder, dry_run=True)
    assert report == MigrationReport((), ("0001_first", "0002_second"), 0, 2)
    assert await redis.dbsize() == 0


async def test_of_four_at_once_exactly_one_runs(redis: Client, folder: Path) -> None:
    (folder / "0002_second.py").write_text(SLOW)
    reports = await asyncio.gather(*(migrate(redis, folder) for _ in range(4)))
    assert sorted(len(report.applied) for report in reports) == [0, 0, 0, 2]
    assert await ran(redis) == 2


async def test_who_does_not_want_to_wait_is_told(redis: Client, folder: Path) -> None:
    (folder / "0002_second.py").write_text(SLOW)
    answers = await asyncio.gather(
        *(migrate(redis, folder, wait_s=0) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(answer, MigrationReport) for answer in answers) == 1
    assert sum(isinstance(answer, MigrationError) for answer in answers) == 3
    assert await ran(redis) == 2


async def test_a_file_that_was_changed_after_it_ran_is_refused(redis: Client, folder: Path) -> None:
    await migrate(redis, folder)
    (folder / "0001_first.py").write_text(COUNT + "#")
    for dry_run in (True, False):
        with pytest.raises(MigrationError, match=r"0001_first\.py was changed"):
            await migrate(redis, folder, dry_run=dry_run)


async def test_a_database_of_a_newer_program_is_refused(redis: Client, folder: Path) -> None:
    await migrate(redis, folder)
    (folder / "0002_second.py").unlink()
    with pytest.raises(MigrationError, match="the database has schema 2, this program knows 1"):
        await migrate(redis, folder)
    with pytest.raises(MigrationError):
        await pending(redis, folder)


@pytest.mark.parametrize("name", ["0004_gap.py", "0002_twice.py", "third.py", "0003_Third.py"])
async def test_wrong_numbers_and_names_are_refused(redis: Client, folder: Path, name: str) -> None:
    (folder / name).write_text(COUNT)
    with pytest.raises(MigrationError):
        await migrate(redis, folder)
    assert await redis.dbsize() == 0


@pytest.mark.parametrize(
    "code", ["syntax error", "x = 1", "async def up(m):\n    1 / 0\n", "raise SystemError"]
)
async def test_one_that_fails_is_named_and_tried_again(
    redis: Client, folder: Path, code: str
) -> None:
    (folder / "0002_second.py").write_text(code)
    with pytest.raises(MigrationError, match="0002_second"):
        await migrate(redis, folder)
    assert await pending(redis, folder) == ("0002_second",)
    assert await redis.exists(keys.SCHEMA_LOCK) == 0
    (folder / "0002_second.py").write_text(COUNT)
    assert (await migrate(redis, folder)).applied == ("0002_second",)


async def test_a_runner_that_lost_its_lock_stops(
    redis: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_S", 0.3)
    (folder / "0002_second.py").write_text(
        "import asyncio\n"
        + COUNT.replace("    await m", "    await asyncio.sleep(3600)\n    await m")
    )
    work = asyncio.create_task(migrate(redis, folder))
    while not await redis.exists(keys.SCHEMA_LOCK):
        await asyncio.sleep(0.01)
    await redis.set(keys.SCHEMA_LOCK, "somebody else")
    with pytest.raises(MigrationError, match="lost"):
        await asyncio.wait_for(work, PATIENCE)
    assert await ran(redis) == 1
    assert await redis.get(keys.SCHEMA_LOCK) == b"somebody else"


async def test_a_lock_is_renewed_while_the_work_goes_on(
    redis: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_S", 0.25)
    (folder / "0002_second.py").write_text(SLOW.replace("0.3", "0.8"))
    slow = asyncio.create_task(migrate(redis, folder))
    while not await redis.exists(keys.SCHEMA_LOCK):
        await asyncio.sleep(0.01)
    assert (await migrate(redis, folder)).applied == ()
    assert (await slow).applied == ("0001_first", "0002_second")
    assert await ran(redis) == 2


async def test_keys_are_found_by_scanning(redis: Client, folder: Path) -> None:
    for number in range(1500):
        await redis.set(f"troupe:{{c:{number}}}:old", "x")
    (folder / "0001_first.py").write_text(
        "async def up(m):\n"
        "    async for key in m.keys('troupe:{c:*}:old'):\n"
        "        assert await m.read('TYPE', key)\n"
        "        await m.write('RENAME', key, key.removesuffix('old') + 'new')\n"
    )
    report = await migrate(redis, folder)
    assert report.writes == 1501
    assert await redis.exists("troupe:{c:7}:new", "troupe:{c:7}:old") == 1


async def test_an_unreadable_record_of_what_ran_is_refused(redis: Client, folder: Path) -> None:
    await redis.hset(keys.SCHEMA_APPLIED, "1", "nonsense")
    with pytest.raises(MigrationError, match="can't be read"):
        await migrate(redis, folder)
