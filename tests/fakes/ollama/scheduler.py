"""Runners: one load at a time, slots first come first served, keep_alive, eviction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.fakes.ollama.cache import KvCache, Slot
from tests.fakes.ollama.catalogue import FakeModel

FOREVER = float("inf")


class ServerBusy(Exception):
    """Too many requests wait for models that are not loaded."""


@dataclass(slots=True)
class Runner:
    """A loaded model with its slots."""

    model: FakeModel
    options: tuple[tuple[str, object], ...]
    num_ctx: int
    cache: KvCache
    semaphore: asyncio.Semaphore
    refs: int = 0
    keep_alive: float = 300.0
    expires_at: float = FOREVER
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    timer: asyncio.TimerHandle | None = None


class Scheduler:
    """Gives requests a loaded runner."""

    def __init__(
        self, *, num_parallel: int, load_seconds: float, max_queue: int, max_loaded: int
    ) -> None:
        self.num_parallel = num_parallel
        self.load_seconds = load_seconds
        self.max_queue = max_queue
        self.max_loaded = max_loaded
        self.runners: dict[str, Runner] = {}
        self.loads = 0
        self.aborted_loads = 0
        self._pending = 0
        self._loading = asyncio.Lock()

    @asynccontextmanager
    async def runner(
        self,
        model: FakeModel,
        options: tuple[tuple[str, object], ...],
        num_ctx: int,
        keep_alive: float,
    ) -> AsyncIterator[tuple[Runner, float]]:
        """Lend the model's runner, and say how many seconds its load took."""
        began = time.perf_counter()
        runner = self.runners.get(model.runner_key)
        if runner is None or runner.options != options:
            runner = await self._load(model, options, num_ctx)
            load = time.perf_counter() - began
        else:
            load = 0.0
        runner.refs += 1
        runner.idle.clear()
        runner.keep_alive = keep_alive
        if runner.timer is not None:
            runner.timer.cancel()
        runner.expires_at = FOREVER
        try:
            yield runner, load
        finally:
            runner.refs -= 1
            if runner.refs == 0:
                runner.idle.set()
                self._rest(runner)

    def unload(self, model: FakeModel) -> None:
        """Forget the model's runner once it is idle."""
        if (runner := self.runners.get(model.runner_key)) is not None:
            runner.keep_alive = 0
            if runner.refs == 0:
                self._drop(runner)

    def close(self) -> None:
        for runner in list(self.runners.values()):
            self._drop(runner)

    async def _load(
        self, model: FakeModel, options: tuple[tuple[str, object], ...], num_ctx: int
    ) -> Runner:
        if self._pending >= self.max_queue:
            raise ServerBusy
        self._pending += 1
        try:
            async with self._loading:
                present = self.runners.get(model.runner_key)
                if present is not None and present.options == options:
                    return present
                if present is not None:
                    await present.idle.wait()
                    self._drop(present)
                while len(self.runners) >= self.max_loaded:
                    await self._evict_one()
                return await self._start(model, options, num_ctx)
        finally:
            self._pending -= 1

    async def _start(
        self, model: FakeModel, options: tuple[tuple[str, object], ...], num_ctx: int
    ) -> Runner:
        try:
            # Even an instant load lets others run: the real one is never synchronous.
            await asyncio.sleep(self.load_seconds)
        except asyncio.CancelledError:
            self.aborted_loads += 1  # a client that leaves aborts the load it started
            raise
        self.loads += 1
        slots = self.num_parallel
        runner = Runner(
            model,
            options,
            num_ctx,
            KvCache(slots, sliding_window=model.sliding_window),
            asyncio.Semaphore(slots),
        )
        runner.idle.set()
        self.runners[model.runner_key] = runner
        return runner

    async def _evict_one(self) -> None:
        oldest = min(self.runners.values(), key=lambda r: (r.refs > 0, r.expires_at))
        await oldest.idle.wait()
        self._drop(oldest)

    def _rest(self, runner: Runner) -> None:
        if runner.keep_alive == 0:
            self._drop(runner)
        elif runner.keep_alive != FOREVER:
            runner.expires_at = time.time() + runner.keep_alive
            loop = asyncio.get_running_loop()
            runner.timer = loop.call_later(runner.keep_alive, self._drop, runner)

    def _drop(self, runner: Runner) -> None:
        if runner.timer is not None:
            runner.timer.cancel()
        if self.runners.get(runner.model.runner_key) is runner:
            del self.runners[runner.model.runner_key]


@asynccontextmanager
async def slot_of(runner: Runner, prompt: list[str]) -> AsyncIterator[tuple[Slot, int, float]]:
    """Lend a slot: yields it, the tokens reused, and the seconds waited in the queue."""
    began = time.perf_counter()
    async with runner.semaphore:
        waited = time.perf_counter() - began
        slot, reused = runner.cache.take(prompt)
        try:
            yield slot, reused, waited
        finally:
            runner.cache.free(slot)
