"""Keys: everything that one script touches lies in one Cluster slot."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from redis.cluster import key_slot

from bot.adapters.redis import keys
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId

ids = st.integers(0, 2**64 - 1)


def slots(*names: str) -> int:
    return len({key_slot(name.encode()) for name in names})


@given(ids)
def test_a_conversation_s_keys_share_a_slot(channel: int) -> None:
    names = keys.conversation(ChannelId(channel))
    assert slots(*names) == 1
    assert len(set(names)) == len(keys.CONVERSATION_PARTS)


@given(ids)
def test_a_message_s_claim_lies_with_its_journal(message: int) -> None:
    partition = keys.partition_of(MessageId(message))
    parts = ("turns", "open", "progress", "leases")
    names = [keys.journal(partition, part) for part in parts]
    assert slots(keys.claim(MessageId(message)), *names) == 1


def test_the_change_feed_and_the_schema_share_slots() -> None:
    assert slots(keys.BINDING_CHANGES, keys.BINDING_SEQUENCE) == 1
    assert slots(keys.SCHEMA_APPLIED, keys.SCHEMA_LOCK) == 1


@given(ids, ids)
def test_different_things_have_different_keys(one: int, two: int) -> None:
    names = [
        *keys.conversation(ChannelId(one)),
        keys.person(UserId(one), "places"),
        keys.limit(f"u{one}"),
        keys.guild(GuildId(one), "places"),
        keys.limit(f"g{one}"),
        keys.bindings(str(one)),
        keys.bindings(f"dm{one}"),
        keys.claim(MessageId(one)),
        keys.state("x"),
    ]
    assert len(set(names)) == len(names)
    assert all(name.startswith(keys.PREFIX) for name in names)
    assert one == two or keys.conversation(ChannelId(two))[0] not in names


def test_snowflakes_spread_over_the_partitions() -> None:
    start = 1_300_000_000_000_000_000
    quiet = Counter(keys.partition_of(MessageId(start + (n * 700 << 22))) for n in range(4000))
    busy = Counter(keys.partition_of(MessageId(start + n)) for n in range(4000))
    for spread in (quiet, busy):
        assert len(spread) == keys.JOURNAL_PARTITIONS
        assert max(spread.values()) < 2 * 4000 / keys.JOURNAL_PARTITIONS


def test_a_place_is_indexed_with_its_guild() -> None:
    assert keys.place_member(Place(ChannelId(5), GuildId(7))) == "7:5"
    assert keys.place_member(Place(ChannelId(5))) == "0:5"
