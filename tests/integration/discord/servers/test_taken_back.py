"""What people delete or rewrite is in no prompt from then on, however soon they ask."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def remembered(stage: Stage, name: str) -> Message:
    """Let the guest have a name remembered."""
    await stage.guest.slash(stage.channel, "memory on")
    stage.ollama.reply_with("I will.")
    told = await stage.channel.says(
        stage.guest, f"remember that my cat is called {name}", mention_bot=True
    )
    await answered(stage, told)
    return told


async def answered(stage: Stage, asked: Message) -> None:
    """Wait until a reply stands there."""
    await stage.discord.world.until(
        lambda: "I will." in stage.channel.answer_to(asked), "an answer"
    )
    await stage.channel.settled(stage.channel.replies_to(asked)[-1])


@pytest.mark.parametrize("change", ["delete", "edit"])
async def test_a_memory_goes_with_its_message_before_the_next_prompt(
    stage: Stage, change: str
) -> None:
    leaked = []
    for number in range(4):
        name = f"Zorblax{number}"
        told = await remembered(stage, name)
        before = len(stage.ollama.chats)
        if change == "delete":
            changing = stage.channel.delete(told)
        else:
            changing = stage.channel.edit(told, told.content.replace(name, "Tom"))
        _, asked = await asyncio.gather(
            changing,
            stage.channel.says(stage.guest, "what is the name of my cat?", mention_bot=True),
        )
        await answered(stage, asked)
        leaked += [number for chat in stage.ollama.chats[before:] if name in str(chat.body)]
    assert leaked == []
