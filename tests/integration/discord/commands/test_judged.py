"""With a judge of character: what it finds weak is followed by a reminder, and `/why` tells."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_reply_controls import asked, press
from tests.integration.discord.commands.troupe import running

SHIPPED = Path(__file__).resolve().parents[4] / "personas"


@pytest.fixture
async def stage(
    discord: FakeDiscord, ollama: FakeOllama, redis_url: str, tmp_path: Path
) -> AsyncIterator[Stage]:
    """A bot whose operator switched the judge on."""
    personas = tmp_path / "personas"
    shutil.copytree(SHIPPED, personas)
    with (personas / "routes.toml").open("a", encoding="utf-8") as file:
        file.write("\n[character_judge]\nenabled = true\n")
    guild = discord.guild("home", channels=["general"])
    channel, admin, guest = guild.channel("general"), guild.member("ada"), guild.member("guy")
    async with AsyncExitStack() as process:
        troupe = await process.enter_async_context(
            running(discord, ollama, redis_url, tmp_path, personas=personas)
        )
        yield Stage(
            discord, ollama, guild, channel, channel, admin, guest, tmp_path, redis_url, troupe
        )


def reminded(stage: Stage, question: str) -> bool:
    """Whether the persona was reminded of itself for a question."""
    sent = [chat for chat in stage.ollama.chats if question in chat.messages[-1]["content"]]
    written = [chat for chat in sent if not chat.body.get("format")]
    return "[Stay Tamsin" in written[-1].messages[-1]["content"]


async def judged(stage: Stage, times: int = 1) -> None:
    """Wait until the judge has answered so often: it does so after the reply."""
    judgements = stage.troupe.metrics.registry.get_sample_value
    name, labels = "troupe_character_judgements_total", {"outcome": "answered"}
    await stage.ollama.until(lambda: (judgements(name, labels) or 0) >= times)


async def test_a_weak_reply_stands_and_the_next_one_is_reminded(stage: Stage) -> None:
    stage.ollama.reply_next('{"score": 1}', '{"score": 9}', kind="json")
    _, weak = await asked(stage, "tell me a story of the sea", "Certainly. Here is a story.")
    await judged(stage)
    told = await press(stage, stage.guest, weak, "Why")
    assert "the judge model says 10%" in await stage.tells(told, "judge model")
    _, strong = await asked(stage, "and a story of a lamp", "A lamp went out; nobody saw it.")
    assert reminded(stage, "and a story of a lamp")
    await judged(stage, times=2)
    told = await press(stage, stage.guest, strong, "Why")
    assert "the judge model says 90%" in await stage.tells(told, "judge model")
    await asked(stage, "and a story of a gull", "A gull came late, for once.")
    assert not reminded(stage, "and a story of a gull")


async def test_a_judge_that_fails_changes_nothing(stage: Stage) -> None:
    stage.ollama.fail_next("stall", when=lambda body: bool(body.get("format")), times=-1)
    _, reply = await asked(stage, "tell me a story of the sea", "The tide turns at six.")
    assert reply.content.startswith("The tide turns at six.")
    _, reply = await asked(stage, "and a story of a lamp", "A lamp went out.")
    assert reply.content.startswith("A lamp went out.")
    assert not reminded(stage, "and a story of a lamp")


async def test_what_was_deleted_meanwhile_is_not_judged(stage: Stage) -> None:
    stage.ollama.fail_next("slow", seconds=1.0, when=lambda body: bool(body.get("format")))
    stage.ollama.reply_next('{"score": 0}', kind="json")
    question, _ = await asked(stage, "tell me a story of the sea", "Certainly.")
    await stage.ollama.until(lambda: any(chat.body.get("format") for chat in stage.ollama.requests))
    await stage.channel.delete(question)
    await judged(stage)
    await asked(stage, "and a story of a lamp", "A lamp went out.")
    assert not reminded(stage, "and a story of a lamp")
