"""A server's choices, its reports, and the trail of what the guardrails decided."""

from __future__ import annotations

import asyncio
import time

import pytest

from bot.adapters.redis import Client, RedisAudit, RedisModeration, Sealer, keys
from bot.adapters.redis.audit import WAITING
from bot.chat.place import ChannelId, GuildId, MessageId, UserId
from bot.errors import StoreError
from bot.guardrails.audit import Audit, AuditEntry
from bot.guardrails.moderation import MAX_REASON, GuildPolicy, Report, Strictness
from bot.guardrails.policy import Decision
from bot.guardrails.taxonomy import Measure

ANNA, BEN, GUILD = UserId(1), UserId(2), GuildId(7)


@pytest.fixture
def store(redis: Client, sealer: Sealer) -> RedisModeration:
    return RedisModeration(redis, sealer)


def report(reason: str, reporter: UserId = ANNA) -> Report:
    return Report(reporter, ChannelId(5), MessageId(9), reason, 1000.5)


def entry(measure: str = "refuse", guild: GuildId | None = GUILD) -> AuditEntry:
    return AuditEntry(
        "input", measure, "illicit", "r", 0.5, "factual", "ab" * 16, 0.001, None, guild
    )


async def test_choices_are_kept(store: RedisModeration) -> None:
    assert await store.policy(GUILD) == GuildPolicy()
    chosen = GuildPolicy(Strictness.STRICT, ChannelId(3), crisis_notices=True)
    await store.choose(GUILD, chosen)
    assert await store.policy(GUILD) == chosen
    await store.choose(GUILD, GuildPolicy())
    assert await store.policy(GUILD) == GuildPolicy()


async def test_choices_that_can_t_be_read_are_not_made(
    store: RedisModeration, redis: Client
) -> None:
    junk = {"strictness": "off", "modlog": "-1", "crisis_notices": "yes", "\xff": "\xff"}
    await redis.hset(keys.guild(GUILD, "guard"), mapping=junk)
    assert await store.policy(GUILD) == GuildPolicy()


async def test_reports_are_sealed_and_come_newest_first(
    store: RedisModeration, redis: Client
) -> None:
    for reason in ("one", "two", "secret words"):
        await store.report(GUILD, report(reason))
    assert [r.reason for r in await store.reports(GUILD, 2)] == ["secret words", "two"]
    assert await store.reports(None, 5) == ()
    rows = await redis.xrange(keys.guild(GUILD, "reports"))
    assert b"secret" not in b"".join(fields[b"d"] for _, fields in rows)
    assert await redis.ttl(keys.guild(GUILD, "reports")) > 80 * 86_400


async def test_a_reason_has_a_bound(store: RedisModeration) -> None:
    await store.report(None, report("x" * 100_000))
    (kept,) = await store.reports(None, 1)
    assert len(kept.reason) == MAX_REASON


async def test_a_reporter_sees_and_deletes_their_reports(store: RedisModeration) -> None:
    await store.report(GUILD, report("mine"))
    await store.report(None, report("in private"))
    await store.report(GUILD, report("another's", BEN))
    exported = await store.export_person(ANNA)
    assert {each["reason"] for each in exported["reports"]} == {"mine", "in private"}
    assert await store.delete_person(ANNA) == 2
    assert await store.export_person(ANNA) == {}
    assert [r.reason for r in await store.reports(GUILD, 9)] == ["another's"]


async def test_a_mistake_counts_once(store: RedisModeration) -> None:
    assert await store.mistaken(GUILD, "ab")
    assert not await store.mistaken(GUILD, "ab")
    assert await store.mistaken(None, "ab")


async def test_the_trail_holds_no_text_and_can_be_counted(
    store: RedisModeration, redis: Client, sealer: Sealer
) -> None:
    sink = RedisAudit(redis)
    audit = Audit(sink, sealer.derived("audit"))
    for measure in (Measure.REFUSE, Measure.REFUSE, Measure.CRISIS):
        audit.note(
            "input", Decision(measure, "illicit"), route="factual", text="my secret", guild=GUILD
        )
    await sink.close()
    assert await store.decisions(GUILD, time.time() - 60) == {"refuse": 2, "crisis": 1}
    assert await store.decisions(GUILD, time.time() + 60) == {}
    rows = await redis.xrange(keys.guild(GUILD, "audit"))
    assert all(b"secret" not in b"".join(fields.values()) for _, fields in rows)
    assert {fields[b"digest"].decode() for _, fields in rows} == {audit.digest("my secret")}
    assert await redis.ttl(keys.guild(GUILD, "audit")) > 29 * 86_400


async def test_after_a_quiet_time_an_entry_is_written_at_once(
    redis: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed then loses a moment's entries, and no more."""
    monkeypatch.setattr("bot.adapters.redis.audit.WRITE_EVERY", 3_600.0)
    sink = RedisAudit(redis)
    sink(entry())
    async with asyncio.timeout(30):
        while not await redis.xlen(keys.guild(GUILD, "audit")):
            await asyncio.sleep(0.01)
    await sink.close()


async def test_entries_wait_while_the_store_is_away_and_are_bounded(redis: Client) -> None:
    name = keys.guild(GUILD, "audit")
    await redis.set(name, "another type")
    sink = RedisAudit(redis)
    for _ in range(WAITING + 5):
        sink(entry())
    with pytest.raises(StoreError):
        await sink.flush()
    await redis.delete(name)
    await sink.close()
    assert 0 < await redis.xlen(name) <= WAITING


async def test_a_guild_that_is_left_leaves_nothing_behind(
    store: RedisModeration, redis: Client
) -> None:
    sink = RedisAudit(redis)
    sink(entry())
    await sink.close()
    await store.choose(GUILD, GuildPolicy(Strictness.STRICT))
    await store.report(GUILD, report("x"))
    await store.mistaken(GUILD, "ab")
    assert await store.delete_guild(GUILD) == 4
    await store.delete_person(ANNA)
    assert await redis.dbsize() == 0


async def test_a_store_that_is_away_says_so(store: RedisModeration, redis: Client) -> None:
    await redis.set(keys.guild(GUILD, "guard"), "another type")
    with pytest.raises(StoreError):
        await store.policy(GUILD)
