"""The sampler sees a blocked loop, and stays quiet about a free one."""

import asyncio
import time
from contextlib import suppress

from bot.observability import LoopLag


class Samples:
    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.beats = 0

    def loop_lag(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def beat(self) -> None:
        self.beats += 1


async def sample(samples: Samples, block: float) -> None:
    task = asyncio.create_task(LoopLag(samples, interval=0.01, alive=samples.beat).run())
    try:
        await asyncio.sleep(0.03)
        time.sleep(block)  # the blocking call that the sampler is there to see
        await asyncio.sleep(0.03)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_blocked_loop_is_seen() -> None:
    samples = Samples()
    await sample(samples, block=0.2)
    assert max(samples.seconds) >= 0.15
    assert samples.beats == len(samples.seconds) >= 2


async def test_samples_are_never_negative() -> None:
    samples = Samples()
    await sample(samples, block=0.0)
    assert samples.seconds
    assert min(samples.seconds) >= 0.0
