"""Hot reload of the route table: tried on canary messages, taken up between two messages."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bot.routing import Route, Router
from bot.routing.features import BITS
from bot.routing.promotion import CANARY, checked_router, promote, rollback
from bot.routing.router import SHIPPED
from bot.routing.table import write_table
from bot.routing.watch import TableWatch
from tests.fakes import PATIENCE

NOW = 1_000_000.0
FACT = "What is the capital of Mongolia?"


@cache
def table(
    threshold: float = 0.66, *, blank: bool = False, gate_shift: float | None = None
) -> bytes:
    """Return a table file: the shipped one with other numbers, or one that knows nothing."""
    shipped = Router.load().table
    assert shipped is not None
    weights = zlib.decompress(SHIPPED.read_bytes().partition(b"\n")[2])
    if blank:
        weights = bytes([128]) * (4 << BITS)
    header = replace(shipped.header, threshold=threshold)
    if gate_shift is not None:
        header = replace(header, gate_shift=gate_shift)
    return write_table(header, weights)


def threshold(router: Router) -> float:
    assert router.table is not None
    return router.table.header.threshold


class Reloads:
    """Remembers what the watch tells."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def __call__(self, outcome: str, router: Router) -> None:
        self.outcomes.append(outcome)


def test_the_canary_messages_are_many_and_the_shipped_table_passes_them() -> None:
    lines = [line for line in CANARY.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) >= 60
    for route in Route:
        assert sum(f'"{route.value}"' in line for line in lines) >= 15
    assert checked_router(SHIPPED).table is not None


async def test_a_new_table_is_taken_up(tmp_path: Path) -> None:
    router, reloads = Router.load(), Reloads()
    watch = TableWatch(router, [tmp_path / "route.table"], on_reload=reloads)
    assert not await watch.look()
    (tmp_path / "route.table").write_bytes(table(0.7))
    assert await watch.look()
    assert threshold(router) == 0.7
    assert not await watch.look()
    assert reloads.outcomes == ["loaded"]


async def test_a_file_that_goes_brings_the_shipped_table_back(tmp_path: Path) -> None:
    router = Router.load()
    shipped = threshold(router)
    file = tmp_path / "route.table"
    file.write_bytes(table(0.7))
    watch = TableWatch(router, [file])
    await watch.look()
    file.unlink()
    assert await watch.look()
    assert threshold(router) == shipped


async def test_promote_and_rollback_on_disk_are_followed(tmp_path: Path) -> None:
    router, file = Router.load(), tmp_path / "route.table"
    watch = TableWatch(router, [file])
    for number in (0.7, 0.72):
        new = tmp_path / "route.table.new"
        new.write_bytes(table(number))
        promote(new, file)
        await watch.look()
        assert threshold(router) == number
    rollback(file)
    await watch.look()
    assert threshold(router) == 0.7


def test_a_promotion_that_fails_leaves_the_table_in_service(tmp_path: Path) -> None:
    file = tmp_path / "route.table"
    file.write_bytes(table(0.7))
    with pytest.raises(FileNotFoundError):
        promote(tmp_path / "none", file)
    assert file.read_bytes() == table(0.7)


async def test_the_first_place_counts(tmp_path: Path) -> None:
    router = Router.load()
    first, second = tmp_path / "a.table", tmp_path / "b.table"
    first.write_bytes(table(0.7))
    second.write_bytes(table(0.72))
    await TableWatch(router, [first, second]).look()
    assert threshold(router) == 0.7


@pytest.mark.parametrize(
    "content",
    [
        lambda: table(blank=True),
        lambda: table(gate_shift=-10.0),
        lambda: table(gate_shift=10.0),
        lambda: b"",
        lambda: b"not a table",
        lambda: table()[:-100],
        lambda: table()[:200] + b"X" + table()[201:],
        lambda: b"{}\n" + table(),
        lambda: b"\x00" * 5_000_000,
    ],
    ids=[
        "knows nothing",
        "holds everything",
        "continues nothing",
        "empty",
        "text",
        "cut short",
        "damaged",
        "no header",
        "huge",
    ],
)
async def test_a_table_that_is_no_good_is_refused_once(
    tmp_path: Path, content: Callable[[], bytes]
) -> None:
    router, reloads = Router.load(), Reloads()
    before = router.table
    file = tmp_path / "route.table"
    file.write_bytes(content())
    watch = TableWatch(router, [file], on_reload=reloads)
    assert not await watch.look()
    assert not await watch.look()
    assert reloads.outcomes == ["refused"]
    assert router.table is before
    file.write_bytes(table(0.7))
    assert await watch.look()
    assert threshold(router) == 0.7


async def test_messages_are_routed_while_tables_change(tmp_path: Path) -> None:
    router, file = Router.load(), tmp_path / "route.table"
    watch = TableWatch(router, [file], every_s=0.01)
    seen: set[float] = set()
    routed = 0

    async def talk() -> None:
        nonlocal routed
        while True:
            decision = router.route(FACT, previous=None, now=NOW)
            assert (decision.route, decision.source) == (Route.FACTUAL, "table")
            seen.add(threshold(router))
            routed += 1
            await asyncio.sleep(0)

    talking = [asyncio.create_task(talk()) for _ in range(2)]
    watching = asyncio.create_task(watch.run())
    try:
        for number in (0.61, 0.62):
            new = tmp_path / "new"
            new.write_bytes(table(number))
            os.replace(new, file)
            async with asyncio.timeout(PATIENCE):
                while number not in seen:
                    await asyncio.sleep(0.005)
    finally:
        watching.cancel()
        for task in talking:
            task.cancel()
        ended = await asyncio.gather(*talking, watching, return_exceptions=True)
    assert all(isinstance(each, asyncio.CancelledError) for each in ended)
    assert seen >= {0.61, 0.62}
    assert routed > 100
