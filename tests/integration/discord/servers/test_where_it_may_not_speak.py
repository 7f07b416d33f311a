"""Where the bot may not speak it is silent, tells who asked, and speaks once it may."""

from __future__ import annotations

import pytest

from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def asked(stage: Stage) -> Message:
    return await stage.channel.says(stage.guest, "how tall is K2?", mention_bot=True)


def letters(stage: Stage) -> list[str]:
    """Return what the bot wrote to the guest."""
    return [message.content for message in stage.discord.dm(stage.guest).from_bot]


async def test_an_admin_s_denial_holds_for_the_webhook_too(stage: Stage) -> None:
    await stage.channel.next_reply(await asked(stage))
    stage.channel.forbid_bot("send_messages")
    chats = len(stage.ollama.chats)
    question = await asked(stage)
    await stage.discord.world.until(lambda: question.reactions, "a sign")
    assert list(question.reactions) == ["⚠️"]
    assert stage.channel.replies_to(question) == []
    assert len(stage.ollama.chats) == chats  # nothing is written for nobody
    assert "❌ **Send Messages**" in (await stage.admin.slash(stage.channel, "doctor")).text
    assert letters(stage) == []


async def test_who_can_not_be_shown_a_sign_is_written_to_once(stage: Stage) -> None:
    stage.channel.forbid_bot("send_messages", "manage_webhooks", "add_reactions")
    refused = stage.discord.rest.invalid_requests
    await asked(stage)
    await stage.discord.world.until(lambda: letters(stage), "a letter")
    await asked(stage)
    stage.adult.forbid_bot("send_messages", "add_reactions")
    await stage.adult.says(stage.guest, "how tall is K2?", mention_bot=True)
    await stage.discord.world.until(lambda: len(letters(stage)) > 1, "another channel's letter")
    here, there = letters(stage)
    assert f"<#{stage.channel.id}>" in here
    assert "Send Messages" in here
    assert f"<#{stage.adult.id}>" in there
    assert stage.discord.rest.invalid_requests == refused


@pytest.mark.parametrize("where", ["channel", "role"])
async def test_what_is_mended_works_at_once(stage: Stage, where: str) -> None:
    # A refusal that could not be foreseen: the channel is muted for a while.
    stage.discord.fail("POST /webhooks/{webhook}/{token}", status=403, code=50013, times=2)
    stage.discord.fail("POST /channels/{channel}/messages", status=403, code=50013)
    question = await asked(stage)
    await stage.discord.world.until(lambda: question.reactions, "a sign")
    if where == "channel":
        stage.channel.allow_bot("send_messages")
    else:
        stage.guild.forbid_bot("attach_files")  # any change of a role of ours
    await stage.channel.next_reply(await asked(stage))
