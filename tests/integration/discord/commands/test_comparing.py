"""Two replies to choose between: offered to who wants it, chosen by a button, learned from."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.place import UserId
from bot.memory import Kind, preferences
from bot.memory.style import taste_of
from tests.fakes import PATIENCE
from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_reply_controls import (
    FULL,
    asked,
    buttons,
    press,
    says,
    stored,
)

OFFER = "Compare with another"
PICK = "This one is better"


@pytest.fixture
async def curious(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The guest wants to choose between replies, and each reply comes with the offer."""
    monkeypatch.setattr(preferences, "ONE_IN", 1)
    await stage.guest.slash(stage.channel, "memory on")
    await stage.guest.slash(stage.channel, "memory persona", learn=True, compare=True)
    return stage


async def pairs(stage: Stage) -> list[tuple[str, str]]:
    """Return what the guest chose over what."""
    shelf = await stage.troupe.stores.memories.load(UserId(stage.guest.id))
    assert shelf is not None
    tastes = [taste_of(item) for item in shelf.of(Kind.TASTE)]
    return [(taste.chosen, taste.rejected) for taste in tastes]


async def learned(stage: Stage, better: str, worse: str) -> None:
    """Wait until a choice is kept: that comes after the reply has changed."""
    async with asyncio.timeout(PATIENCE):
        while await pairs(stage) != [(better, worse)]:
            await asyncio.sleep(0.02)


async def compared(stage: Stage) -> Message:
    """Ask for a poem, and for another one beside it."""
    _, reply = await asked(stage, "write a poem about rain", "Rain on the roof.")
    stage.ollama.reply_next("Grey drums all night.")
    await press(stage, stage.guest, reply, OFFER)
    await says(stage, reply, "Grey drums all night.")
    return reply


async def chosen(stage: Stage, reply: Message) -> None:
    """Press that the shown one is better, and wait until there is nothing to choose any more."""
    await press(stage, stage.guest, reply, PICK)
    await stage.discord.world.until(lambda: "Why" in buttons(reply) or None, "the choice")
    assert PICK not in buttons(reply)


async def test_the_better_of_two_replies_stays_and_is_learned_from(curious: Stage) -> None:
    reply = await compared(curious)
    assert {"2/2", PICK} <= set(buttons(reply))
    assert OFFER not in buttons(reply)
    await press(curious, curious.guest, reply, "◀️")
    await says(curious, reply, "Rain on the roof.")
    await chosen(curious, reply)
    (exchange,) = await stored(curious)
    assert exchange.reply is not None
    assert exchange.reply.text == "Rain on the roof."
    assert not exchange.compared
    await learned(curious, "Rain on the roof.", "Grey drums all night.")


async def test_the_choice_outlives_a_restart(curious: Stage) -> None:
    reply = await compared(curious)
    await curious.restart()
    await chosen(curious, reply)
    await learned(curious, "Grey drums all night.", "Rain on the roof.")


async def test_nobody_else_chooses_and_nobody_else_is_asked(curious: Stage) -> None:
    reply = await compared(curious)
    stranger = curious.guild.member("sam")
    answer = await press(curious, stranger, reply, PICK)
    assert await curious.tells(answer, "Only who asked")
    assert PICK in buttons(reply)
    assert await pairs(curious) == []
    _, other = await asked(curious, "write a poem about snow", "Snow.", who=stranger)
    assert list(buttons(other)) == FULL
