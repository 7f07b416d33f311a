"""How long a person's memory of a thousand items takes to answer."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bot.adapters.redis import EmbeddedRedis, Sealer, open_redis
from bot.adapters.redis.memories import RedisMemories
from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.memory.item import Item, Kind, new_id
from bot.memory.recollection import recollect
from bot.memory.store import Changes, Put
from bot.routing.profiles import MemoryPolicy
from tests.bench.table import Figures

NOW = 1_790_000_000.0
PERSON = UserId(1)
HERE = Place(ChannelId(5), GuildId(7))
SPACE = "bench@384"
KINDS = (Kind.EPISODE,) * 500 + (Kind.FACT,) * 400 + (Kind.PREFERENCE,) * 40
"""As much as a person can have of each."""
VOCABULARY = 4_000
ROUNDS = 60


async def recall() -> Figures:
    """Recall from a full memory, 940 items with vectors of 384: out of Redis, and held."""
    chance = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(Path(folder))
        redis = await open_redis(await server.start())
        sealer = Sealer([("bench", bytes(32))])
        try:
            await _fill(RedisMemories(redis, sealer, space=SPACE), chance)
            return await _measure(lambda: RedisMemories(redis, sealer, space=SPACE), chance)
        finally:
            await redis.aclose()
            await server.stop()


async def _fill(memories: RedisMemories, chance: np.random.Generator) -> None:
    await memories.agree(PERSON, NOW)
    shelf = await memories.load(PERSON)
    assert shelf is not None
    puts = []
    for number, kind in enumerate(KINDS):
        at = NOW - 86_400 + number * 60
        message = number if kind is Kind.EPISODE else number - 500
        item = Item(
            new_id(kind, at),
            _text(chance, 20 if kind is Kind.EPISODE else 8),
            guild=7,
            channel=5,
            at=at,
            sources=((5, message),),
            context=_text(chance, 25) if kind is Kind.EPISODE else "",
            language="english",
        )
        puts.append(Put(item, _unit(chance).tolist(), SPACE))
    for start in range(0, len(puts), 100):
        await memories.apply(PERSON, shelf, Changes(tuple(puts[start : start + 100])))
    await memories.pack(PERSON)


async def _measure(opened: Callable[[], RedisMemories], chance: np.random.Generator) -> Figures:
    figures: dict[str, float | int | str] = {}

    async def timed(name: str, memories: Callable[[], RedisMemories]) -> None:
        seconds, busy = [], []
        for _ in range(ROUNDS):
            store, question = memories(), _text(chance, 8)
            began, cpu = time.perf_counter(), time.process_time()
            shelf = await store.load(PERSON)
            assert shelf is not None
            recollect(shelf, HERE, "wren", question, MemoryPolicy.ALL, NOW, vector=_unit(chance))
            busy.append(time.process_time() - cpu)
            seconds.append(time.perf_counter() - began)
        for part, values in (("", seconds), (" CPU", busy)):
            figures[f"{name}{part} p50, ms"] = round(float(np.median(values)) * 1000, 2)

    held = opened()
    await held.load(PERSON)
    await timed("out of Redis", opened)
    await timed("held", lambda: held)
    return figures


def _text(chance: np.random.Generator, words: int) -> str:
    ranks = np.minimum(chance.zipf(1.3, words), VOCABULARY)
    return " ".join(f"w{rank}" for rank in ranks)


def _unit(chance: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = chance.normal(size=384).astype(np.float32)
    return vector / np.linalg.norm(vector)
