"""Bindings: read from memory, changed for everybody within seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.redis import Client, RedisBindings, keys
from bot.adapters.redis.bindings import TARGETS
from bot.chat.place import ChannelId, GuildId, Place, UserId
from bot.errors import StoreError
from bot.personas import PersonaLibrary
from bot.personas.binding import Binding, BindingLevel, BindingTarget, TriggerMode
from bot.personas.casting import Casting
from bot.personas.house_rules import HouseRules
from bot.routing.route import Route
from tests.fakes import PATIENCE

GUILD = GuildId(7)
CHANNEL = BindingTarget(BindingLevel.CHANNEL, GUILD, 50)
SERVER = BindingTarget(BindingLevel.GUILD, GUILD, 7)
DM = BindingTarget(BindingLevel.CHANNEL, None, 60)
FULL = Binding(
    {Route.FACTUAL: "sage", Route.COMPANION: "bär"}, TriggerMode.AUTO, "llama3.2:3b", ("hey", "yo")
)


@pytest.fixture
async def store(redis: Client) -> AsyncIterator[RedisBindings]:
    bindings = RedisBindings(redis, poll_s=0.05)
    await bindings.start()
    yield bindings
    await bindings.close()


@pytest.fixture
async def other(redis: Client) -> AsyncIterator[RedisBindings]:
    """The store of another process."""
    bindings = RedisBindings(redis, poll_s=0.05)
    await bindings.start()
    yield bindings
    await bindings.close()


async def commands(redis: Client) -> int:
    stats = await redis.info("commandstats")
    return int(stats.get("cmdstat_hgetall", {"calls": 0})["calls"])


async def test_a_binding_comes_back_as_it_was_put(store: RedisBindings) -> None:
    await store.put(CHANNEL, FULL)
    await store.put(SERVER, Binding())
    await store.put(DM, Binding(mode=TriggerMode.OFF))
    found = await store.get([CHANNEL, SERVER, DM])
    assert found == {CHANNEL: FULL, SERVER: Binding(), DM: Binding(mode=TriggerMode.OFF)}


async def test_what_is_not_attached_is_absent(store: RedisBindings) -> None:
    assert await store.get([CHANNEL, DM]) == {}
    await store.put(CHANNEL, FULL)
    await store.put(CHANNEL, None)
    assert await store.get([CHANNEL]) == {}


async def test_reading_again_asks_nobody(store: RedisBindings, redis: Client) -> None:
    await store.put(CHANNEL, FULL)
    await store.get([CHANNEL, SERVER])
    before = await commands(redis)
    for _ in range(100):
        await store.get([CHANNEL, SERVER])
    assert await commands(redis) == before


async def test_other_processes_see_a_change_soon(
    store: RedisBindings, other: RedisBindings
) -> None:
    assert await other.get([CHANNEL]) == {}
    await store.put(CHANNEL, FULL)
    deadline = time.monotonic() + PATIENCE
    while not await other.get([CHANNEL]) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert await other.get([CHANNEL]) == {CHANNEL: FULL}
    await store.put(CHANNEL, None)
    while await other.get([CHANNEL]) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert await other.get([CHANNEL]) == {}


async def test_a_change_while_a_guild_is_being_read_is_not_covered_up(
    store: RedisBindings, redis: Client
) -> None:
    for number in range(50):
        binding = Binding(model=str(number))
        await asyncio.gather(store.get([CHANNEL]), store.put(CHANNEL, binding))
        assert await store.get([CHANNEL]) == {CHANNEL: binding}


async def test_another_database_behind_the_same_name_is_noticed(
    store: RedisBindings, redis: Client
) -> None:
    await store.put(CHANNEL, FULL)
    await store.get([CHANNEL])
    await asyncio.sleep(0.15)
    await redis.flushall()
    deadline = time.monotonic() + PATIENCE
    while await store.get([CHANNEL]) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert await store.get([CHANNEL]) == {}


async def test_without_start_every_read_is_fresh(redis: Client, store: RedisBindings) -> None:
    tool = RedisBindings(redis)
    assert await tool.get([CHANNEL]) == {}
    await store.put(CHANNEL, FULL)
    assert await tool.get([CHANNEL]) == {CHANNEL: FULL}


@pytest.mark.parametrize(
    "binding",
    [
        Binding(words=tuple("abc" * 50)),
        Binding(words=("x" * 300,)),
        Binding(model="x" * 300),
        Binding({Route.FACTUAL: "x" * 300}),
    ],
)
async def test_bounds_are_kept(store: RedisBindings, binding: Binding) -> None:
    with pytest.raises(StoreError):
        await store.put(CHANNEL, binding)
    assert await store.get([CHANNEL]) == {}


async def test_where_there_is_no_more_room_what_is_there_can_still_be_changed(
    store: RedisBindings, redis: Client
) -> None:
    others = {f"channel:{number}": b"{}" for number in range(1000, 1000 + TARGETS - 1)}
    await redis.hset(keys.bindings("7"), mapping=others)
    await store.put(SERVER, Binding())
    await store.put(SERVER, FULL)
    assert await store.get([SERVER]) == {SERVER: FULL}
    with pytest.raises(StoreError):
        await store.put(CHANNEL, FULL)


async def test_nothing_can_be_attached_to_the_default(store: RedisBindings) -> None:
    with pytest.raises(StoreError):
        await store.put(BindingTarget(BindingLevel.DEFAULT, None, 0), FULL)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"cast": 5}',
        b'{"cast": {"factual": 5}}',
        b'{"cast": {"rude": "x"}}',
        b'{"mode": "loud"}',
        b'{"words": "abc"}',
        b'{"words": [1]}',
        b"[" * 5000,
    ],
)
async def test_a_hostile_record_counts_as_absent(
    store: RedisBindings, redis: Client, record: bytes
) -> None:
    await store.put(SERVER, FULL)
    await redis.hset(keys.bindings("7"), "channel:50", record)
    assert await store.get([CHANNEL, SERVER]) == {SERVER: FULL}


async def test_a_newer_record_s_unknown_values_are_ignored(
    store: RedisBindings, redis: Client
) -> None:
    await redis.hset(keys.bindings("7"), "channel:50", b'{"cast": {}, "model": "m", "new": 1}')
    assert await store.get([CHANNEL]) == {CHANNEL: Binding(model="m")}


async def test_leaving_a_guild_removes_its_bindings(store: RedisBindings, redis: Client) -> None:
    await store.put(CHANNEL, FULL)
    await store.put(DM, FULL)
    assert await store.delete_guild(GUILD) == 1
    assert await store.get([CHANNEL, DM]) == {DM: FULL}
    assert await store.delete_person(UserId(1)) == 0
    assert await store.export_person(UserId(1)) == {}


PERSON, NAMED = UserId(101), "u101"


async def set_about_person(store: RedisBindings, redis: Client) -> None:
    await store.put(SERVER, Binding(barred=(NAMED, "r5"), limits={NAMED: 3, "all": 9}))
    await store.put(CHANNEL, Binding(allowed=(NAMED,), mode=TriggerMode.AUTO))
    await store.put(DM, Binding(mode=TriggerMode.OFF))
    await redis.sadd(keys.person(PERSON, "places"), f"0:{DM.id}", "7:50")


async def test_a_person_is_told_what_admins_set_about_them(
    store: RedisBindings, redis: Client
) -> None:
    await set_about_person(store, redis)
    told = await store.export_person(PERSON)
    assert sorted(told["servers"], key=lambda each: each["at"]) == [
        {"server": "7", "at": "channel:50", "allowed": True},
        {"server": "7", "at": "guild:7", "barred": True, "limit": 3},
    ]
    assert list(told["direct_messages"]) == [str(DM.id)]
    assert await store.export_person(UserId(1)) == {}


async def test_what_is_set_in_direct_messages_is_told_save_what_cannot_be_read(
    store: RedisBindings, redis: Client
) -> None:
    await set_about_person(store, redis)
    await redis.hset(keys.bindings(f"dm{DM.id}"), "channel:61", b"{")
    told = await store.export_person(PERSON)
    assert told["direct_messages"] == {str(DM.id): {"channel:60": {"cast": {}, "mode": "off"}}}


async def test_their_own_wish_lifts_no_bar(store: RedisBindings, redis: Client) -> None:
    await set_about_person(store, redis)
    before = await store.get([SERVER, CHANNEL])
    assert await store.delete_person(PERSON) == 1
    assert await store.get([SERVER, CHANNEL, DM]) == before


async def test_a_strict_deletion_names_them_nowhere_and_lets_nobody_else_in(
    store: RedisBindings, redis: Client, other: RedisBindings
) -> None:
    await set_about_person(store, redis)
    assert await other.get([SERVER])
    assert await store.delete_strictly(PERSON) == 3
    found = await store.get([SERVER, CHANNEL, DM])
    assert found == {
        SERVER: Binding(barred=("r5",), limits={"all": 9}),
        CHANNEL: Binding(allowed=("u0",), mode=TriggerMode.AUTO),
    }
    for name in [name async for name in redis.scan_iter("*bindings")]:
        assert b"101" not in b"".join((await redis.hgetall(name)).values())
    async with asyncio.timeout(PATIENCE):
        while NAMED in ((await other.get([SERVER]))[SERVER].barred or ()):
            await asyncio.sleep(0.02)
    assert await store.delete_strictly(PERSON) == 0


async def test_of_changes_made_at_once_each_is_kept(store: RedisBindings, tmp_path: Path) -> None:
    casting = Casting(store, PersonaLibrary(tmp_path), Binding())
    rules, place = HouseRules(casting, ["small"], auto_allowed=True), Place(ChannelId(50), GUILD)
    await asyncio.gather(
        rules.set_mode(place, TriggerMode.OFF),
        rules.set_limits(place, {"each": 5}),
        rules.set_barred(place, ["u9"]),
    )
    now = await casting.own(place)
    assert (now.mode, now.limits, now.barred) == (TriggerMode.OFF, {"each": 5}, ("u9",))
