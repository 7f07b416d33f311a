"""Discord takes nothing for longer than a reply waits for it: the reply stands there in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.adapters.discord.speaking import sink
from bot.adapters.redis import keys
from bot.chat import intake
from bot.chat.arriving import delayed
from tests.fakes import PATIENCE
from tests.fakes.discord.faults import Fault
from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_reply_controls import (
    FULL,
    asked,
    buttons,
    press,
    says,
    stored,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST = "POST /webhooks/{id}/{token}"
EDIT = "PATCH /webhooks/{id}/{token}/messages/{message}"
TALE = "There was a wren, and it sang all day, and nobody heard it but the rain."


@pytest_asyncio.fixture(loop_scope="module")
async def stage(room: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """A room where nobody waits for minutes."""
    monkeypatch.setattr(sink, "FINISH_TIMEOUT", 1.0)
    monkeypatch.setattr(delayed, "PAUSES", (0.1,))
    monkeypatch.setattr(intake, "TAKE_UP_EVERY", 0.2)
    yield room
    room.discord.rest.faults.clear()
    await settled(room)


async def settled(stage: Stage) -> None:
    """Wait until nothing is left to be done."""
    redis = stage.troupe.stores.redis
    names = [keys.journal(number, "open") for number in range(keys.JOURNAL_PARTITIONS)]
    async with asyncio.timeout(PATIENCE):
        while any([await redis.exists(name) for name in names]):
            await asyncio.sleep(0.05)


def refuses(stage: Stage, *routes: str) -> list[Fault]:
    """Let Discord fail from now on."""
    return [stage.discord.fail(route, status=503, times=10_000) for route in routes]


async def half_written(stage: Stage) -> tuple[Message, Message]:
    """Ask, and wait until some of the answer stands there that Discord won't let us end."""
    stage.ollama.set_pace(rate=12)
    stage.ollama.reply_next(TALE)
    question = await stage.channel.says(stage.guest, "tell me a tale", mention_bot=True)
    reply = await stage.channel.next_reply(to=question, quiet=0)
    refuses(stage, EDIT)
    stage.ollama.set_pace(rate=None)
    await given_up(stage)
    assert reply.content != TALE
    return question, reply


def left(stage: Stage) -> float:
    """Return how often a turn was left unfinished so far."""
    return sum(
        sample.value
        for family in stage.troupe.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "troupe_turns_total" and sample.labels["outcome"] == "left"
    )


async def given_up(stage: Stage) -> None:
    """Wait until the bot has given the end of a reply up once more."""
    before = left(stage)
    async with asyncio.timeout(PATIENCE):
        while left(stage) == before:
            await asyncio.sleep(0.05)


def relents(stage: Stage) -> None:
    stage.discord.rest.faults.clear()


async def test_half_a_reply_is_ended_as_soon_as_discord_takes_it(stage: Stage) -> None:
    question, reply = await half_written(stage)
    relents(stage)
    await says(stage, reply, TALE)
    assert list(buttons(reply)) == FULL
    assert stage.channel.replies_to(question) == [reply]
    assert len(stage.ollama.chats) == 1  # it was written once
    await settled(stage)
    (exchange,) = await stored(stage)
    assert exchange.reply is not None
    assert exchange.reply.message_ids == (reply.id,)


async def test_half_a_reply_is_ended_after_a_restart(stage: Stage) -> None:
    question, reply = await half_written(stage)
    await stage.restart()
    relents(stage)
    await says(stage, reply, TALE)
    assert stage.channel.replies_to(question) == [reply]
    assert len(stage.ollama.chats) == 1


async def test_a_reply_of_which_nothing_could_be_shown_is_shown_later_once(stage: Stage) -> None:
    await asked(stage, "name a bird", "Wren.")  # which finds the webhook
    refuses(stage, POST)
    stage.ollama.reply_next(TALE)
    question = await stage.channel.says(stage.guest, "tell me a tale", mention_bot=True)
    await given_up(stage)
    relents(stage)
    await until(stage, lambda: stage.channel.answer_to(question) == TALE, "the tale")
    await settled(stage)
    assert len(stage.channel.replies_to(question)) == 1
    assert len(stage.ollama.chats) == 2


async def test_another_variant_is_shown_later(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    refuses(stage, EDIT)
    stage.ollama.reply_next("Owl.")
    await press(stage, stage.guest, reply, "Regenerate")
    await given_up(stage)
    relents(stage)
    await says(stage, reply, "Owl.")
    assert "2/2" in buttons(reply)
    assert len(stage.ollama.chats) == 2


async def test_a_question_that_is_deleted_meanwhile_takes_half_its_reply_along(
    stage: Stage,
) -> None:
    question, reply = await half_written(stage)
    await stage.channel.delete(question)
    await until(stage, lambda: reply.deleted_at is not None, "no reply without a question")
    await settled(stage)
    relents(stage)
    assert stage.channel.replies_to(question) == []
    assert await stored(stage) == []


async def test_a_reply_that_a_moderator_removes_meanwhile_does_not_come_back(stage: Stage) -> None:
    question, reply = await half_written(stage)
    await stage.channel.delete(reply)
    relents(stage)
    await settled(stage)
    assert stage.channel.replies_to(question) == []
