"""The scenes that `python -m bot bench` can run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.bench import bench_lorebook
from tests.bench.bench_recall import recall
from tests.bench.crowd import ask, crowd, figures_of, open_loop
from tests.bench.fairness import fairness
from tests.bench.instant import instant
from tests.bench.stopping import stopping
from tests.bench.table import Figures
from tests.bench.world import world


async def crowd_of_20() -> Figures:
    """20 people at once, 3 questions each; 80 ms REST latency, Discord's limits, 40 tokens/s."""
    return await _crowd(20)


async def crowd_of_100() -> Figures:
    """100 people at once, 3 questions each, in the same set-up."""
    return await _crowd(100)


async def _crowd(people: int) -> Figures:
    async with world() as scene:
        await crowd(
            scene, 4, 1, marks="warm"
        )  # webhooks, models and pages warm, as on any day but the first
        await scene.forget()
        before = scene.cpu_seconds()
        asked = await crowd(scene, people, 3)
        return await figures_of(scene, asked, scene.cpu_seconds() - before)


async def open_loop_16() -> Figures:
    """16 questions a second for 30 seconds, one person each."""
    return await _open_loop(16)


async def open_loop_40() -> Figures:
    """40 questions a second for 20 seconds: intermediate edits give way."""
    return await _open_loop(40, 20)


async def _open_loop(per_second: float, seconds: float = 30) -> Figures:
    async with world(parallel=256) as scene:
        await crowd(scene, 4, 1, marks="warm")
        await scene.forget()
        before = scene.cpu_seconds()
        asked = await open_loop(scene, per_second, seconds)
        return await figures_of(scene, asked, scene.cpu_seconds() - before)


async def cache() -> Figures:
    """A chat of 30 turns: prompt tokens served from the fake's model of Ollama's prompt cache."""
    async with world(rate=None, tokens=60, latency=0.0, rate_limits=False) as scene:
        await scene.discord.do("guild", name="guild 0", channels=["channel-0"])
        await scene.forget()
        for turn in range(30):
            await ask(scene, "guild 0", "channel-0", "ann", f"t{turn}")
        stats = await scene.ollama_stats()
        prompt = stats["prompt_tokens"]
        return {
            "turns": 30,
            "prompt tokens": prompt,
            "evaluated": stats["evaluated"],
            "evaluated a turn": stats["evaluated"] / 30,
            "served from the cache %": 100 * stats["reused"] / max(1, prompt),
        }


async def memory() -> Figures:
    """Resident memory per guild and per conversation."""
    async with world(rate=None, tokens=40, latency=0.0, rate_limits=False) as scene:
        await crowd(scene, 4, 1, marks="warm")
        start = scene.rss()
        for n in range(500):
            await scene.discord.do("guild", name=f"quiet {n}", channels=["a", "b", "c"])
        await asyncio.sleep(2)
        guilds = scene.rss()
        places = [(f"quiet {n}", "a") for n in range(300)]
        for first in range(0, len(places), 50):
            await asyncio.gather(
                *(
                    ask(scene, guild, channel, f"person {guild}", f"m{first}")
                    for guild, channel in places[first : first + 50]
                )
            )
        talked = scene.rss()
        return {
            "RSS at rest MiB": start,
            "KiB per guild": 1024 * (guilds - start) / 500,
            "KiB per conversation": 1024 * (talked - guilds) / 300,
        }


async def lorebook() -> Figures:
    """A lorebook of 1,000 entries over 10 messages."""
    return await asyncio.to_thread(bench_lorebook.run)


SCENES: dict[str, Callable[[], Awaitable[Figures]]] = {
    "crowd-20": crowd_of_20,
    "crowd-100": crowd_of_100,
    "open-16": open_loop_16,
    "open-40": open_loop_40,
    "instant": instant,
    "cache": cache,
    "memory": memory,
    "lorebook": lorebook,
    "fairness": fairness,
    "recall": recall,
    "stop": stopping,
}
