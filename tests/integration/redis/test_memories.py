"""Memories in Redis: sealed, capped, refused without consent, and forgotten completely."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from bot.adapters.redis import Client, Sealer, keys
from bot.adapters.redis.memories import LEARNED_A_DAY, PACKED_FROM, RedisMemories
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.errors import ConsentRequired, RecordCorrupt, StoreError
from bot.memory.item import CAPS, DAY, Item, Kind, new_id
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, Consent, Put

ANNA, BEN = UserId(918273645546372819), UserId(827364554637281919)
"""Long, as real ones: no ciphertext holds their digits by chance."""
GUILD = GuildId(700)
HERE = Place(ChannelId(50), GUILD)
DM = Place(ChannelId(51))
NOW = 1_790_000_000.0


@pytest.fixture
def memories(redis: Client, sealer: Sealer) -> RedisMemories:
    return RedisMemories(redis, sealer, space="m@4")


def item(kind: Kind, text: str, *, at: float = NOW, message: int = 1, **more: object) -> Item:
    made = Item(
        new_id(kind, at),
        text,
        guild=GUILD,
        channel=HERE.channel,
        at=at,
        sources=((HERE.channel, message),),
    )
    return made._replace(**more)


async def opened(memories: RedisMemories, person: UserId = ANNA) -> Shelf:
    await memories.agree(person, NOW)
    shelf = await memories.load(person)
    assert shelf is not None
    return shelf


async def remember(memories: RedisMemories, *items: Item, person: UserId = ANNA) -> Shelf:
    shelf = await opened(memories, person)
    await memories.apply(person, shelf, Changes(put=tuple(map(Put, items))))
    again = await memories.load(person)
    assert again is not None
    return again


async def mentions(redis: Client, person: UserId) -> list[bytes]:
    """Return every key that names the person, or holds a value that does."""
    found = []
    async for key in redis.scan_iter():
        kind = await redis.type(key)
        held: object = b""
        if kind == b"hash":
            held = await redis.hgetall(key)
        elif kind == b"set":
            held = await redis.smembers(key)
        elif kind == b"zset":
            held = await redis.zrange(key, 0, -1)
        if str(person) in f"{key!r} {held!r}":
            found.append(key)
    return found


async def test_nothing_is_kept_or_known_before_the_yes(
    memories: RedisMemories, redis: Client
) -> None:
    shelf = await opened(memories)
    await memories.forget_all(ANNA)
    assert await memories.consent(ANNA) is Consent.UNDECIDED
    assert await memories.load(ANNA) is None
    with pytest.raises(ConsentRequired):
        await memories.apply(ANNA, shelf, Changes(put=(Put(item(Kind.FACT, "a")),)))
    assert await redis.dbsize() == 0


async def test_what_was_written_is_read_by_another_process(
    memories: RedisMemories, redis: Client, sealer: Sealer
) -> None:
    fact = item(
        Kind.FACT, "has a dog, Poppy 🐕", shared=(1, 2), sources=((50, 1), (51, 2)), context="Pets?"
    )
    await opened(memories)
    shelf = await memories.load(ANNA)
    assert shelf is not None
    vector = (0.5, 0.5, 0.5, 0.5)
    put = Put(fact, vector=vector, space="m@4")
    await memories.apply(ANNA, shelf, Changes(put=(put,), values=(("linked", "1"),)))
    for reader in (memories, RedisMemories(redis, sealer, space="m@4")):
        read = await reader.load(ANNA)
        assert read is not None
        assert read.items == (fact,)
        assert read.linked
        assert read.rows.vectors is not None
        assert np.allclose(read.rows.vectors.wide(), [vector], atol=0.01)


async def test_vectors_of_another_model_never_meet_these(
    memories: RedisMemories, redis: Client, sealer: Sealer
) -> None:
    shelf = await opened(memories)
    put = Put(item(Kind.FACT, "a"), vector=(1.0, 0.0), space="old@2")
    await memories.apply(ANNA, shelf, Changes(put=(put,)))
    read = await memories.load(ANNA)
    assert read is not None
    assert read.rows.vectors is None
    memories.move_to("old@2")
    read = await memories.load(ANNA)
    assert read is not None
    assert read.rows.vectors is not None


async def test_no_text_lies_open(memories: RedisMemories, redis: Client) -> None:
    await remember(memories, item(Kind.FACT, "secretgarden", context="secretgarden"))
    async for key in redis.scan_iter():
        assert b"secretgarden" not in await redis.dump(key)


async def test_without_the_person_s_key_the_records_are_noise(
    memories: RedisMemories, redis: Client, sealer: Sealer
) -> None:
    await remember(memories, item(Kind.FACT, "a"))
    backup = await redis.hgetall(keys.memory(ANNA)[1])
    await memories.forget_all(ANNA)
    await memories.agree(ANNA, NOW)
    await redis.hset(keys.memory(ANNA)[1], mapping=backup)
    restored = await RedisMemories(redis, sealer).load(ANNA)
    assert restored is not None
    assert restored.items == ()


async def test_a_record_can_t_be_moved_to_another_person(
    memories: RedisMemories, redis: Client
) -> None:
    await remember(memories, item(Kind.FACT, "a"))
    await remember(memories, person=BEN)
    stolen = await redis.hgetall(keys.memory(ANNA)[1])
    await redis.hset(keys.memory(BEN)[1], mapping=stolen)
    await redis.hset(keys.memory(BEN)[0], "dek", await redis.hget(keys.memory(ANNA)[0], "dek"))
    await redis.hset(keys.memory(BEN)[0], "ver", "other")
    with pytest.raises(RecordCorrupt):
        await memories.load(BEN)


async def test_the_key_is_sealed_anew_after_a_rotation(
    memories: RedisMemories, redis: Client
) -> None:
    await remember(memories, item(Kind.FACT, "a"))
    old, new = ("test", bytes(range(32))), ("new", bytes(32))
    both = RedisMemories(redis, Sealer([new, old]))
    read = await both.load(ANNA)
    assert read is not None
    only_new = await RedisMemories(redis, Sealer([new])).load(ANNA)
    assert only_new is not None
    assert [each.text for each in only_new.items] == ["a"]


async def test_over_its_cap_the_least_worth_goes(memories: RedisMemories) -> None:
    cap = CAPS[Kind.PREFERENCE]
    likes = [item(Kind.PREFERENCE, f"likes {n}", at=NOW + n) for n in range(cap)]
    await remember(memories, likes[0]._replace(importance=3), *likes[1:])
    shelf = await remember(memories, item(Kind.PREFERENCE, "newest", at=NOW + 500))
    texts = {each.text for each in shelf.items}
    assert len(texts) == cap
    assert {"likes 0", "newest"} <= texts
    assert "likes 1" not in texts


async def test_use_keeps_an_item_alive(memories: RedisMemories) -> None:
    cap = CAPS[Kind.PREFERENCE]
    likes = [item(Kind.PREFERENCE, f"likes {n}", at=NOW + n) for n in range(cap)]
    shelf = await remember(memories, *likes)
    await memories.apply(ANNA, shelf, Changes(used=((likes[0].id, NOW + 30 * DAY),)))
    shelf = await remember(memories, item(Kind.PREFERENCE, "newest", at=NOW + 500))
    assert "likes 0" in {each.text for each in shelf.items}


async def test_writing_an_item_anew_does_not_make_it_older(
    memories: RedisMemories, redis: Client
) -> None:
    fact = item(Kind.FACT, "a")
    shelf = await remember(memories, fact)
    await memories.apply(ANNA, shelf, Changes(used=((fact.id, NOW + 30 * DAY),)))
    put = Put(fact, vector=(1.0, 0.0), space="m@2")
    await memories.apply(ANNA, shelf, Changes(put=(put,)))
    rank = keys.memory(ANNA)[keys.MEMORY_PARTS.index("memory:f")]
    assert await redis.zscore(rank, fact.id) == NOW + 30 * DAY


async def test_a_constraint_is_never_evicted(memories: RedisMemories) -> None:
    cap = CAPS[Kind.CONSTRAINT]
    rules = [item(Kind.CONSTRAINT, f"rule {n}") for n in range(cap)]
    shelf = await remember(memories, *rules)
    late = Put(item(Kind.CONSTRAINT, "late"))
    written = await memories.apply(ANNA, shelf, Changes(put=(late,)))
    assert written.stored == ()
    read = await memories.load(ANNA)
    assert read is not None
    assert len(read.items) == cap


async def test_only_so_much_is_learned_a_day(memories: RedisMemories) -> None:
    shelf = await opened(memories)
    puts = tuple(Put(item(Kind.FACT, f"f{n}"), counted=True) for n in range(LEARNED_A_DAY + 5))
    written = await memories.apply(ANNA, shelf, Changes(put=puts))
    assert len(written.stored) == LEARNED_A_DAY
    own = await memories.apply(ANNA, shelf, Changes(put=(Put(item(Kind.FACT, "mine")),)))
    assert len(own.stored) == 1


async def test_what_was_learned_from_a_deleted_message_is_not_written(
    memories: RedisMemories,
) -> None:
    episode = item(Kind.EPISODE, "my dog Poppy")
    shelf = await remember(memories, episode)
    await memories.apply(ANNA, shelf, Changes(remove=(episode.id,)), by_person=True)
    late = Put(item(Kind.FACT, "has a dog"), only_if=(episode.id,))
    written = await memories.apply(ANNA, shelf, Changes(put=(late,)))
    assert written.stored == ()
    read = await memories.load(ANNA)
    assert read is not None
    assert read.items == ()


async def test_while_paused_only_the_person_changes_anything(memories: RedisMemories) -> None:
    fact = item(Kind.FACT, "a")
    shelf = await remember(memories, fact)
    await memories.pause(ANNA, True)
    assert await memories.consent(ANNA) is Consent.PAUSED
    paused = await memories.load(ANNA)
    assert paused is not None
    assert paused.paused
    with pytest.raises(ConsentRequired):
        await memories.apply(ANNA, shelf, Changes(put=(Put(item(Kind.FACT, "b")),)))
    await memories.apply(ANNA, shelf, Changes(remove=(fact.id,)), by_person=True)
    await memories.pause(ANNA, False)
    read = await memories.load(ANNA)
    assert read is not None
    assert not read.paused
    assert read.items == ()


async def test_forget_all_leaves_no_key_and_no_mention(
    memories: RedisMemories, redis: Client
) -> None:
    await remember(memories, item(Kind.FACT, "ben's", message=9), person=BEN)
    before = sorted(await mentions(redis, BEN))
    shelf = await remember(
        memories, *(item(kind, "anna's", message=n) for n, kind in enumerate(Kind))
    )
    await memories.apply(ANNA, shelf, Changes(remove=(shelf.items[0].id,)))
    await memories.schedule(ANNA, NOW)
    assert await mentions(redis, ANNA) != []
    assert await memories.forget_all(ANNA) == len(Kind) - 1
    assert await mentions(redis, ANNA) == []
    assert await memories.load(ANNA) is None
    assert sorted(await mentions(redis, BEN)) == before
    theirs = await memories.load(BEN)
    assert theirs is not None
    assert [each.text for each in theirs.items] == ["ben's"]


async def test_a_writer_under_way_can_t_bring_anything_back(
    memories: RedisMemories, redis: Client, sealer: Sealer
) -> None:
    """Forgetting races with writers, also when the person agrees again at once."""
    other = RedisMemories(redis, sealer)
    for again in (False, True):
        shelf = await opened(memories)

        async def write(shelf: Shelf, number: int) -> None:
            await asyncio.sleep(number / 10_000)
            refused = False
            while not refused:
                late = Put(item(Kind.FACT, "late", message=number))
                try:
                    await other.apply(ANNA, shelf, Changes(put=(late,)))
                except ConsentRequired:
                    refused = True

        writers = [asyncio.create_task(write(shelf, number)) for number in range(8)]
        await asyncio.sleep(0.02)
        await memories.forget_all(ANNA)
        if again:
            await memories.agree(ANNA, NOW)
        await asyncio.gather(*writers)
        read = await memories.load(ANNA)
        assert (read is not None and read.items == ()) if again else read is None
        await memories.forget_all(ANNA)
        assert await mentions(redis, ANNA) == []


async def test_concurrent_writers_lose_nothing(
    memories: RedisMemories, redis: Client, sealer: Sealer
) -> None:
    shelf = await opened(memories)
    stores = [RedisMemories(redis, sealer) for _ in range(3)]
    puts = [Put(item(Kind.FACT, f"fact {n}")) for n in range(30)]
    await asyncio.gather(
        *(stores[n % 3].apply(ANNA, shelf, Changes(put=(put,))) for n, put in enumerate(puts))
    )
    read = await memories.load(ANNA)
    assert read is not None
    assert {each.text for each in read.items} == {f"fact {n}" for n in range(30)}


async def test_a_no_outlives_everything_and_names_nobody(
    memories: RedisMemories, redis: Client
) -> None:
    await remember(memories, item(Kind.FACT, "a"))
    await memories.decline(ANNA)
    assert await mentions(redis, ANNA) == []
    await memories.forget_all(ANNA)
    await memories.delete_person(ANNA)
    assert await memories.consent(ANNA) is Consent.DECLINED
    assert not await memories.offer_once(ANNA)
    assert await memories.consent(BEN) is Consent.UNDECIDED
    rotated = RedisMemories(
        redis, Sealer([("new", bytes(range(1, 33))), ("test", bytes(range(32)))])
    )
    assert await rotated.consent(ANNA) is Consent.DECLINED
    await memories.agree(ANNA, NOW)
    assert await memories.consent(ANNA) is Consent.ON
    await memories.forget_all(ANNA)
    assert await memories.consent(ANNA) is Consent.UNDECIDED


async def test_a_strict_deletion_takes_the_no_too(memories: RedisMemories, redis: Client) -> None:
    await memories.decline(ANNA)
    await memories.delete_strictly(ANNA)
    assert await memories.consent(ANNA) is Consent.UNDECIDED
    assert not [key async for key in redis.scan_iter("*:no:*")]


async def test_messages_lead_to_their_owners(memories: RedisMemories) -> None:
    await remember(memories, item(Kind.EPISODE, "a", message=5))
    owners = await memories.owners(HERE.channel, [MessageId(4), MessageId(5)])
    assert owners == {MessageId(5): ANNA}
    assert await memories.owners(DM.channel, [MessageId(5)]) == {}


async def test_leaving_a_guild_takes_what_was_learned_there(memories: RedisMemories) -> None:
    kept = item(Kind.FACT, "from a dm", guild=0, channel=51, shared=(GUILD, 8), sources=((51, 3),))
    await remember(memories, item(Kind.FACT, "from the guild"), kept)
    assert await memories.members(GUILD) == [ANNA]
    assert await memories.delete_guild(GUILD) == 1
    read = await memories.load(ANNA)
    assert read is not None
    assert read.items == (kept._replace(shared=(8,)),)
    assert await memories.members(GUILD) == []


async def test_a_memory_whose_key_is_lost_keeps_no_other_one_in_a_guild_that_was_left(
    memories: RedisMemories, redis: Client
) -> None:
    await remember(memories, item(Kind.FACT, "from the guild"))
    anew = RedisMemories(redis, Sealer([("new", bytes(32))]))  # without the old key
    await remember(anew, item(Kind.FACT, "from the guild"), person=BEN)
    assert await anew.delete_guild(GUILD) == 1
    assert (await opened(anew, BEN)).items == ()
    assert await memories.members(GUILD) == []


async def test_an_export_says_everything(memories: RedisMemories) -> None:
    await remember(memories, item(Kind.FACT, "has a dog", message=2**60))
    told = (await memories.export_person(ANNA))["memory"]
    assert told["consent"] == "on"
    assert told["items"][0]["text"] == "has a dog"
    assert told["items"][0]["messages"] == [str(2**60)]
    assert (await memories.export_person(BEN))["memory"]["items"] == []


async def test_one_damaged_record_does_not_silence_the_memory(
    memories: RedisMemories, redis: Client, sealer: Sealer
) -> None:
    shelf = await remember(memories, item(Kind.FACT, "good"), item(Kind.FACT, "bad", at=NOW + 1))
    await redis.hset(keys.memory(ANNA)[1], shelf.items[1].id, b"\x01\x03own" + bytes(40))
    read = await RedisMemories(redis, sealer).load(ANNA)
    assert read is not None
    assert [each.text for each in read.items] == ["good"]


async def test_the_queue_gives_each_person_once(memories: RedisMemories) -> None:
    await memories.schedule(ANNA, NOW)
    await memories.schedule(BEN, NOW + 100)
    assert await memories.take_due(NOW + 1, lease=60) == ANNA
    assert await memories.take_due(NOW + 1, lease=60) is None
    await memories.schedule(ANNA, NOW + 5)
    await memories.done(ANNA, NOW + 61)
    assert await memories.take_due(NOW + 6, lease=60) == ANNA, "scheduled anew meanwhile"
    await memories.done(ANNA, NOW + 66)
    assert await memories.take_due(NOW + 90, lease=60) is None
    assert await memories.take_due(NOW + 101, lease=60) == BEN


async def test_the_whole_memory_ends_unless_it_is_used(
    redis: Client, sealer: Sealer, memories: RedisMemories
) -> None:
    await remember(memories, item(Kind.FACT, "a"))
    for key in keys.memory(ANNA):
        assert await redis.ttl(key) != -1


async def test_a_memory_too_long_is_refused(memories: RedisMemories) -> None:
    shelf = await opened(memories)
    with pytest.raises(StoreError):
        await memories.apply(ANNA, shelf, Changes(put=(Put(item(Kind.FACT, "x" * 70_000)),)))


async def test_a_large_memory_is_read_as_one_and_never_out_of_date(
    memories: RedisMemories, redis: Client, sealer: Sealer
) -> None:
    facts = [item(Kind.FACT, f"fact {n}", at=NOW + n, message=n) for n in range(PACKED_FROM)]
    shelf = await remember(memories, *facts)
    pack = keys.memory(ANNA)[-1]
    assert not await redis.exists(pack)
    await RedisMemories(redis, sealer, space="m@4").load(ANNA)
    assert await redis.exists(pack), "who read it record by record leaves it packed"
    again = await RedisMemories(redis, sealer, space="m@4").load(ANNA)
    assert again is not None
    assert again.items == shelf.items
    assert again.get(facts[3].id) == facts[3]
    await memories.apply(ANNA, shelf, Changes(remove=(facts[3].id,)), by_person=True)
    assert not await redis.exists(pack), "what was removed must not lie there"
    read = await RedisMemories(redis, sealer, space="m@4").load(ANNA)
    assert read is not None
    assert facts[3] not in read.items
    assert len(read.items) == PACKED_FROM - 1


async def test_a_pack_of_another_version_person_or_space_is_of_no_use(
    memories: RedisMemories, redis: Client, sealer: Sealer
) -> None:
    facts = [item(Kind.FACT, f"fact {n}", at=NOW + n, message=n) for n in range(PACKED_FROM)]
    await remember(memories, *facts)
    pack = keys.memory(ANNA)[-1]
    await memories.pack(ANNA)
    old = await redis.get(pack)
    shelf = await remember(memories, item(Kind.FACT, "newest", at=NOW + 999))
    for stale in (old, b"", b"\x01\x03own" + bytes(40)):
        await redis.set(pack, stale)
        read = await RedisMemories(redis, sealer, space="m@4").load(ANNA)
        assert read is not None
        assert read.items == shelf.items
    put = Put(facts[0], vector=(1.0, 0.0), space="n@2")
    await memories.apply(ANNA, shelf, Changes(put=(put,)))
    await RedisMemories(redis, sealer, space="m@4").load(ANNA)  # packed without that vector
    read = await RedisMemories(redis, sealer, space="n@2").load(ANNA)
    assert read is not None
    assert read.rows.vectors is not None


@pytest.mark.parametrize("with_vectors", [False, True])
async def test_what_this_process_wrote_need_not_be_read_again(
    memories: RedisMemories, redis: Client, sealer: Sealer, with_vectors: bool
) -> None:
    """The memory that is held keeps up with writes, and says what a fresh reading says."""
    shelf = await opened(memories)
    first = [item(Kind.FACT, f"fact {n}", at=NOW + n, message=n) for n in range(4)]
    if with_vectors:
        puts = tuple(Put(each, vector=(1.0, 0, 0, 0), space="m@4") for each in first)
        await memories.apply(ANNA, shelf, Changes(puts))
    else:
        await memories.apply(ANNA, shelf, Changes(tuple(map(Put, first))))
    held = await memories.load(ANNA)
    assert held is not None
    later = item(Kind.EPISODE, "a walk with Poppy", at=NOW + 50, message=50, guild=9)
    for changes in (
        Changes((Put(later),), (first[1].id,), values=(("linked", "1"),)),
        Changes(remove=(first[0].id, later.id)),
        Changes((Put(first[2]._replace(text="edited")),)),
        Changes((Put(first[1]),), values=(("linked", ""),)),
    ):
        await memories.apply(ANNA, held, changes, by_person=True)
        mine = await memories.load(ANNA)
        fresh = await RedisMemories(redis, sealer, space="m@4").load(ANNA)
        assert mine is not None
        assert fresh is not None
        assert mine.items == fresh.items
        assert mine.values == fresh.values
        for question in ("Poppy's walk", "fact", "edited"):
            for place in (HERE, DM):
                views = [each.view(place, "wren", NOW + 60) for each in (mine, fresh)]
                for part in ("facts", "episodes"):
                    found = [
                        each.find(getattr(view, part), question, None, 5)
                        for each, view in zip((mine, fresh), views, strict=True)
                    ]
                    assert found[0] == found[1]


async def test_what_opening_takes_is_made_ready_only_where_somebody_has_a_memory(
    memories: RedisMemories, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []

    async def note() -> None:
        made.append(True)

    monkeypatch.setattr("bot.adapters.redis.memories.ready", note)
    await memories.decline(BEN)
    await memories.expect()
    assert not made, "a no is not a memory"
    await memories.agree(ANNA, NOW)
    await memories.expect()
    assert made
