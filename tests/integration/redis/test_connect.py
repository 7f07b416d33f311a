"""Every kind of server, and what happens when it is away."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.adapters.redis import (
    Client,
    EmbeddedRedis,
    RedisBindings,
    RedisConversations,
    RedisJournal,
    RedisLimiter,
    RedisRouteCounts,
    RedisRoutes,
    RedisState,
    Sealer,
    check_seal,
    open_redis,
)
from bot.adapters.redis.migrations import migrate
from bot.chat.place import GuildId, MessageId
from bot.chat.turn import Trigger, TurnId
from bot.errors import StoreError
from bot.files.data_files import migrations_dir
from bot.personas.binding import Binding, BindingLevel, BindingTarget, TriggerMode
from bot.ports import Outcome, Progress, Rate
from bot.routing.corrections import Correction
from bot.routing.route import Route
from tests.fakes import PATIENCE
from tests.integration.redis.servers import free_port, server
from tests.integration.redis.values import ANNA, GUILD, PLACE, exchange, message

TARGET = BindingTarget(BindingLevel.CHANNEL, GUILD, 50)
CORRECTION = Correction(
    (MessageId(100),), ANNA.id, ANNA.id, Route.CREATIVE, Route.FACTUAL, 1.0, (1, 2, 3)
)


async def use_everything(redis: Client, sealer: Sealer) -> None:
    """Use each store in each way. A Cluster refuses a script whose keys lie in two slots."""
    await migrate(redis, migrations_dir())
    await check_seal(redis, sealer)
    conversations = RedisConversations(redis, sealer)
    await conversations.record(PLACE, exchange(100))
    await conversations.edit(PLACE, MessageId(100), "edited")
    await conversations.keep(PLACE, {"lore": "x"})
    await conversations.trim(PLACE, TurnId("100"), "summary")
    assert (await conversations.load(PLACE)).exchanges[0].said[0].text == "edited"
    await conversations.delete(PLACE, [MessageId(100)])
    assert (await conversations.export_person(ANNA.id))["conversations"] == []
    await conversations.record(PLACE, exchange(200))
    assert await conversations.delete_person(ANNA.id) > 0
    await conversations.delete_guild(GUILD)

    journal = RedisJournal(redis, sealer, process_id="p", shards=[0], shard_count=1)
    heir = RedisJournal(redis, sealer, process_id="q", shards=[0], shard_count=1)
    await journal.start()
    await heir.start()
    for ident in range(100, 120):
        assert await journal.accept(message(ident), Trigger.DM)
    await journal.progress(MessageId(100), Progress())
    await journal.settle([MessageId(i) for i in range(100, 110)], Outcome.ANSWERED)
    await journal.close()
    assert len(await heir.take_up()) == 10
    assert await heir.delete_person(ANNA.id) == 10
    await heir.close()

    bindings = RedisBindings(redis)
    await bindings.start()
    await bindings.put(TARGET, Binding(mode=TriggerMode.AUTO))
    assert (await bindings.get([TARGET]))[TARGET].mode is TriggerMode.AUTO
    assert await bindings.delete_guild(GUILD) == 1
    await bindings.close()

    limiter = RedisLimiter(redis, person_rate=Rate(2, 60), guild_rate=Rate(1, 60))
    assert await limiter.take(TurnId("1"), ANNA.id, GUILD) is None
    assert await limiter.take(TurnId("2"), ANNA.id, GUILD) is not None
    await limiter.delete_person(ANNA.id)
    await limiter.delete_guild(GUILD)

    routes, counts = RedisRoutes(redis, sealer), RedisRouteCounts(redis)
    await routes.start()
    await routes.pin(PLACE, Route.CREATIVE, ANNA.id)
    await routes.correct(PLACE, CORRECTION)
    in_force = await routes.in_force(PLACE, ANNA.id)
    assert in_force.pin is Route.CREATIVE
    assert len(in_force.corrections) == 1
    assert await routes.delete_person(ANNA.id) == 2
    assert await routes.delete_guild(GUILD) == 0
    await routes.close()
    await counts.add({GUILD: {"decisions": 2}, GuildId(8): {"decisions": 1}})
    assert await counts.last_day(GUILD) == {"decisions": 2}
    assert await counts.delete_guild(GUILD) == 1

    state = RedisState(redis)
    await state.set("commands", {"hash": "x"})
    assert await state.get("commands") == {"hash": "x"}


async def test_a_single_server_over_tcp_with_a_password(tmp_path: Path, sealer: Sealer) -> None:
    with server(tmp_path, "--requirepass", "s3cret") as port:
        redis = await open_redis(f"redis://:s3cret@127.0.0.1:{port}/0")
        await use_everything(redis, sealer)
        await redis.aclose()
        with pytest.raises(StoreError) as refused:
            await open_redis(f"redis://:wrongone@127.0.0.1:{port}/0")
        assert "wrongone" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis+cluster://127.0.0.1:1", "connection error"),
        ("redis+cluster://", "REDIS_URL can't be used"),
        ("redis+cluster://127.0.0.1:1?foo=bar", "REDIS_URL can't be used"),
        ("redis://127.0.0.1:1/0?foo=bar", "REDIS_URL can't be used"),
    ],
)
async def test_what_can_not_be_reached_or_read_is_told_in_one_line(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        await open_redis(url)


async def test_a_cluster(tmp_path: Path, sealer: Sealer) -> None:
    with server(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port())) as port:
        node = Redis(port=port)
        await node.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        while (await node.cluster("INFO"))["cluster_state"] != "ok":
            await asyncio.sleep(0.05)
        await node.aclose()
        redis = await open_redis(f"redis+cluster://127.0.0.1:{port}")
        await use_everything(redis, sealer)
        await redis.aclose()


async def test_a_sentinel(tmp_path: Path, sealer: Sealer) -> None:
    with server(tmp_path / "master") as master:
        port = free_port()
        config = (
            f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\n"
            f"sentinel monitor cast 127.0.0.1 {master} 1\n"
        )
        with server(tmp_path / "sentinel", "--sentinel", port=port, config=config):
            redis = await open_redis(
                f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{port}/cast"
            )
            await use_everything(redis, sealer)
            await redis.aclose()
            with pytest.raises(StoreError):
                await open_redis(f"redis+sentinel://127.0.0.1:{port}/nobody")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://127.0.0.1",
        "redis://127.0.0.1:notaport",
        "redis+sentinel://127.0.0.1:1",
        "redis+sentinel:///name",
        "redis+sentinel://127.0.0.1:99999/name",
        "redis+cluster://127.0.0.1:1/3?x=y",
    ],
)
async def test_an_url_that_can_t_be_used_is_a_store_error(url: str) -> None:
    with pytest.raises(StoreError):
        await open_redis(url)


async def test_nobody_there_is_told() -> None:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StoreError):
            await open_redis(f"redis://127.0.0.1:{free_port()}")


async def test_a_server_that_hangs_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(StoreError):
                await open_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.parametrize("steps", range(8))
async def test_a_cancellation_is_never_lost_in_a_command(redis: Client, steps: int) -> None:
    """Up to Python 3.11 `asyncio.wait_for`, in redis-py, loses those that come at a bad time."""
    state = RedisState(redis)
    await state.get("x")
    for _ in range(50):
        task = asyncio.create_task(state.get("x"))
        for _ in range(steps):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task
    async with asyncio.timeout(PATIENCE):
        assert await state.get("x") is None


async def test_each_store_says_that_redis_is_away_and_works_again_when_it_is_back(
    tmp_path: Path, sealer: Sealer
) -> None:
    errors: Counter[str] = Counter()
    embedded = EmbeddedRedis(tmp_path)
    redis = await open_redis(await embedded.start(), on_error=lambda kind: errors.update([kind]))
    conversations = RedisConversations(redis, sealer)
    journal = RedisJournal(redis, sealer, process_id="p", shards=[0], shard_count=1)
    bindings = RedisBindings(redis, poll_s=0.05)
    limiter = RedisLimiter(redis, person_rate=Rate(5, 60), guild_rate=Rate(5, 60))
    await journal.start()
    await bindings.put(TARGET, Binding(model="m"))
    await bindings.start()  # after it, so that no change is heard of any more
    await bindings.get([TARGET])
    await conversations.record(PLACE, exchange(100))
    await conversations.load(PLACE)
    await embedded.stop()

    attempts = await asyncio.gather(
        conversations.load(PLACE),
        conversations.record(PLACE, exchange(200)),
        conversations.delete(PLACE, [MessageId(1)]),
        conversations.export_person(ANNA.id),
        journal.accept(message(300), Trigger.DM),
        journal.settle([MessageId(1)], Outcome.ANSWERED),
        journal.take_up(),
        limiter.take(TurnId("1"), ANNA.id, GUILD),
        bindings.put(TARGET, None),
        RedisState(redis).get("x"),
        return_exceptions=True,
    )
    assert [type(answer) for answer in attempts] == [StoreError] * len(attempts)
    assert errors["connection"] >= len(attempts)
    assert (await bindings.get([TARGET]))[TARGET].model == "m"  # from memory

    await embedded.start()
    assert await journal.accept(message(300), Trigger.DM)
    assert [e.turn for e in (await conversations.load(PLACE)).exchanges] == ["100"]
    await journal.close()
    await bindings.close()
    await redis.aclose()
    await embedded.stop()
