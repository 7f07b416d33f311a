"""The token of a command lasts for a quarter of an hour; its answer may take longer, or be late."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.replying import in_time
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_reply_controls import FULL, buttons, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALE = "There was a wren, and it sang all day, and nobody heard it but the rain."


@pytest.fixture
def stage(room: Stage) -> Stage:
    """A room of its own for each scene."""
    return room


async def half_answered(stage: Stage, *, private: bool = False) -> tuple[Interaction, Message]:
    """Ask by command, and wait until some of the answer stands there; then the token is over."""
    stage.ollama.set_pace(rate=12)
    stage.ollama.reply_next(TALE)
    asked = await stage.guest.slash(stage.channel, "ask", question="a tale!", private=private)
    asked.lifetime = 0.0
    stage.ollama.set_pace(rate=None)
    assert asked.response is not None
    assert not asked.text.endswith(TALE)
    return asked, asked.response


async def whole(stage: Stage, reply: Message) -> None:
    await until(stage, lambda: TALE in reply.content and "Why" in buttons(reply), "the tale")
    assert list(buttons(reply)) == FULL
    assert stage.channel.from_bot == [reply]
    assert len(stage.ollama.chats) == 1


async def test_what_was_begun_by_its_token_is_ended_without_it(stage: Stage) -> None:
    _, reply = await half_answered(stage)
    await whole(stage, reply)
    assert reply.content.startswith("> a tale!\n**")


async def test_so_it_is_by_the_successor(stage: Stage) -> None:
    stage.discord.fail("PATCH /webhooks/{id}/{token}/messages/{message}", delay=9.0, times=99)
    _, reply = await half_answered(stage)
    await stage.restart()
    stage.discord.rest.faults.clear()
    await until(stage, lambda: TALE in reply.content and "Why" in buttons(reply), "the tale")
    assert stage.channel.from_bot == [reply]


async def test_an_answer_of_which_nothing_stood_there_by_then_comes_as_a_message(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.discord.rest.interactions, "lifetime", 0.3)
    stage.ollama.set_pace(first_token=0.8)
    stage.ollama.reply_next(TALE)
    asking = asyncio.create_task(stage.guest.slash(stage.channel, "ask", question="a tale!"))

    def said() -> bool:
        return any(TALE in m.content and "Why" in buttons(m) for m in stage.channel.from_bot)

    await until(stage, said, "the tale")
    asking.cancel()
    assert stage.channel.from_bot[-1].content.startswith("> a tale!\n**")


async def test_a_private_answer_is_never_ended_in_public(stage: Stage) -> None:
    _, reply = await half_answered(stage, private=True)
    await asyncio.sleep(0.5)
    assert stage.channel.from_bot == []
    assert TALE not in reply.content


@pytest.mark.parametrize("begun", [False, True])
async def test_who_can_be_reached_by_the_token_alone_is_told_before_it_is_over(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    # The id of an interaction holds its time in whole milliseconds.
    monkeypatch.setattr(in_time, "TOKEN_LASTS", 3.0)
    if begun:
        stage.ollama.set_pace(rate=1.0)
    else:
        stage.ollama.set_pace(first_token=30.0)
    stage.ollama.reply_next(TALE)
    asked = await stage.guest.slash(stage.channel, "ask", question="a tale!", private=True)
    text = await stage.tells(asked, "longer than Discord lets me answer")
    assert ("There" in text) is begun
    assert asked.ephemeral
    await stage.ollama.until(lambda: stage.ollama.cancelled == 1)
