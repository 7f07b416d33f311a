"""Trends never keep a turn waiting, and never show old numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.chat.turn import Message, Speaker, Trigger, Turn
from bot.errors import StoreError
from bot.guardrails.caring.risk import where_of
from bot.guardrails.caring.trend_keeping import FRESH, TrendsBeside

ANN = UserId(1)
HOME = Place(ChannelId(3), GuildId(2))
TURN = Turn((Message(MessageId(4), HOME, Speaker(ANN, "Ann"), "hi", 0.0),), Trigger.MENTION)
WHERE = where_of(HOME)


class Slow:
    """A store whose writes end when they are let go."""

    def __init__(self) -> None:
        self.kept: dict[tuple[UserId, str], Mapping[str, float]] = {}
        self.reads = 0
        self.go = asyncio.Event()
        self.away = False

    async def load(self, person: UserId, where: str) -> Mapping[str, float]:
        self.reads += 1
        if self.away:
            raise StoreError("away")
        return self.kept.get((person, where), {})

    async def save(self, person: UserId, where: str, numbers: Mapping[str, float]) -> None:
        await self.go.wait()
        if self.away:
            raise StoreError("away")
        self.kept[person, where] = numbers

    async def claim(self, person: UserId, where: str, turn: str) -> bool:
        return True


async def test_who_reads_while_it_is_written_sees_the_newest() -> None:
    store = Slow()
    trends = TrendsBeside(store)
    for n in range(3):
        await trends.save(ANN, WHERE, {"n": n})
        assert await trends.load(ANN, WHERE) == {"n": n}
    store.go.set()
    await trends.close()
    assert store.kept == {(ANN, WHERE): {"n": 2}}
    assert await trends.load(ANN, WHERE) == {"n": 2}
    assert store.reads == 1


async def test_who_reads_of_another_place_sees_the_newest_crisis() -> None:
    store = Slow()
    trends = TrendsBeside(store)
    await trends.save(ANN, "dm", {"plain_until": 7.0})
    await trends.save(ANN, WHERE, {"n": 1, "plain_elsewhere": 5.0})
    assert await trends.load(ANN, WHERE) == {"n": 1, "plain_elsewhere": 7.0}
    assert await trends.load(UserId(2), WHERE) == {}
    store.go.set()
    await trends.close()


async def test_nothing_is_read_ahead_of_a_crisis_that_is_being_written() -> None:
    store = Slow()
    trends = TrendsBeside(store)
    await trends.foresee(TURN)
    await trends.save(ANN, "dm", {"plain_until": 7.0})
    await trends.foresee(TURN)
    store.go.set()
    await trends.close()
    store.kept[ANN, WHERE] = {"plain_elsewhere": 7.0}  # as the store sees it from here
    assert await trends.load(ANN, WHERE) == {"plain_elsewhere": 7.0}


async def test_what_was_read_ahead_is_used_until_something_is_saved_and_soon() -> None:
    store, now = Slow(), [0.0]
    trends = TrendsBeside(store, lambda: now[0])
    store.kept[ANN, WHERE] = {"n": 1}
    await trends.foresee(TURN)
    for _ in ("the router", "the guardrails"):
        assert await trends.load(ANN, WHERE) == {"n": 1}
    assert store.reads == 1
    await trends.save(ANN, WHERE, {"n": 2})
    store.go.set()
    await trends.close()
    assert await trends.load(ANN, WHERE) == {"n": 2}
    await trends.foresee(TURN)
    now[0] += FRESH
    store.kept[ANN, WHERE] = {"n": 3}
    assert await trends.load(ANN, WHERE) == {"n": 3}


async def test_a_store_that_is_away_breaks_no_turn() -> None:
    store = Slow()
    trends = TrendsBeside(store)
    store.away = True
    await trends.foresee(TURN)
    await trends.save(ANN, WHERE, {"n": 1})
    store.go.set()
    await trends.close()
    assert store.kept == {}
