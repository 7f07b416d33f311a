"""A model that sees gets the pictures that people attach."""

from __future__ import annotations

import base64
import threading

import pytest

from bot.chat.replying import writing
from bot.prompting import Prompt, PromptInput
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


async def test_a_prompt_with_files_is_made_beside_the_event_loop(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []

    def noted(given: PromptInput) -> Prompt:
        made.append(threading.current_thread() is threading.main_thread())
        return assemble(given)

    assemble = writing.assemble
    monkeypatch.setattr(writing, "assemble", noted)
    stage.ollama.reply_with("Nice.")
    files = [("tale.txt", b"Once upon a time.", "text/plain")]
    asked = await stage.channel.says(stage.guest, "read this", mention_bot=True, attachments=files)
    await answer(stage, asked)
    await answer(stage, await stage.channel.says(stage.guest, "and now?", mention_bot=True))
    assert made == [False, True]
