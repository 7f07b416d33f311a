"""Claims, the latest reply of a place, and accounts that outlive a restart."""

from __future__ import annotations

import pytest

from bot.adapters.redis import RedisConversations, RedisReplies, keys
from bot.adapters.redis.connect import Client
from bot.adapters.redis.crypto import Sealer
from bot.chat.place import MessageId
from bot.chat.turn import TurnId
from bot.chat.wishes.claims import Claim
from bot.errors import RecordCorrupt
from bot.ports import Held
from tests.integration.redis.values import GUILD, PLACE, exchange

TURN = TurnId("100")


@pytest.fixture
def replies(redis: Client, sealer: Sealer) -> RedisReplies:
    return RedisReplies(redis, sealer)


async def test_one_wish_about_a_reply_at_a_time(replies: RedisReplies) -> None:
    one, other = MessageId(900), MessageId(901)
    assert await replies.claim(PLACE, TURN, one) is Claim.OURS
    assert await replies.claim(PLACE, TURN, one) is Claim.TWICE
    assert await replies.claim(PLACE, TURN, other) is Claim.TAKEN
    await replies.release(PLACE, TURN, other)  # not its own
    assert await replies.claim(PLACE, TURN, other) is Claim.TAKEN
    await replies.release(PLACE, TURN, one)
    assert await replies.claim(PLACE, TURN, other) is Claim.OURS
    assert await replies.claim(PLACE, TurnId("200"), one) is Claim.OURS


async def test_the_latest_reply_sends_the_one_before_to_be_tidied(replies: RedisReplies) -> None:
    first, second = Held(TURN, MessageId(101), 7), Held(TurnId("200"), MessageId(201))
    assert await replies.hold(PLACE, first) is None
    assert await replies.hold(PLACE, first) is None  # the same message again
    assert await replies.hold(PLACE, second) == first
    late = Held(TurnId("150"), MessageId(151), 7)
    assert await replies.hold(PLACE, late) == late  # a later turn's reply stands there already
    assert await replies.hold(PLACE, Held(TurnId("1000"))) == second
    assert await replies.hold(PLACE, Held(TurnId("1001"), MessageId(1002))) is None


async def test_accounts_are_sealed_and_only_the_last_are_kept(
    replies: RedisReplies, redis: Client
) -> None:
    for number in range(100, 200):
        await replies.keep_account(PLACE, TurnId(str(number)), {"model": f"swordfish {number}"})
    assert await replies.account(PLACE, TurnId("199")) == {"model": "swordfish 199"}
    assert await replies.account(PLACE, TURN) is None
    stored = await redis.hgetall(keys.place(PLACE.channel, "accounts"))
    assert len(stored) <= 41
    assert b"swordfish" not in b"".join(stored.values())
    await redis.hset(keys.place(PLACE.channel, "accounts"), "199", b"broken")
    with pytest.raises(RecordCorrupt):
        await replies.account(PLACE, TurnId("199"))


async def test_what_is_kept_of_a_guild_goes_with_it(
    replies: RedisReplies, redis: Client, sealer: Sealer
) -> None:
    await RedisConversations(redis, sealer).record(PLACE, exchange(100))
    await replies.hold(PLACE, Held(TURN, MessageId(101)))
    await replies.keep_account(PLACE, TURN, {})
    assert await replies.delete_guild(GUILD) == 2
    assert await replies.account(PLACE, TURN) is None
    assert await replies.hold(PLACE, Held(TURN, MessageId(102))) is None
