"""The shards of a process end together."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from bot.adapters.discord.session.client import TroupeBot
from bot.adapters.discord.session.supervisor import Supervisor
from tests.fakes import PATIENCE


class Shard:
    """A client whose event handlers end only when those of all shards are being waited for."""

    latency = 0.0

    def __init__(self, all_drain: asyncio.Barrier) -> None:
        self._all_drain = all_drain
        self.closed = False

    async def start(self, token: str) -> None:
        await asyncio.Event().wait()

    def heard_age(self) -> float:
        return 0.0

    async def drain(self, timeout: float) -> None:
        await self._all_drain.wait()

    async def close(self) -> None:
        self.closed = True


async def test_all_shards_are_drained_at_once() -> None:
    made: list[Shard] = []
    barrier = asyncio.Barrier(3)

    def make(shard: int) -> TroupeBot:
        made.append(Shard(barrier))
        return cast("TroupeBot", cast("Any", made[-1]))

    supervisor = Supervisor(make, "token", [0, 1, 2])
    running = asyncio.create_task(supervisor.run())
    async with asyncio.timeout(PATIENCE):
        while len(made) < 3:
            await asyncio.sleep(0)
        await supervisor.stop()
        await running
    assert all(shard.closed for shard in made)
