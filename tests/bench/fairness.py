"""The load scene: 200 people in 50 channels of 20 guilds, and what a flood in one costs the rest.

The same questions of the other 19 guilds are asked twice: once while guild 0 asks as often as
they do, once while it asks 20 times as often, which is more than the models can answer.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from collections.abc import Sequence

from tests.bench.crowd import Asked, ask
from tests.bench.table import Figures, percentile
from tests.bench.world import World, world

GUILDS, CHANNELS, PEOPLE = 20, 50, 200
SLOTS = 16
TOKENS, RATE = 120, 40.0
LOAD = 0.55
"""Share of the slots that all guilds need together when none of them floods."""
SECONDS = 45.0
"""Of each phase: about 140 questions of the others, the least that a p95 can be told from."""
FLOOD = 20.0
PROGRESS = 15.0
"""Seconds between two lines that say how far it is."""


async def fairness() -> Figures:
    """20 guilds for three quarters of a minute each: calm, then with a flood in one of them."""
    async with world(rate=RATE, tokens=TOKENS, parallel=SLOTS) as scene:
        calm = await _phase(scene, "calm", 1.0)
        flooded = await _phase(scene, "flood", FLOOD)
    return _figures(calm, flooded)


async def _phase(scene: World, name: str, busy: float) -> list[list[Asked]]:
    """Return what was asked, by guild; the others' questions come at the same times each time.

    It ends when the others have their answers: what guild 0 still waits for does not count. Each
    phase has channels of its own: what the fake says again in one is held back as a repetition.
    """
    for number in range(GUILDS):
        names = [f"{name}-{each}" for each in _channels(number)]
        await scene.discord.do("guild", name=f"guild {number}", channels=names)
    warm = (
        _ask(scene, name, guild, turn, f"{name}w{guild}c{turn}")
        for guild in range(GUILDS)
        for turn in range(len(_channels(guild)))  # a person in each: finds its webhook
    )
    await asyncio.gather(*warm)
    each = LOAD * SLOTS * RATE / TOKENS / GUILDS
    asked: list[list[asyncio.Task[Asked]]] = [[] for _ in range(GUILDS)]

    async def guild(number: int) -> list[Asked]:
        chance = random.Random(number)
        rate = each * (busy if number == 0 else 1.0)
        began, at = asyncio.get_running_loop().time(), 0.0
        while (at := at + chance.expovariate(rate)) < SECONDS:
            due = began + at - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, due))
            turn = len(asked[number])
            mark = f"{name}{number}n{turn}"
            asked[number].append(asyncio.create_task(_ask(scene, name, number, turn, mark)))
        return list(await asyncio.gather(*asked[number]))

    progress, first = asyncio.create_task(_tell(name, asked)), asyncio.create_task(guild(0))
    try:
        others = await asyncio.gather(*(guild(number) for number in range(1, GUILDS)))
        if busy == 1.0:
            await first
        return [[task.result() for task in asked[0] if task.done()], *others]
    finally:
        for task in (progress, first, *asked[0]):
            task.cancel()


async def _tell(name: str, asked: Sequence[Sequence[asyncio.Task[Asked]]]) -> None:
    """Say how far a phase is, again and again."""
    for number in itertools.count():
        over = sum(task.done() for tasks in asked for task in tasks)
        line = f"{name}: {number * PROGRESS:.0f} s, {sum(map(len, asked))} asked, {over} over"
        print(line, file=sys.stderr, flush=True)
        await asyncio.sleep(PROGRESS)


async def _ask(scene: World, phase: str, guild: int, turn: int, mark: str) -> Asked:
    people = PEOPLE // GUILDS
    person = turn % people
    channels = _channels(guild)
    channel = channels[person % len(channels)]
    author = f"person {guild * people + person}"
    return await ask(scene, f"guild {guild}", f"{phase}-{channel}", author, mark)


def _channels(guild: int) -> list[int]:
    return [channel for channel in range(CHANNELS) if channel % GUILDS == guild]


def _figures(calm: list[list[Asked]], flooded: list[list[Asked]]) -> Figures:
    before = [asked for guild in calm[1:] for asked in guild]
    during = [asked for guild in flooded[1:] for asked in guild]
    figures: dict[str, float | int | str] = {
        "questions of the others answered": f"{_count(before)} calm, {_count(during)} in the flood",
        "answers of guild 0": f"{_count(calm[0])} calm, {_count(flooded[0])} in the flood",
    }
    # One in fourteen of the fake's texts is one of its channel's last three, and is held back as
    # an echo until it ends: no p95 of first texts can be told from that.
    for name, waits, tail in (("first text", _first, 0.9), ("whole answer", _whole, 0.95)):
        for share in (0.5, tail):
            one, other = percentile(waits(before), share), percentile(waits(during), share)
            figures[f"{name} p{share * 100:.0f} s, calm → flood"] = f"{one:.2f} → {other:.2f}"
            figures[f"{name} p{share * 100:.0f}, ratio"] = other / one
    return figures


def _count(asked: Sequence[Asked]) -> str:
    return f"{sum(each.answered for each in asked)} of {len(asked)}"


def _first(asked: Sequence[Asked]) -> list[float]:
    """Return the seconds until something of the answer could be read."""
    return [
        min(reply["first_visible_at"] for reply in each.replies) - each.message["created_at"]
        for each in asked
        if each.answered
    ]


def _whole(asked: Sequence[Asked]) -> list[float]:
    """Return the seconds until all of the answer stood there."""
    return [
        max(reply["final_at"] for reply in each.replies) - each.message["created_at"]
        for each in asked
        if each.answered
    ]
