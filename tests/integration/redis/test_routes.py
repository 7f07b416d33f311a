"""Pins and corrections of the router: held in memory, changed for everybody, gone when due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.redis import Client, RedisRouteCounts, RedisRoutes, Sealer, keys
from bot.adapters.redis.route_records import correction_of, correction_record
from bot.adapters.redis.routes import CORRECTIONS, LIFE_S, PINS
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.errors import InvalidChoice, RecordCorrupt
from bot.routing.corrections import Correction, sketch
from bot.routing.dispatch import Overrides
from bot.routing.route import Route
from tests.fakes import PATIENCE

GUILD = GuildId(7)
PLACE = Place(ChannelId(70), GUILD)
THREAD = Place(ChannelId(71), GUILD, parent=ChannelId(70))
OTHER = Place(ChannelId(80), GuildId(8))
DM = Place(ChannelId(90))
ALICE, BOB = UserId(1), UserId(2)
TEXT = "whats the vibe of this new raid boss"


def fixed(number: int = 500, text: str | None = None, **changes: Any) -> Correction:
    correction = Correction(
        messages=(MessageId(number), MessageId(number + 1)),
        author=ALICE,
        by=BOB,
        label=Route.COMPANION,
        instead_of=Route.FACTUAL,
        at=float(number),
        features=sketch(TEXT),
        text=text,
    )
    return replace(correction, **changes)


@pytest.fixture
async def store(redis: Client, sealer: Sealer) -> AsyncIterator[RedisRoutes]:
    routes = RedisRoutes(redis, sealer, poll_s=0.05)
    await routes.start()
    yield routes
    await routes.close()


@pytest.fixture
async def other(redis: Client, sealer: Sealer) -> AsyncIterator[RedisRoutes]:
    """The store of another process."""
    routes = RedisRoutes(redis, sealer, poll_s=0.05)
    await routes.start()
    yield routes
    await routes.close()


async def label(store: RedisRoutes, place: Place = PLACE, text: str = TEXT) -> Route | None:
    match = (await store.in_force(place, ALICE)).corrections.match(text, None)
    return match.correction.label if match else None


# ── pins ────────────────────────────────────────────────────────────────────────────────────


async def test_a_place_s_pin_holds_for_everybody_there_and_in_its_threads(
    store: RedisRoutes,
) -> None:
    await store.pin(PLACE, Route.CREATIVE)
    for place in (PLACE, THREAD):
        assert (await store.in_force(place, BOB)).pin is Route.CREATIVE
    assert await store.in_force(OTHER, BOB) == Overrides()
    assert (await store.in_force(Place(ChannelId(72), GUILD), BOB)).pin is None


async def test_a_person_s_pin_holds_in_the_whole_guild_and_comes_first(store: RedisRoutes) -> None:
    await store.pin(PLACE, Route.CREATIVE)
    await store.pin(PLACE, Route.FACTUAL, ALICE)
    assert (await store.in_force(PLACE, ALICE)).pin is Route.FACTUAL
    assert (await store.in_force(Place(ChannelId(72), GUILD), ALICE)).pin is Route.FACTUAL
    assert (await store.in_force(PLACE, BOB)).pin is Route.CREATIVE
    assert (await store.in_force(OTHER, ALICE)).pin is None


async def test_where_there_is_no_more_room_a_pin_can_still_be_changed(
    store: RedisRoutes, redis: Client
) -> None:
    others = {f"c{number}": "factual" for number in range(1000, 1000 + PINS - 1)}
    await redis.hset(keys.owned("7", "routes"), mapping=others)
    await store.pin(PLACE, Route.CREATIVE)
    await store.pin(PLACE, Route.FACTUAL)
    assert (await store.in_force(PLACE, BOB)).pin is Route.FACTUAL
    with pytest.raises(InvalidChoice):
        await store.pin(PLACE, Route.FACTUAL, ALICE)


async def test_a_direct_message_has_pins_of_its_own(store: RedisRoutes) -> None:
    await store.pin(DM, Route.COMPANION, ALICE)
    assert (await store.in_force(DM, ALICE)).pin is Route.COMPANION
    assert (await store.in_force(PLACE, ALICE)).pin is None


async def test_a_pin_is_removed_once(store: RedisRoutes) -> None:
    await store.pin(PLACE, Route.CREATIVE, ALICE)
    assert await store.unpin(PLACE, ALICE)
    assert not await store.unpin(PLACE, ALICE)
    assert (await store.in_force(PLACE, ALICE)).pin is None


async def test_other_processes_follow_within_seconds(
    store: RedisRoutes, other: RedisRoutes
) -> None:
    assert (await other.in_force(PLACE, ALICE)).pin is None
    await store.pin(PLACE, Route.CREATIVE)
    deadline = time.monotonic() + PATIENCE
    while (await other.in_force(PLACE, ALICE)).pin is None and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert (await other.in_force(PLACE, ALICE)).pin is Route.CREATIVE


async def test_a_message_costs_no_round_trip(store: RedisRoutes, redis: Client) -> None:
    await store.pin(PLACE, Route.CREATIVE)
    await store.in_force(PLACE, ALICE)

    async def reads() -> int:
        stats = await redis.info("commandstats")
        return sum(int(stats[n]["calls"]) for n in ("cmdstat_hgetall", "cmdstat_zrevrangebyscore"))

    before = await reads()
    for person in range(200):
        await store.in_force(PLACE, UserId(person))
    assert await reads() < before + 20  # on a slow machine what was read may grow old meanwhile


async def test_a_pin_that_names_no_route_counts_as_none(store: RedisRoutes, redis: Client) -> None:
    await redis.hset("troupe:{g:7}:routes", "c70", b"\xffvillain")
    assert (await store.in_force(PLACE, ALICE)).pin is None


# ── corrections ─────────────────────────────────────────────────────────────────────────────


async def test_a_correction_holds_at_once_in_its_guild_only(store: RedisRoutes) -> None:
    assert await label(store) is None
    await store.correct(PLACE, fixed())
    assert await label(store) is Route.COMPANION
    assert await label(store, THREAD) is Route.COMPANION
    assert await label(store, OTHER) is None


async def test_the_same_message_is_corrected_anew(store: RedisRoutes) -> None:
    await store.correct(PLACE, fixed())
    await store.correct(PLACE, fixed(label=Route.CREATIVE))
    assert await label(store) is Route.CREATIVE
    assert len(await store.corrections(PLACE)) == 1


async def test_what_is_stored_is_sealed_and_holds_no_text(
    store: RedisRoutes, redis: Client
) -> None:
    await store.correct(PLACE, fixed(text=TEXT))
    stored = await redis.get("troupe:{g:7}:fix:500")
    assert stored is not None
    assert b"vibe" not in stored
    assert b"companion" not in stored
    assert (await store.corrections(PLACE))[0].text == TEXT


async def test_a_correction_ends_after_ninety_days(
    store: RedisRoutes, redis: Client, sealer: Sealer
) -> None:
    await store.correct(PLACE, fixed())
    assert 0 < await redis.ttl("troupe:{g:7}:fix:500") <= LIFE_S
    assert 0 < await redis.ttl("troupe:{g:7}:fixes") <= LIFE_S
    later = RedisRoutes(redis, sealer, now=lambda: time.time() + LIFE_S + 1)
    assert await later.corrections(PLACE) == ()


async def test_a_guild_has_a_bounded_number_of_them(store: RedisRoutes, redis: Client) -> None:
    now = time.time()
    ends = {str(number): now + 1_000 + number for number in range(1, CORRECTIONS + 1)}
    await redis.zadd("troupe:{g:7}:fixes", ends)
    await redis.set("troupe:{g:7}:fix:1", b"old")
    await store.correct(PLACE, fixed(9_000))
    assert await redis.zcard("troupe:{g:7}:fixes") == CORRECTIONS
    assert await redis.zscore("troupe:{g:7}:fixes", "1") is None
    assert await redis.get("troupe:{g:7}:fix:1") is None
    assert await label(store) is Route.COMPANION


async def test_an_edited_or_deleted_message_takes_its_correction_along(
    store: RedisRoutes, redis: Client
) -> None:
    await store.correct(PLACE, fixed())
    assert await store.forget(PLACE, [MessageId(4)]) == 0
    assert await store.forget(PLACE, [MessageId(501)]) == 1
    assert await label(store) is None
    assert await redis.exists("troupe:{g:7}:fix:500") == 0


async def test_texts_are_kept_only_while_the_guild_wants_it(store: RedisRoutes) -> None:
    assert not await store.keeps_text(PLACE)
    assert await store.keep_text(PLACE, True) == 0
    assert await store.keeps_text(THREAD)
    assert not await store.keeps_text(OTHER)
    await store.correct(PLACE, fixed(text=TEXT))
    await store.correct(PLACE, fixed(600))
    assert await store.keep_text(PLACE, False) == 1
    assert [each.text for each in await store.corrections(PLACE)] == [None, None]
    assert await label(store) is Route.COMPANION


async def test_a_record_that_was_tampered_with_counts_as_absent(
    store: RedisRoutes, redis: Client
) -> None:
    await store.correct(PLACE, fixed())
    await store.correct(PLACE, fixed(600, label=Route.CREATIVE))
    await redis.set("troupe:{g:7}:fix:600", b"\x01garbage")
    fresh = RedisRoutes(redis, Sealer([("test", bytes(range(32)))]))
    assert [each.id for each in await fresh.corrections(PLACE)] == ["500"]


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"[]",
        b"{}",
        correction_record(fixed()).replace(b"companion", b"villain"),
        correction_record(fixed()).replace(b'"m":[500,501]', b'"m":[]'),
        correction_record(fixed()).replace(b'"m":[500,501]', b'"m":["x"]'),
        correction_record(fixed(text="x")).replace(b'"t":"x"', b'"t":[1]'),
        correction_record(fixed()).replace(b'"f":[', b'"f":[-1,'),
    ],
)
def test_a_record_that_is_none_is_refused(record: bytes) -> None:
    with pytest.raises(RecordCorrupt):
        correction_of(record)


def test_a_correction_is_read_as_it_was_written() -> None:
    for each in (fixed(), fixed(text="ÄÖ\ud800", follows=Route.CREATIVE, continues=True)):
        assert correction_of(correction_record(each)) == each


# ── people and guilds ───────────────────────────────────────────────────────────────────────


async def test_a_person_sees_and_removes_what_is_about_them(
    store: RedisRoutes, redis: Client
) -> None:
    await store.pin(PLACE, Route.CREATIVE, ALICE)
    await store.correct(PLACE, fixed(text=TEXT))
    await store.correct(PLACE, fixed(600, author=BOB, label=Route.CREATIVE))
    assert await store.export_person(ALICE) == {
        "pins": {"7": "creative"},
        "corrections": {"7:500": {"label": "companion", "text": TEXT}},
    }
    assert await store.delete_person(ALICE) == 2
    assert await store.export_person(ALICE) == {}
    assert (await store.in_force(PLACE, ALICE)).pin is None
    assert [each.id for each in await store.corrections(PLACE)] == ["600"]
    assert await redis.keys("troupe:{u:1}:*") == []


async def test_a_guild_that_leaves_takes_everything_along(
    store: RedisRoutes, redis: Client
) -> None:
    await store.pin(PLACE, Route.CREATIVE)
    await store.correct(PLACE, fixed())
    assert await store.delete_guild(GUILD) == 2
    assert await redis.keys("troupe:{g:7}:*") == []
    assert await store.in_force(PLACE, ALICE) == Overrides()


# ── counts ──────────────────────────────────────────────────────────────────────────────────


async def test_counts_of_a_day_add_up_and_older_ones_are_left_out(redis: Client) -> None:
    now = 1_800_000_000.0
    counts = RedisRouteCounts(redis, now=lambda: now)
    await counts.add({GUILD: {"decisions": 3, "route:factual": 3}, GuildId(8): {"decisions": 1}})
    now += 5 * 3600
    await counts.add({GUILD: {"decisions": 2, "flips": 1}})
    assert await counts.last_day(GUILD) == {"decisions": 5, "route:factual": 3, "flips": 1}
    now += 20 * 3600
    assert await counts.last_day(GUILD) == {"decisions": 2, "flips": 1}
    assert await counts.last_day(GuildId(9)) == {}
    for key in await redis.keys("troupe:{g:7}:routed:*"):
        assert 0 < await redis.ttl(key) <= 25 * 3600
