"""A model that sees gets the pictures that people attach."""

from __future__ import annotations

import base64

from tests.fakes.discord.state import Message
from tests.fakes.ollama.catalogue import FakeModel
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.troupe import MODEL
from tests.integration.discord.rig import picture


async def answer(stage: Stage, asked: Message) -> str:
    return (await stage.channel.next_reply(to=asked)).content


async def test_pictures_go_to_a_model_that_sees(stage: Stage) -> None:
    stage.ollama.add_model(FakeModel(MODEL, ("completion", "vision")))
    stage.ollama.reply_with("Nice.")
    files = [("cat.png", picture(64, 48), "image/png")]
    asked = await stage.channel.says(stage.guest, "look", mention_bot=True, attachments=files)
    assert "Not read" not in await answer(stage, asked)
    (image,) = stage.ollama.chats[-1].messages[-1]["images"]
    assert base64.b64decode(image) == picture(64, 48)
    later = await stage.channel.says(stage.guest, "and now?", mention_bot=True)
    await answer(stage, later)
    assert "iVBOR" not in str(stage.ollama.chats[-1].messages)  # pictures are not kept
