"""Two processes hear of the same press: either may serve it, whoever wrote the reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import pytest

from bot.adapters.redis import Client, RedisConversations, RedisJournal, RedisReplies, Sealer
from bot.chat.arriving import ending
from bot.chat.intake import Intake
from bot.chat.place import MessageId, UserId
from bot.chat.turn import Speaker, Trigger, TurnId, Wish
from bot.chat.wishes.claims import Claim
from bot.chat.wishing import Press, Wishes
from bot.errors import Busy, NotFound
from bot.observability import Metrics
from bot.personas.binding import ResolvedBinding, TriggerMode
from bot.ports import Outcome
from tests.integration.redis.values import ANNA, PLACE, exchange, message, variant

T = TypeVar("T")
ASKED = message(100)
TURN = TurnId("100")
UNDELIVERED = exchange(100, variants=(variant(),))
DELIVERED = exchange(100, variants=(variant(101),))


class Clock:
    """The clocks of this machine."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class Quiet:
    """A runner of no turns, and a casting that lets everybody in."""

    async def settle(self, messages: object, outcome: object) -> None:
        raise AssertionError("nothing is settled here")

    async def resolved(self, place: object) -> ResolvedBinding:
        return ResolvedBinding({}, TriggerMode.MENTION, None, (), {})


@dataclass
class Process:
    """One of two processes: what it takes to serve a press, or to settle a turn."""

    journal: RedisJournal
    conversations: RedisConversations
    replies: RedisReplies
    wishes: Wishes


@pytest.fixture
async def start(redis: Client, sealer: Sealer) -> AsyncIterator[Callable[[str], Any]]:
    journals: list[RedisJournal] = []

    async def one(name: str) -> Process:
        journal = RedisJournal(redis, sealer, process_id=name, shards=(0,), shard_count=1)
        await journal.start()
        journals.append(journal)
        conversations, replies = RedisConversations(redis, sealer), RedisReplies(redis, sealer)
        intake = Intake(
            runner=cast("Any", Quiet()),
            journal=journal,
            conversations=conversations,
            casting=cast("Any", Quiet()),
            metrics=Metrics("0"),
            clock=cast("Any", Clock()),
        )
        wishes = Wishes(conversations, replies, intake, cast("Any", Clock()))
        return Process(journal, conversations, replies, wishes)

    yield one
    for journal in journals:
        await journal.close()


@pytest.fixture
async def writer(start: Callable[[str], Awaitable[Process]]) -> Process:
    """The process that writes the reply."""
    made = await start("writer")
    await made.journal.accept(ASKED, Trigger.MENTION)
    return made


@pytest.fixture
async def other(start: Callable[[str], Awaitable[Process]]) -> Process:
    """The one that takes the press."""
    return await start("other")


def press(ident: int = 900, seen: int = 1, person: Speaker = ANNA) -> Press:
    return Press(MessageId(ident), Wish.REGENERATE, person, moderator=False, seen=seen)


async def ends(writer: Process) -> None:
    await writer.conversations.record(PLACE, DELIVERED)
    await writer.journal.settle((ASKED.id,), Outcome.ANSWERED)


async def after(work: Awaitable[T], step: Awaitable[object]) -> T:
    """Begin with `work`, see that it waits, take the step, and return what the work returns."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=0.2)
    assert not task.done()
    await step
    return await task


@pytest.mark.parametrize("stored", [False, True])
async def test_a_press_waits_until_the_writer_of_the_reply_has_written_it_down(
    writer: Process, other: Process, stored: bool
) -> None:
    if stored:  # but nobody knows yet in which message it stands
        await writer.conversations.record(PLACE, UNDELIVERED)
    pressed = other.wishes.standing(PLACE, turn=TURN, message=MessageId(101))
    standing = await after(pressed, ends(writer))
    assert standing.reply.message_ids == (101,)
    claim, _ = await other.wishes.claim(PLACE, TURN, press())
    assert claim is Claim.OURS


async def test_a_press_waits_until_the_wish_before_it_is_fulfilled_elsewhere(
    writer: Process, other: Process
) -> None:
    await ends(writer)
    assert (await writer.wishes.claim(PLACE, TURN, press(800)))[0] is Claim.OURS
    first = DELIVERED.variants[0]
    await writer.conversations.record(PLACE, DELIVERED.with_variant(replace(first, text="anew")))
    # Its buttons count two variants by now, and the wish that wrote the second is not over yet.
    over = writer.replies.release(PLACE, TURN, MessageId(800))
    claim, standing = await after(other.wishes.claim(PLACE, TURN, press(seen=2)), over)
    assert claim is Claim.OURS
    assert len(standing.exchange.variants) == 2


async def test_nobody_waits_for_long_and_no_unfinished_reply_is_changed_or_called_gone(
    writer: Process, other: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "AT_MOST", 0.2)
    with pytest.raises(Busy, match="just being finished"):
        await other.wishes.standing(PLACE, turn=TURN)
    await writer.conversations.record(PLACE, UNDELIVERED)
    assert (await other.wishes.standing(PLACE, turn=TURN)).reply.message_ids == ()
    with pytest.raises(Busy, match="just being finished"):
        await other.wishes.claim(PLACE, TURN, press())
    await ends(writer)
    assert (await other.wishes.claim(PLACE, TURN, press()))[0] is Claim.OURS


async def test_a_reply_that_nobody_writes_is_gone_at_once(other: Process) -> None:
    with pytest.raises(NotFound, match="no longer part"):
        await other.wishes.standing(PLACE, turn=TurnId("7"))


async def test_somebody_elses_reply_is_not_waited_for(writer: Process, other: Process) -> None:
    await ends(writer)
    await writer.wishes.claim(PLACE, TURN, press(800))
    stranger = Speaker(UserId(66), "Zoe")
    with pytest.raises(Exception, match="Only who asked"):
        await other.wishes.claim(PLACE, TURN, press(person=stranger))
