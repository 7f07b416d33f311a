"""Token buckets, small values, and the check of the keys."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from bot.adapters.redis import Client, RedisLimiter, RedisState, Sealer, check_seal, keys
from bot.adapters.redis.limits import ONCE_S
from bot.chat.place import GuildId, UserId
from bot.chat.turn import TurnId
from bot.errors import RecordCorrupt, StoreError
from bot.ports import Bucket, BucketScope, Rate, Waiting

ANNA, BEN, GUILD = UserId(1), UserId(2), GuildId(7)


_turns = count(1)


def new_turn() -> TurnId:
    return TurnId(str(next(_turns)))


def limiter(redis: Client, person: int = 3, guild: int = 100) -> RedisLimiter:
    return RedisLimiter(redis, person_rate=Rate(person, 6), guild_rate=Rate(guild, 6))


async def test_a_burst_is_granted_and_then_the_rate(redis: Client) -> None:
    limits = limiter(redis)
    assert [await limits.take(new_turn(), ANNA, GUILD) for _ in range(3)] == [None, None, None]
    for guild in (GUILD, None):  # one bucket over all guilds
        refused = await limits.take(new_turn(), ANNA, guild)
        assert refused is not None
        assert 9 < refused.seconds <= 10
        assert refused.scope is BucketScope.PERSON
    assert await limits.take(new_turn(), BEN, GUILD) is None


async def test_tokens_come_back(redis: Client) -> None:
    limits = RedisLimiter(redis, person_rate=Rate(1, 600), guild_rate=Rate(9, 600))
    assert await limits.take(new_turn(), ANNA, None) is None
    refused = await limits.take(new_turn(), ANNA, None)
    assert refused is not None
    assert 0 < refused.seconds <= 0.1
    await asyncio.sleep(refused.seconds + 0.01)
    assert await limits.take(new_turn(), ANNA, None) is None


async def test_a_turn_that_several_processes_hear_of_costs_once(redis: Client) -> None:
    limits, beside = limiter(redis, person=1), limiter(redis, person=1)
    turn = new_turn()
    both = await asyncio.gather(*(each.take(turn, ANNA, GUILD) for each in (limits, beside)))
    assert both == [None, None]
    assert await limits.take(new_turn(), ANNA, GUILD) is not None


async def test_a_turn_that_was_refused_may_ask_again(redis: Client) -> None:
    limits, turn = limiter(redis, person=1), new_turn()
    assert await limits.take(new_turn(), ANNA, GUILD) is None
    for _ in range(2):
        assert await limits.take(turn, ANNA, GUILD) is not None


async def test_a_guild_s_limit_does_not_cost_the_person(redis: Client) -> None:
    limits = limiter(redis, person=2, guild=1)
    assert await limits.take(new_turn(), BEN, GUILD) is None
    for _ in range(5):
        refused = await limits.take(new_turn(), ANNA, GUILD)
        assert refused is not None
        assert refused.scope is BucketScope.GUILD
    assert await limits.take(new_turn(), ANNA, None) is None


async def test_a_turn_takes_from_every_bucket_or_from_none(redis: Client) -> None:
    limits = limiter(redis, person=3)
    role = Bucket("g7:7:r5", Rate(1, 6), BucketScope.ROLE)
    mine = Bucket("g7:7:u1", Rate(2, 60), BucketScope.PERSON)
    assert await limits.take(new_turn(), ANNA, GUILD, [mine, role]) is None
    for _ in range(3):
        refused = await limits.take(new_turn(), ANNA, GUILD, [mine, role])
        assert refused == Waiting(pytest.approx(10, abs=1), BucketScope.ROLE)
    left = await redis.hget(keys.limit(mine.name), "tokens")
    assert float(left or 0) == pytest.approx(1, abs=0.1)
    assert (
        await limits.take(new_turn(), ANNA, GUILD, [mine]) is None
    )  # the refused ones cost nothing


async def test_all_buckets_of_a_turn_are_asked_in_one_command(redis: Client) -> None:
    limits = limiter(redis)
    await limits.take(new_turn(), ANNA, GUILD)  # the script is known from here on
    calls = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    await limits.take(new_turn(), BEN, GUILD, [Bucket("g7:7:r5", Rate(1, 6), BucketScope.ROLE)])
    after = await redis.info("commandstats")
    assert after["cmdstat_evalsha"]["calls"] - calls == 1


async def test_of_many_at_once_as_many_are_granted_as_there_are_tokens(redis: Client) -> None:
    limits = limiter(redis, person=10)
    waits = await asyncio.gather(*(limits.take(new_turn(), ANNA, None) for _ in range(50)))
    assert waits.count(None) == 10


async def test_a_bucket_goes_away_when_it_is_full(redis: Client) -> None:
    limits = limiter(redis)
    await limits.take(new_turn(), ANNA, GUILD)
    assert 9 < await redis.ttl(keys.limit(f"u{ANNA}")) <= 12
    assert await limits.delete_person(ANNA) == 1
    assert await limits.delete_guild(GUILD) == 1
    (mark,) = await redis.keys()  # of the turn, which names nobody
    assert 0 < await redis.ttl(mark) <= ONCE_S
    assert await limits.export_person(ANNA) == {}


@pytest.mark.parametrize(("burst", "rate"), [(0, 1.0), (1, 0.0), (-1, 5.0), (1, -2.0)])
def test_a_rate_that_grants_nothing_is_refused(burst: int, rate: float) -> None:
    with pytest.raises(ValueError, match="a rate needs"):
        Rate(burst, rate)


async def test_small_values(redis: Client) -> None:
    state = RedisState(redis)
    assert await state.get("commands") is None
    await state.set("commands", {"hash": "ü", "at": 1.5})
    assert await state.get("commands") == {"hash": "ü", "at": 1.5}
    assert await redis.ttl(keys.state("commands")) == -1
    await state.set("commands", [1])
    assert await state.get("commands") == [1]


@pytest.mark.parametrize("name", ["", "A", "a b", "a}", "x" * 101, "a\n"])
async def test_names_are_checked(redis: Client, name: str) -> None:
    with pytest.raises(StoreError):
        await RedisState(redis).get(name)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, "x" * 70_000])
async def test_values_are_checked(redis: Client, value: object) -> None:
    with pytest.raises(StoreError):
        await RedisState(redis).set("x", value)


async def test_a_value_that_is_no_json_is_corrupt(redis: Client) -> None:
    await redis.set(keys.state("x"), b"\xff{")
    with pytest.raises(RecordCorrupt):
        await RedisState(redis).get("x")


async def test_other_keys_are_noticed_at_start(redis: Client, sealer: Sealer) -> None:
    new = ("new", bytes(32))
    old = ("test", bytes(range(32)))
    await check_seal(redis, sealer)
    await check_seal(redis, sealer)
    with pytest.raises(RecordCorrupt, match="put the old key back"):
        await check_seal(redis, Sealer([new]))
    await check_seal(redis, Sealer([new, old]))
    await check_seal(redis, Sealer([new]))
