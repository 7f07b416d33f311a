"""Notes written behind: soon, again after a failure, and never cut off."""

from __future__ import annotations

import asyncio

from bot.adapters.redis.write_behind import WriteBehind
from bot.errors import StoreError

SOON = 0.01
NEVER = 600.0


class Store:
    """Takes what waits; away as often as it is told."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.writes: list[list[int]] = []
        self.away = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def write(self) -> None:
        if self.away:
            self.away -= 1
            raise StoreError("away")
        if not self.waiting:
            return
        taken, self.waiting = self.waiting, []
        await self.answers.wait()
        self.writes.append(taken)


async def until(store: Store, writes: int) -> None:
    async with asyncio.timeout(5):
        while len(store.writes) < writes:
            await asyncio.sleep(SOON)


async def test_what_comes_together_is_one_write() -> None:
    store = Store()
    behind = WriteBehind("notes", store.write, every=SOON)
    for number in range(100):
        store.waiting.append(number)
        behind.soon()
    await until(store, 1)
    await behind.close()
    assert store.writes == [list(range(100))]


async def test_the_first_write_may_come_at_once_and_the_next_waits() -> None:
    store = Store()
    behind = WriteBehind("notes", store.write, every=NEVER, first=0.0)
    store.waiting.append(1)
    behind.soon()
    await until(store, 1)
    store.waiting.append(2)
    behind.soon()
    await asyncio.sleep(SOON)
    assert store.writes == [[1]]
    await behind.close()  # does not sleep the rest of the pause
    assert store.writes == [[1], [2]]


async def test_a_failed_write_is_made_again_without_another_note() -> None:
    store = Store()
    store.away = 2
    behind = WriteBehind("notes", store.write, every=SOON)
    store.waiting.append(1)
    behind.soon()
    await until(store, 1)
    await behind.close()


async def test_closing_waits_for_a_write_under_way() -> None:
    store = Store()
    store.answers.clear()
    behind = WriteBehind("notes", store.write, every=SOON, first=0.0)
    store.waiting.append(1)
    behind.soon()
    await asyncio.sleep(SOON)
    closing = asyncio.create_task(behind.close())
    await asyncio.sleep(SOON)
    assert not closing.done()
    store.answers.set()
    await closing
    assert store.writes == [[1]]


async def test_closing_while_the_store_is_away_ends() -> None:
    store = Store()
    store.away = 1000
    behind = WriteBehind("notes", store.write, every=SOON)
    store.waiting.append(1)
    behind.soon()
    await behind.close()
    behind.soon()  # too late: nothing begins again
    assert store.writes == []
    assert store.waiting == [1]


async def test_what_is_noted_while_a_write_is_under_way_is_written_after_it() -> None:
    store = Store()
    behind = WriteBehind("notes", store.write, every=SOON)
    store.answers.clear()
    store.waiting.append(1)
    behind.soon()
    async with asyncio.timeout(5):
        while store.waiting:
            await asyncio.sleep(SOON)
    store.waiting.append(2)
    behind.soon()
    store.answers.set()
    await until(store, 2)
    await behind.close()
    assert store.writes == [[1], [2]]
