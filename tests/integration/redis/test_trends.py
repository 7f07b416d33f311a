"""Numbers of care: sealed, kept for a week, and gone when somebody asks for it."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.adapters.redis import Client, RedisTrends, Sealer, keys
from bot.chat.place import GuildId, UserId
from bot.errors import StoreError
from bot.guardrails.caring.risk import LIFETIME, RiskState

ANNA, BEN, GUILD = UserId(1), UserId(2), GuildId(7)
HERE = str(GUILD)
NUMBERS = {"trend": 0.75, "card_at": 1_700_000_000.5}


@pytest.fixture
def trends(redis: Client, sealer: Sealer) -> RedisTrends:
    return RedisTrends(redis, sealer)


async def test_another_process_finds_the_numbers(redis: Client, sealer: Sealer) -> None:
    await RedisTrends(redis, sealer).save(ANNA, HERE, NUMBERS)
    assert await RedisTrends(redis, sealer).load(ANNA, HERE) == NUMBERS
    assert await RedisTrends(redis, sealer).load(ANNA, "dm") == {}
    assert await RedisTrends(redis, sealer).load(BEN, HERE) == {}


async def test_nothing_of_it_can_be_read_in_the_database(
    trends: RedisTrends, redis: Client
) -> None:
    await trends.save(ANNA, HERE, NUMBERS)
    stored = await redis.hget(keys.person(ANNA, "trends"), HERE)
    assert b"trend" not in stored
    assert b"0.75" not in stored


async def test_it_is_kept_for_a_week(trends: RedisTrends, redis: Client) -> None:
    await trends.save(ANNA, HERE, NUMBERS)
    assert LIFETIME - 5 < await redis.ttl(keys.person(ANNA, "trends")) <= LIFETIME


async def test_a_minor_stays_one_after_a_week_of_silence(
    trends: RedisTrends, redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    until = now + 100 * 86_400.0
    await trends.save(ANNA, HERE, {**NUMBERS, "minor_until": until})
    await trends.save(ANNA, "dm", NUMBERS)  # must not shorten what another place needs
    assert await redis.ttl(keys.person(ANNA, "trends")) > 99 * 86_400
    monkeypatch.setattr(time, "time", lambda: now + LIFETIME + 60)
    assert await trends.load(ANNA, HERE) == {"minor_until": until}
    assert await trends.load(ANNA, "dm") == {}


@pytest.mark.parametrize("junk", [b"", b"\x01", b"junk" * 50])
async def test_what_can_t_be_read_counts_as_a_first_meeting(
    trends: RedisTrends, redis: Client, junk: bytes
) -> None:
    await redis.hset(keys.person(ANNA, "trends"), HERE, junk)
    assert RiskState.of(await trends.load(ANNA, HERE)) == RiskState()


async def test_numbers_moved_to_another_person_do_not_open(
    trends: RedisTrends, redis: Client
) -> None:
    await trends.save(ANNA, HERE, NUMBERS)
    sealed = await redis.hget(keys.person(ANNA, "trends"), HERE)
    await redis.hset(keys.person(BEN, "trends"), HERE, sealed)
    assert await trends.load(BEN, HERE) == {}


async def test_a_person_sees_and_deletes_their_numbers(trends: RedisTrends, redis: Client) -> None:
    await trends.save(ANNA, HERE, NUMBERS)
    await trends.save(ANNA, "dm", {"turns": 3.0})
    exported = await trends.export_person(ANNA)
    assert exported == {"trends": {HERE: NUMBERS, "dm": {"turns": 3.0}}}
    assert await trends.delete_person(ANNA) == 2
    assert await redis.dbsize() == 0
    assert await trends.export_person(ANNA) == {}


async def test_a_guild_that_is_left_leaves_nothing_behind(
    trends: RedisTrends, redis: Client
) -> None:
    await trends.save(ANNA, HERE, NUMBERS)
    await trends.save(BEN, HERE, NUMBERS)
    await trends.save(BEN, "dm", NUMBERS)
    assert await trends.delete_guild(GUILD) == 2
    assert await trends.load(BEN, "dm") == NUMBERS
    assert await redis.exists(keys.guild(GUILD, "trends")) == 0


async def test_a_crisis_elsewhere_is_seen_as_long_as_it_is_kept_there_and_not_copied(
    trends: RedisTrends,
) -> None:
    await trends.save(ANNA, HERE, {"plain_until": 5.0, "trend": 0.9})
    assert await trends.load(ANNA, "dm") == {"plain_elsewhere": 5.0}
    await trends.save(ANNA, "dm", {"plain_elsewhere": 5.0, "turns": 1.0})
    assert (await trends.export_person(ANNA))["trends"]["dm"] == {"turns": 1.0}
    assert await trends.load(BEN, "dm") == {}
    await trends.delete_guild(GUILD)
    assert await trends.load(ANNA, "dm") == {"turns": 1.0}


async def test_one_turn_of_all_processes_tells_a_new_person_what_speaks(
    redis: Client, sealer: Sealer
) -> None:
    here, there = RedisTrends(redis, sealer), RedisTrends(redis, sealer)
    won = await asyncio.gather(here.claim(ANNA, HERE, "1"), there.claim(ANNA, HERE, "2"))
    assert sorted(won) == [False, True]
    assert await there.claim(ANNA, HERE, "12"[won.index(True)])
    assert await here.claim(ANNA, "dm", "3")
    assert await here.claim(BEN, HERE, "4")
    assert 0 < await redis.ttl(keys.telling(ANNA, HERE)) <= 10


async def test_a_store_that_is_away_says_so(trends: RedisTrends, redis: Client) -> None:
    await redis.set(keys.person(ANNA, "trends"), "another type")
    with pytest.raises(StoreError):
        await trends.load(ANNA, HERE)
