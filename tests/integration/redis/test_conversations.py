"""Conversations: what is stored, what wins over what, and what is never seen again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.adapters.redis import Client, RedisConversations, Sealer, keys
from bot.adapters.redis.conversations import TOMBSTONE_S
from bot.chat.conversation import Conversation, Exchange
from bot.chat.place import ChannelId, MessageId, Place
from bot.chat.turn import TurnId
from bot.errors import StoreError
from tests.integration.redis.values import ANNA, BEN, DM, GUILD, PLACE, exchange, said, variant


@pytest.fixture
def store(redis: Client, sealer: Sealer) -> RedisConversations:
    return RedisConversations(redis, sealer)


@pytest.fixture
def other(redis: Client, sealer: Sealer) -> RedisConversations:
    """The store of another process."""
    return RedisConversations(redis, sealer)


async def turns(store: RedisConversations, place: Place = PLACE) -> list[str]:
    return [e.turn for e in (await store.load(place)).exchanges]


async def everything(redis: Client) -> bytes:
    """Every byte that is stored in a conversation, sealed or not."""
    found = b""
    async for key in redis.scan_iter("troupe:{c:*"):
        kind = await redis.type(key)
        if kind == b"hash":
            found += b"".join(k + v for k, v in (await redis.hgetall(key)).items())
    return found


async def test_an_unknown_place_has_an_empty_conversation(store: RedisConversations) -> None:
    assert await store.load(PLACE) == Conversation(PLACE)


async def test_what_is_recorded_comes_back_as_it_was(
    store: RedisConversations, other: RedisConversations
) -> None:
    first = exchange(
        100,
        said(100, "a\ud800\x00 ⚡"),
        said(101, "more", BEN),
        variants=(variant(102, 103), variant(104, text="again"), variant(text="unsent")),
    )
    first = replace(first, chosen=1)
    greeting = Exchange(TurnId("90"), (), (variant(90),), 0)
    assert await store.record(PLACE, first) == first
    assert await store.record(PLACE, greeting) == greeting
    for reader in (store, other):
        assert (await reader.load(PLACE)).exchanges == (greeting, first)


async def test_order_is_by_number_whenever_it_was_recorded(store: RedisConversations) -> None:
    for turn in (1000, 99, 2**63, 999_999_999_999_999_999, 2**63 + 1):
        await store.record(PLACE, exchange(turn, variants=(variant(5),)))
    expected = ["99", "1000", "999999999999999999", str(2**63), str(2**63 + 1)]
    assert await turns(store) == expected
    assert [e.turn for e in (await store.load(PLACE)).exchanges] == expected


async def test_the_writer_s_own_cache_agrees_with_a_fresh_reader(
    store: RedisConversations, redis: Client, sealer: Sealer
) -> None:
    await store.load(PLACE)
    for turn in (100, 300, 200):
        await store.record(PLACE, exchange(turn))
        await store.load(PLACE)
    again = exchange(200, variants=(variant(201), variant(202)))
    await store.record(PLACE, again)
    await store.keep(PLACE, {"lore": "1", "pin": "x"})
    await store.keep(PLACE, {"pin": ""})
    await store.trim(PLACE, TurnId("200"), "they met")
    await store.edit(PLACE, MessageId(300), "rewritten")
    assert await store.load(PLACE) == await RedisConversations(redis, sealer).load(PLACE)


async def test_a_change_by_another_process_is_seen_at_once(
    store: RedisConversations, other: RedisConversations
) -> None:
    await store.record(PLACE, exchange(100))
    await store.load(PLACE)
    await other.record(PLACE, exchange(200))
    assert await turns(store) == ["100", "200"]
    await other.reset(PLACE)
    await other.record(PLACE, exchange(300))
    assert await turns(store) == ["300"]


async def test_loading_again_does_not_fetch_again(store: RedisConversations, redis: Client) -> None:
    await store.record(PLACE, exchange(100, said(100, "x" * 5000)))
    await store.load(PLACE)
    before = (await redis.info("stats"))["total_net_output_bytes"]
    await store.load(PLACE)
    after = (await redis.info("stats"))["total_net_output_bytes"]
    assert after - before < 9000  # the answer to INFO itself is most of it


async def test_nothing_is_readable_in_the_database(
    store: RedisConversations, redis: Client
) -> None:
    await store.record(PLACE, exchange(100, said(100, "SECRETTEXT")))
    await store.edit(PLACE, MessageId(101), "SECRETREPLY")
    await store.keep(PLACE, {"lore": "SECRETSTATE"})
    await store.trim(PLACE, TurnId("100"), "SECRETSUMMARY")
    stored = await everything(redis)
    assert b"lines" not in stored
    for word in (b"SECRET", b"Anna", b"sage", b"hi there"):
        assert word not in stored


# ── deletions ───────────────────────────────────────────────────────────────────────────────


async def test_deleting_the_only_question_removes_the_reply_too(
    store: RedisConversations, redis: Client
) -> None:
    await store.record(PLACE, exchange(100))
    await store.record(PLACE, exchange(200))
    assert await store.delete(PLACE, [MessageId(100)]) == (TurnId("100"),)
    assert await turns(store) == ["200"]
    lines = await redis.hkeys(keys.conversation(PLACE.channel)[2])
    assert not [line for line in lines if b"10" in line]


async def test_deleting_one_of_two_questions_keeps_the_turn(store: RedisConversations) -> None:
    await store.record(PLACE, exchange(100, said(100), said(101, "b", BEN)))
    assert await store.delete(PLACE, [MessageId(100)]) == ()
    (left,) = (await store.load(PLACE)).exchanges
    assert [s.text for s in left.said] == ["b"]
    assert await store.delete(PLACE, [MessageId(101)]) == (TurnId("100"),)


async def test_deleting_a_part_of_a_reply_removes_it_with_all_its_variants(
    store: RedisConversations,
) -> None:
    shown = exchange(100, variants=(variant(101, 102),)).with_variant(variant(101, 102))
    await store.record(PLACE, shown)
    assert await store.delete(PLACE, [MessageId(102)]) == ()
    (left,) = (await store.load(PLACE)).exchanges
    assert (left.variants, left.reply) == ((), None)
    again = await store.record(PLACE, shown.with_variant(variant(101, 102)))
    assert again is not None
    assert again.variants == ()


async def test_bulk_deletion_takes_any_number(store: RedisConversations) -> None:
    for turn in range(1000, 1300):
        await store.record(PLACE, exchange(turn, variants=(variant(turn + 5000),)))
    gone = [MessageId(i) for i in range(900, 1299)]
    assert len(await store.delete(PLACE, gone)) == 299
    assert await turns(store) == ["1299"]


async def test_a_deleted_question_is_not_recorded_afterwards(
    store: RedisConversations, other: RedisConversations
) -> None:
    assert await other.delete(PLACE, [MessageId(100)]) == ()
    assert await store.record(PLACE, exchange(100)) is None
    assert await turns(store) == []


async def test_of_a_burst_only_what_still_stands_is_recorded(
    store: RedisConversations, other: RedisConversations
) -> None:
    await other.delete(PLACE, [MessageId(101)])
    stored = await store.record(PLACE, exchange(100, said(100, "a"), said(101, "b")))
    assert stored is not None
    assert [s.text for s in stored.said] == ["a"]


async def test_recording_a_reply_to_a_question_that_was_just_deleted_brings_nothing_back(
    store: RedisConversations, other: RedisConversations, redis: Client
) -> None:
    first = replace(exchange(100), variants=(), chosen=-1)
    await store.record(PLACE, first)
    await other.delete(PLACE, [MessageId(100)])
    assert await store.record(PLACE, first.with_variant(variant(101))) is None
    assert await redis.hlen(keys.conversation(PLACE.channel)[2]) == 0


async def test_deleting_and_recording_at_once_never_leaves_the_text(
    store: RedisConversations, other: RedisConversations
) -> None:
    async def round_trip(number: int) -> None:
        place = Place(ChannelId(number), GUILD)
        await asyncio.gather(
            store.record(place, exchange(100)),
            other.delete(place, [MessageId(100)]),
            store.record(place, exchange(100)),
        )
        assert await turns(store, place) == []

    await asyncio.gather(*(round_trip(number) for number in range(60)))


async def test_what_was_said_before_goes_out_of_the_summary_too(
    store: RedisConversations,
) -> None:
    await store.record(PLACE, exchange(100))
    await store.record(PLACE, exchange(200))
    await store.trim(PLACE, TurnId("200"), "Anna said hello")
    await store.delete(PLACE, [MessageId(200)])
    assert (await store.load(PLACE)).summary == "Anna said hello"
    await store.delete(PLACE, [MessageId(100)])
    assert (await store.load(PLACE)).summary is None


# ── edits ───────────────────────────────────────────────────────────────────────────────────


async def test_an_edit_rewrites_what_is_stored(store: RedisConversations) -> None:
    await store.record(PLACE, exchange(100, variants=(variant(101, 102), variant(103))))
    assert await store.edit(PLACE, MessageId(100), "better")
    assert await store.edit(PLACE, MessageId(102), "improved")
    assert await store.edit(PLACE, MessageId(101), "improved twice")
    (left,) = (await store.load(PLACE)).exchanges
    assert (left.said[0].text, left.said[0].edited) == ("better", True)
    assert [v.text for v in left.variants] == ["improved twice", "hi there"]


async def test_an_edit_of_what_is_not_stored_says_so(store: RedisConversations) -> None:
    assert not await store.edit(PLACE, MessageId(100), "x")
    assert await turns(store) == []


async def test_an_edit_while_the_turn_is_under_way_is_kept(
    store: RedisConversations, other: RedisConversations
) -> None:
    await other.edit(PLACE, MessageId(100), "new words")
    stored = await store.record(PLACE, exchange(100, said(100, "old words")))
    assert stored is not None
    assert (stored.said[0].text, stored.said[0].edited) == ("new words", True)
    again = await store.record(PLACE, exchange(100, said(100, "old words")))
    assert again == stored


async def test_a_deletion_wins_over_an_earlier_and_a_later_edit(
    store: RedisConversations, redis: Client
) -> None:
    await store.edit(PLACE, MessageId(100), "SECRET")
    await store.delete(PLACE, [MessageId(100)])
    assert not await store.edit(PLACE, MessageId(100), "SECRET")
    assert await redis.exists(keys.conversation(PLACE.channel)[6]) == 0
    assert await store.record(PLACE, exchange(100)) is None


# ── bounds ──────────────────────────────────────────────────────────────────────────────────


async def test_the_oldest_exchange_makes_room(
    redis: Client, sealer: Sealer, other: RedisConversations
) -> None:
    store = RedisConversations(redis, sealer, cap=3)
    for turn in (100, 200, 300, 400, 500):
        await store.load(PLACE)
        await store.record(PLACE, exchange(turn))
    assert await turns(store) == await turns(other) == ["300", "400", "500"]
    assert await redis.hlen(keys.conversation(PLACE.channel)[2]) == 3 * 4


async def test_a_place_expires_as_a_whole_and_each_write_renews_it(
    redis: Client, sealer: Sealer
) -> None:
    store = RedisConversations(redis, sealer, ttl_s=100)
    await store.record(PLACE, exchange(100))
    names = keys.conversation(PLACE.channel)[:5]
    for name in names:
        assert 95 <= await redis.ttl(name) <= 100
        await redis.expire(name, 5)
    await store.keep(PLACE, {"a": "b"})
    assert all([await redis.ttl(name) > 90 for name in names])


async def test_an_expired_place_is_not_served_from_memory(redis: Client, sealer: Sealer) -> None:
    store = RedisConversations(redis, sealer)
    await store.record(PLACE, exchange(100))
    await store.load(PLACE)
    await redis.delete(*keys.conversation(PLACE.channel))
    assert await turns(store) == []
    await store.record(PLACE, exchange(200))
    assert await turns(store) == ["200"]


async def test_trimming_only_moves_forward(store: RedisConversations) -> None:
    await store.record(PLACE, exchange(100))
    await store.trim(PLACE, TurnId("1000"), "new")
    await store.trim(PLACE, TurnId("999"), "old")
    conversation = await store.load(PLACE)
    assert (conversation.trimmed_to, conversation.summary) == ("1000", "new")


@pytest.mark.parametrize("turn", ["", "x", "01", "-1", "1.5", "٣", "9" * 21, "1\n"])
async def test_a_turn_id_that_is_no_plain_number_is_refused(
    store: RedisConversations, turn: str
) -> None:
    with pytest.raises(StoreError):
        await store.record(PLACE, replace(exchange(100), turn=TurnId(turn)))


async def test_state_is_bounded(store: RedisConversations) -> None:
    with pytest.raises(StoreError):
        await store.keep(PLACE, {"a": "x" * 70_000})
    with pytest.raises(StoreError):
        await store.keep(PLACE, {f"n{number}": "x" for number in range(100)})
    many = [store.keep(PLACE, {f"n{number}": "x"}) for number in range(100)]
    kept = await asyncio.gather(*many, return_exceptions=True)
    assert any(isinstance(answer, StoreError) for answer in kept)
    assert 40 < len((await store.load(PLACE)).state) < 50


async def test_resetting_forgets_everything(store: RedisConversations, redis: Client) -> None:
    await store.record(PLACE, exchange(100))
    await store.edit(PLACE, MessageId(100), "x")
    assert await store.reset(PLACE) == 1
    assert await store.load(PLACE) == Conversation(PLACE)
    meta, *others = keys.conversation(PLACE.channel)
    assert await redis.exists(*others) == 0
    assert await redis.hkeys(meta) == [b"taken_back"], "for a summary that is being written"
    assert 0 < await redis.ttl(meta) <= TOMBSTONE_S


async def test_a_message_is_found_by_its_id_or_its_reply_s(store: RedisConversations) -> None:
    await store.record(PLACE, exchange(100, variants=(variant(101, 102),)))
    for ident in (100, 101, 102):
        found = await store.find(PLACE, MessageId(ident))
        assert found is not None
        assert found.turn == "100"
    assert await store.find(PLACE, MessageId(103)) is None


# ── hostile, older and lost records ─────────────────────────────────────────────────────────


async def test_one_bad_record_does_not_silence_the_place(
    store: RedisConversations, redis: Client, sealer: Sealer
) -> None:
    for turn in (100, 200, 300, 400):
        await store.record(PLACE, exchange(turn))
    meta, rows, lines, _, index, *_ = keys.conversation(PLACE.channel)
    await redis.hset(lines, "t100", b"garbage")
    await redis.hset(lines, "t200", await redis.hget(lines, "t300"))  # moved from elsewhere
    await redis.hset(rows, "300", b"\xff|")
    await redis.hset(rows, "abc", b"|||")
    await redis.hset(index, "400", b"\xff")
    await redis.hset(meta, mapping={"ver": "x", "summary": b"x", "trimmed_to": b"\xff"})
    fresh = await RedisConversations(redis, sealer).load(PLACE)
    assert [(e.turn, len(e.said)) for e in fresh.exchanges] == [("100", 0), ("200", 0), ("400", 1)]
    assert (fresh.summary, fresh.trimmed_to) == (None, None)
    await store.record(PLACE, exchange(500))
    await store.delete(PLACE, [MessageId(100), MessageId(300), MessageId(400)])


async def test_another_key_opens_nothing(store: RedisConversations, redis: Client) -> None:
    await store.record(PLACE, exchange(100))
    stranger = RedisConversations(redis, Sealer([("other", bytes(32))]))
    assert (await stranger.load(PLACE)).exchanges == ()


async def test_records_of_an_older_key_open_after_a_rotation(
    store: RedisConversations, redis: Client
) -> None:
    await store.record(PLACE, exchange(100))
    rotated = RedisConversations(redis, Sealer([("new", bytes(32)), ("test", bytes(range(32)))]))
    await rotated.record(PLACE, exchange(200))
    assert await turns(rotated) == ["100", "200"]


# ── subject access ──────────────────────────────────────────────────────────────────────────


async def test_a_person_s_texts_are_exported_and_nobody_else_s(store: RedisConversations) -> None:
    await store.record(PLACE, exchange(100, said(100, "mine"), said(109, "ben's", BEN)))
    await store.record(DM, exchange(200, said(200, "also mine")))
    exported = await store.export_person(ANNA.id)
    assert "ben's" not in str(exported)
    assert [
        (c["channel"], c["exchanges"][0]["said"][0]["text"]) for c in exported["conversations"]
    ] == [("51", "also mine"), ("50", "mine")]


async def test_deleting_a_person_leaves_others_and_no_trace(
    store: RedisConversations, other: RedisConversations, redis: Client
) -> None:
    await store.record(PLACE, exchange(100, said(100, "mine"), said(109, "ben's", BEN)))
    await store.record(PLACE, exchange(200, said(200)))
    await store.record(DM, exchange(300, said(300)))
    await store.trim(PLACE, TurnId("200"), "Anna likes tea")
    await other.delete_person(ANNA.id)
    (left,) = (await store.load(PLACE)).exchanges
    assert [s.text for s in left.said] == ["ben's"]
    assert (await store.load(PLACE)).summary is None
    assert await turns(store, DM) == []
    assert await redis.exists(keys.person(ANNA.id, "places")) == 0
    assert await store.export_person(ANNA.id) == {"conversations": []}


async def test_a_turn_under_way_does_not_bring_a_deleted_person_back(
    store: RedisConversations, other: RedisConversations
) -> None:
    await store.record(PLACE, exchange(100))
    await other.delete_person(ANNA.id)
    assert await store.record(PLACE, exchange(200, said(200, "sent before"))) is None
    later = replace(said(300, "sent after"), at=4_000_000_000.0)
    assert await store.record(PLACE, exchange(300, later)) is not None


async def test_leaving_a_guild_removes_its_conversations_only(store: RedisConversations) -> None:
    await store.record(PLACE, exchange(100))
    await store.record(DM, exchange(200))
    assert await store.delete_guild(GUILD) == 1
    assert await turns(store) == []
    assert await turns(store, DM) == ["200"]
