"""The journal: no accepted message is lost, none is answered twice."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from bot.adapters.redis import Client, RedisJournal, Sealer, keys
from bot.chat.place import GuildId, MessageId, Place
from bot.chat.preparing.files import NOT_KEPT, unread
from bot.chat.turn import Attachment, Message, Quoted, Trigger
from bot.errors import OwnershipLost
from bot.ports import JournalEntry, Outcome, Progress
from tests.fakes import PATIENCE
from tests.integration.redis.values import ANNA, BEN, DM, GUILD, PLACE, message

LEASE_S = 0.4

Start = Callable[..., Awaitable[RedisJournal]]


@pytest.fixture
async def start(redis: Client, sealer: Sealer) -> AsyncIterator[Start]:
    """Start journals with short leases, as processes of a bot would."""
    started: list[RedisJournal] = []

    async def start_one(
        name: str = "one", shards: tuple[int, ...] = (0,), shard_count: int = 1
    ) -> RedisJournal:
        journal = RedisJournal(
            redis,
            sealer,
            process_id=name,
            shards=shards,
            shard_count=shard_count,
            lease_s=LEASE_S,
        )
        await journal.start()
        started.append(journal)
        return journal

    yield start_one
    for journal in started:
        await journal.close()


async def die(journal: RedisJournal) -> None:
    """Stop renewing the lease, as a killed process does."""
    assert journal._renewal is not None
    journal._renewal.cancel()
    await asyncio.gather(journal._renewal, return_exceptions=True)


async def take_up_within(journal: RedisJournal, seconds: float = 3.0) -> list[JournalEntry]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if entries := await journal.take_up():
            return list(entries)
        await asyncio.sleep(0.05)
    return []


async def test_a_message_is_accepted_once(start: Start) -> None:
    one, two = await start("one"), await start("two")
    assert await one.accept(message(100), Trigger.DM)
    assert not await one.accept(message(100), Trigger.DM)
    assert not await two.accept(message(100), Trigger.DM)
    await one.settle([MessageId(100)], Outcome.ANSWERED)
    assert not await one.accept(message(100), Trigger.DM)
    assert not await two.accept(message(100), Trigger.DM)


async def test_of_many_who_claim_at_once_one_wins(start: Start) -> None:
    journals = [await start(f"p{number}") for number in range(5)]
    answers = await asyncio.gather(
        *(j.accept(message(i), Trigger.DM) for i in range(100, 140) for j in journals)
    )
    assert sum(answers) == 40


async def test_a_claim_lasts_a_day(start: Start, redis: Client) -> None:
    journal = await start()
    await journal.accept(message(100), Trigger.DM)
    await journal.settle([MessageId(100)], Outcome.ANSWERED)
    assert 86_000 < await redis.ttl(keys.claim(MessageId(100))) <= 86_400


async def test_an_entry_comes_back_as_it_was_accepted(start: Start) -> None:
    one, two = await start("one"), await start("two")
    full = replace(
        message(100, "what\ud800 is it\x00?"),
        place=Place(PLACE.channel, GUILD, PLACE.channel, PLACE.channel, True, True),
        mentions_us=True,
        replies_to=Quoted(MessageId(99), "Ben", True, "see this"),
        attachments=(Attachment("a.png", "image/png", b"\x00\xff" * 100),),
        unread_attachments=("b.zip: too large",),
    )
    progress = Progress((MessageId(101), MessageId(102)), 77, True)
    await one.accept(full, Trigger.REPLY)
    await one.progress(full.id, progress)
    await one.close()
    (entry,) = await take_up_within(two)
    assert (entry.message, entry.trigger) == (full, Trigger.REPLY)
    assert entry.message.place.age_restricted
    assert entry.message.place.category == PLACE.channel
    assert (entry.progress, entry.attempts) == (progress, 1)
    assert abs(entry.accepted_at - time.time()) < 10


async def test_attachments_beyond_the_bound_leave_their_names(start: Start) -> None:
    one, two = await start("one"), await start("two")
    big = Attachment("big.png", "image/png", b"x" * 400_000)
    small = Attachment("small.png", "image/png", b"x" * 100)
    await one.accept(replace(message(100), attachments=(big, small)), Trigger.DM)
    await one.close()
    (entry,) = await take_up_within(two)
    assert entry.message.attachments == (small,)
    assert entry.message.unread_attachments == (unread("big.png", NOT_KEPT),)


async def test_nothing_is_readable_in_the_database(start: Start, redis: Client) -> None:
    journal = await start()
    await journal.accept(message(100, "SECRET"), Trigger.DM)
    entries = await redis.xrange(keys.journal(keys.partition_of(MessageId(100)), "turns"))
    assert b"SECRET" not in repr(entries).encode()
    assert b"Anna" not in repr(entries).encode()


# ── whose entries ───────────────────────────────────────────────────────────────────────────


async def test_entries_of_the_living_are_left_alone(start: Start) -> None:
    one, two = await start("one"), await start("two")
    await one.accept(message(100), Trigger.DM)
    deadline = time.monotonic() + 4 * LEASE_S
    while time.monotonic() < deadline:
        assert not await two.take_up()
        assert not await one.take_up()
        await asyncio.sleep(0.05)


async def test_a_clean_stop_hands_over_at_once(start: Start) -> None:
    one, two = await start("one"), await start("two")
    await one.accept(message(100), Trigger.DM)
    await one.close()
    assert [entry.message.id for entry in await two.take_up()] == [100]


async def test_a_restarted_process_takes_up_its_predecessor_s_entries(start: Start) -> None:
    one = await start("troupe-0")
    await one.accept(message(100), Trigger.DM)
    await die(one)
    again = await start("troupe-0")
    assert [entry.message.id for entry in await take_up_within(again)] == [100]


async def test_an_entry_is_returned_to_one_process_once(start: Start) -> None:
    dead = await start("dead")
    for ident in range(100, 160):
        await dead.accept(message(ident), Trigger.DM)
    await die(dead)
    heirs = [await start(f"heir{number}") for number in range(4)]
    taken: list[MessageId] = []
    deadline = time.monotonic() + PATIENCE
    while len(taken) < 60 and time.monotonic() < deadline:
        for entries in await asyncio.gather(*(heir.take_up() for heir in heirs)):
            taken += [entry.message.id for entry in entries]
        await asyncio.sleep(0.02)
    for entries in await asyncio.gather(*(heir.take_up() for heir in heirs)):
        taken += [entry.message.id for entry in entries]
    assert Counter(taken) == Counter(range(100, 160))


async def test_attempts_count_each_take_up(start: Start) -> None:
    first = await start("first")
    await first.accept(message(100), Trigger.DM)
    for attempt in (1, 2, 3):
        await first.close()
        first = await start(f"next{attempt}")
        (entry,) = await take_up_within(first)
        assert entry.attempts == attempt


async def test_a_settled_entry_is_not_taken_up(start: Start) -> None:
    one, two = await start("one"), await start("two")
    burst = [message(ident) for ident in (100, 101, 102)]
    for part in burst:
        await one.accept(part, Trigger.DM)
    await one.settle([MessageId(100), MessageId(101)], Outcome.ANSWERED)
    await one.close()
    assert [entry.message.id for entry in await take_up_within(two)] == [102]
    await two.settle([MessageId(102)], Outcome.EXPIRED)
    await two.close()
    assert not await take_up_within(await start("three"), 1.0)


async def test_only_a_process_of_the_right_shard_takes_up(start: Start) -> None:
    guilds = [GuildId(shard << 22) for shard in (0, 1, 2, 3)]
    dead = await start("dead", (0, 1, 2, 3), 4)
    for ident, guild in enumerate(guilds, start=100):
        await dead.accept(message(ident, place=Place(PLACE.channel, guild)), Trigger.MENTION)
    await dead.accept(message(104, place=DM), Trigger.DM)
    await dead.close()
    low, high = await start("low", (0, 1), 4), await start("high", (2, 3), 4)
    assert {entry.message.id for entry in await high.take_up()} == {102, 103}
    assert {entry.message.id for entry in await low.take_up()} == {100, 101, 104}


@pytest.mark.parametrize(
    ("shards", "count", "shared"),
    [((0, 1), 4, True), ((1, 2), 4, True), ((2, 3), 4, False), ((2, 3), 8, True)],
)
async def test_a_process_knows_whether_another_one_hears_of_the_same_messages(
    start: Start, shards: tuple[int, ...], count: int, shared: bool
) -> None:
    one = await start("one", shards=(0, 1), shard_count=4)
    assert not one.shared
    other = await start("other", shards=shards, shard_count=count)
    await known(lambda: one.shared is shared)
    assert other.shared is shared
    await other.close()
    await known(lambda: not one.shared)


async def known(what: Callable[[], bool]) -> None:
    """Wait for more than one renewal of the lease, until something is known."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.sleep(LEASE_S)
        while not what():
            await asyncio.sleep(0.02)


async def test_entries_outlive_a_change_of_the_shard_count(start: Start) -> None:
    dead = await start("dead", (5,), 6)
    await dead.accept(message(100, place=Place(PLACE.channel, GuildId(5 << 22))), Trigger.MENTION)
    await dead.close()
    assert not await (await start("even", (0,), 2)).take_up()
    assert len(await (await start("odd", (1,), 2)).take_up()) == 1


async def test_who_was_away_and_lost_nothing_goes_on(start: Start) -> None:
    slow = await start("slow")
    await slow.accept(message(100), Trigger.DM)
    await die(slow)
    await asyncio.sleep(LEASE_S)
    assert not slow.holds(MessageId(100))
    await slow.start()
    await slow.progress(MessageId(100), Progress())
    assert slow.holds(MessageId(100))


async def test_who_lost_an_entry_learns_it_before_showing_more(start: Start) -> None:
    slow = await start("slow")
    await slow.accept(message(100), Trigger.DM)
    assert slow.holds(MessageId(100))
    await die(slow)  # suspended rather than dead
    heir = await start("heir")
    assert await take_up_within(heir)
    assert not slow.holds(MessageId(100))
    await slow.start()  # a lease taken anew brings nothing back
    assert not slow.holds(MessageId(100))
    with pytest.raises(OwnershipLost):
        await slow.progress(MessageId(100), Progress())
    await heir.progress(MessageId(100), Progress())
    await heir.settle([MessageId(100)], Outcome.ANSWERED)
    with pytest.raises(OwnershipLost):
        await slow.progress(MessageId(100), Progress())


async def test_progress_of_what_was_never_accepted_is_no_error(start: Start) -> None:
    await (await start()).progress(MessageId(100), Progress())


async def test_after_an_outage_of_redis_nobody_takes_from_the_living(
    start: Start, redis: Client
) -> None:
    one, two = await start("one"), await start("two")
    await one.accept(message(100), Trigger.DM)
    await die(one)
    await die(two)  # neither could renew: Redis was away
    await asyncio.sleep(1.5 * LEASE_S)
    await two._renew(LEASE_S)  # the first to come back
    assert not await two.take_up()
    await one._renew(LEASE_S)
    await asyncio.sleep(0.5 * LEASE_S)
    assert not await two.take_up()


async def test_an_answer_that_got_lost_does_not_lose_the_message(
    start: Start, redis: Client
) -> None:
    """The claim was written, the answer never came: the message turns up in `take_up`."""
    journal = await start()
    attempt = asyncio.create_task(journal.accept(message(100), Trigger.DM))
    while not await redis.exists(keys.claim(MessageId(100))):
        await asyncio.sleep(0)
    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)
    entries = await journal.take_up()
    # Either the answer was already there, or the entry is handed out now; never neither, nor both.
    accepted = not attempt.cancelled() and attempt.result()
    assert [entry.message.id for entry in entries] == ([] if accepted else [100])


PROCESS = """
import asyncio, sys
from bot.adapters.redis import RedisJournal, Sealer, open_redis
from bot.chat.turn import Trigger
from tests.integration.redis.values import message

async def main():
    redis = await open_redis(sys.argv[1])
    sealer = Sealer([("test", bytes(range(32)))])
    journal = RedisJournal(
        redis, sealer, process_id="p", shards=[0], shard_count=1, lease_s=0.4
    )
    await journal.start()
    for ident in range(100, 110):
        await journal.accept(message(ident), Trigger.DM)
    print("accepted", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_kill_9_loses_nothing(start: Start, redis_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, redis_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), PATIENCE) == b"accepted\n"
    heir = await start("heir")
    await asyncio.sleep(2 * LEASE_S)
    assert not await heir.take_up()  # it is alive
    process.send_signal(signal.SIGKILL)
    await process.wait()
    entries: list[JournalEntry] = []
    while len(entries) < 10 and (more := await take_up_within(heir)):
        entries += more
    assert sorted(entry.message.id for entry in entries) == list(range(100, 110))


# ── hostile records, subject access ─────────────────────────────────────────────────────────


async def test_an_entry_that_can_t_be_opened_hides_no_other(
    start: Start, redis: Client, sealer: Sealer
) -> None:
    stranger = RedisJournal(
        redis,
        Sealer([("other", bytes(32))]),
        process_id="stranger",
        shards=(0,),
        shard_count=1,
        lease_s=LEASE_S,
    )
    await stranger.accept(message(100), Trigger.DM)
    one, two = await start("one"), await start("two")
    await one.accept(message(108), Trigger.DM)
    await one.close()
    await stranger.close()
    assert [entry.message.id for entry in await take_up_within(two)] == [108]
    assert not await two.take_up()


async def test_a_person_s_and_a_guild_s_entries_can_be_told_and_removed(start: Start) -> None:
    one = await start("one")
    messages: list[Message] = [
        message(100, "mine"),
        message(101, "ben's", speaker=BEN),
        message(102, "mine too", DM),
        message(103, "ben's too", DM, BEN),
    ]
    for each in messages:
        await one.accept(each, Trigger.DM)
    exported = await one.export_person(ANNA.id)
    assert sorted(entry["text"] for entry in exported["accepted"]) == ["mine", "mine too"]
    assert await one.delete_person(ANNA.id) == 2
    assert await one.delete_guild(GUILD) == 1
    await one.close()
    two = await start("two")
    assert [entry.message.id for entry in await take_up_within(two)] == [103]
    assert not await two.accept(message(100), Trigger.DM)
