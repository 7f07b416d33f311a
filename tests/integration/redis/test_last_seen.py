"""How far channels were read, across restarts."""

from __future__ import annotations

import asyncio

import pytest

from bot.adapters.redis import Client, keys
from bot.adapters.redis.last_seen import KEPT, RedisLastSeen
from bot.chat.place import ChannelId, MessageId, snowflake_seconds
from tests.fakes import PATIENCE

LATER = 1 << 22


def message(milliseconds: int) -> MessageId:
    """Return an id made so many milliseconds into Discord's time, with busy low bits."""
    return MessageId((1_000_000_000_000 + milliseconds) * LATER + 123_457)


async def test_what_was_noted_is_known_after_a_restart(redis: Client) -> None:
    seen = RedisLastSeen(redis)
    seen.note(ChannelId(1), message(10))
    seen.note(ChannelId(2), message(20))
    seen.note(ChannelId(1), message(5))  # handled later than its successor
    await seen.close()
    recent = await RedisLastSeen(redis).recent()
    assert [channel for channel, _ in recent] == [2, 1]
    assert snowflake_seconds(recent[1][1]) == pytest.approx(snowflake_seconds(message(10)))


async def test_an_older_note_never_replaces_a_newer_one(redis: Client) -> None:
    for milliseconds in (50, 10):
        seen = RedisLastSeen(redis)
        seen.note(ChannelId(1), message(milliseconds))
        await seen.close()
    ((_, last),) = await RedisLastSeen(redis).recent()
    assert snowflake_seconds(last) == pytest.approx(snowflake_seconds(message(50)))


async def test_what_was_noted_a_moment_ago_is_known_at_once(redis: Client) -> None:
    """A session can end before the next write is due; what came after it is read by these."""
    seen = RedisLastSeen(redis)
    seen.note(ChannelId(1), message(10))
    writing = asyncio.create_task(seen.flush())
    await asyncio.sleep(0)
    assert [channel for channel, _ in await seen.recent()] == [1]
    seen.note(ChannelId(2), message(20))
    assert [channel for channel, _ in await seen.recent()] == [2, 1]
    await writing
    await seen.close()


async def test_a_thousand_notes_are_one_write(
    redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.redis.last_seen.WRITE_EVERY", 0.05)
    seen = RedisLastSeen(redis)
    before = (await redis.info("commandstats")).get("cmdstat_zadd", {"calls": 0})["calls"]
    for number in range(1000):
        seen.note(ChannelId(number % 7), message(number))
    await asyncio.sleep(0.2)
    after = (await redis.info("commandstats"))["cmdstat_zadd"]["calls"]
    assert after - before == 1
    assert len(await seen.recent()) == 7
    await seen.close()


async def test_the_first_note_is_written_at_once(
    redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.redis.last_seen.WRITE_EVERY", PATIENCE * 2)
    seen, after_a_crash = RedisLastSeen(redis), RedisLastSeen(redis)
    seen.listened(0, 1000.0)
    seen.note(ChannelId(1), message(10))
    async with asyncio.timeout(PATIENCE):
        while not await after_a_crash.recent():
            await asyncio.sleep(0.01)
    assert await after_a_crash.listened_until(0) == 1000.0
    await seen.close()


async def test_what_is_noted_later_is_written_after_a_while(
    redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.redis.last_seen.WRITE_EVERY", 0.05)
    seen, after_a_crash = RedisLastSeen(redis), RedisLastSeen(redis)
    for number in (1, 2, 3):
        seen.note(ChannelId(number), message(number))
        async with asyncio.timeout(PATIENCE):
            while len(await after_a_crash.recent()) < number:
                await asyncio.sleep(0.01)
    await seen.close()


async def test_only_the_latest_channels_are_kept(redis: Client) -> None:
    seen = RedisLastSeen(redis)
    for number in range(KEPT + 50):
        seen.note(ChannelId(number), message(number))
    await seen.close()
    recent = await seen.recent()
    assert len(recent) == KEPT
    month = 30 * 86_400  # as long as a conversation is kept that may be held against its channel
    assert await redis.ttl(keys.state("seen:0-1")) > month
    assert recent[0][0] == KEPT + 49


async def test_processes_of_other_shards_keep_their_own(redis: Client) -> None:
    one, two = RedisLastSeen(redis, owner="0-2"), RedisLastSeen(redis, owner="1-2")
    one.note(ChannelId(1), message(1))
    await one.close()
    assert await two.recent() == []


async def test_until_when_a_shard_listened_is_known_after_a_restart(redis: Client) -> None:
    seen = RedisLastSeen(redis)
    assert await seen.listened_until(0) is None
    seen.listened(0, 1_790_000_000.25)
    seen.listened(0, 1_790_000_005.5)
    assert await seen.listened_until(0) == 1_790_000_005.5
    await seen.close()
    again = RedisLastSeen(redis)
    assert await again.listened_until(0) == 1_790_000_005.5
    assert await again.listened_until(1) is None
