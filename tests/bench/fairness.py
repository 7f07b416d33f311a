"""The load scene: 200 people in 50 channels of 20 guilds, and what a flood in one costs the rest.

The same questions of the other 19 guilds are asked twice: once while guild 0 asks as often as
they do, once while it asks 20 times as often, which is more than the models can answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from tests.bench.crowd import Asked, ask
from tests.bench.table import Figures, percentile
from tests.bench.world import World, world

GUILDS, CHANNELS, PEOPLE = 20, 50, 200
SLOTS = 16
TOKENS, RATE = 120, 40.0
LOAD = 0.55
"""Share of the slots that all guilds need together when none of them floods."""
SECONDS = 60.0
FLOOD = 20.0


async def fairness() -> Figures:
    """Two minutes of 20 guilds: the first calm, the second with a flood in one of them."""
    async with world(rate=RATE, tokens=TOKENS, parallel=SLOTS) as scene:
        for guild in range(GUILDS):
            names = [f"channel-{each}" for each in _channels(guild)]
            await scene.discord.do("guild", name=f"guild {guild}", channels=names)
        await asyncio.gather(*(_ask(scene, guild, 0, f"w{guild}") for guild in range(GUILDS)))
        calm = await _minute(scene, 1.0)
        flooded = await _minute(scene, FLOOD)
    return _figures(calm, flooded)


async def _minute(scene: World, busy: float) -> list[list[Asked]]:
    """Return what was asked, by guild; the others' questions come at the same times each time."""
    each = LOAD * SLOTS * RATE / TOKENS / GUILDS

    async def guild(number: int) -> list[Asked]:
        chance = random.Random(number)
        rate = each * (busy if number == 0 else 1.0)
        began, at = asyncio.get_running_loop().time(), 0.0
        asked: list[asyncio.Task[Asked]] = []
        while (at := at + chance.expovariate(rate)) < SECONDS:
            due = began + at - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, due))
            mark = f"g{number}b{busy:.0f}n{len(asked)}"
            asked.append(asyncio.create_task(_ask(scene, number, len(asked), mark)))
        return list(await asyncio.gather(*asked))

    return list(await asyncio.gather(*(guild(number) for number in range(GUILDS))))


async def _ask(scene: World, guild: int, turn: int, mark: str) -> Asked:
    people = PEOPLE // GUILDS
    person = turn % people
    channels = _channels(guild)
    channel = channels[person % len(channels)]
    author = f"person {guild * people + person}"
    return await ask(scene, f"guild {guild}", f"channel-{channel}", author, mark)


def _channels(guild: int) -> list[int]:
    return [channel for channel in range(CHANNELS) if channel % GUILDS == guild]


def _figures(calm: list[list[Asked]], flooded: list[list[Asked]]) -> Figures:
    before = [asked for guild in calm[1:] for asked in guild]
    during = [asked for guild in flooded[1:] for asked in guild]
    figures: dict[str, float | int | str] = {
        "questions of the others answered": f"{_count(before)} calm, {_count(during)} in the flood",
        "questions of guild 0": f"{len(calm[0])} calm, {len(flooded[0])} in the flood",
    }
    for name, waits in (("first text", _first), ("whole answer", _whole)):
        for share in (0.5, 0.95):
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
