"""Operators' files that are edited while the bot runs."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from bot.app import Troupe
from bot.files.data_files import personas_dir
from tests.fakes import PATIENCE
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.troupe import running

STORY = "write me a short story about a lighthouse keeper and a storm"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    changed = file.with_suffix(".new")
    changed.write_text(text.replace(old, new), encoding="utf-8")
    os.replace(changed, file)


async def reloaded(troupe: Troupe, file: str, outcome: str) -> None:
    line = f'troupe_operator_file_reloads_total{{file="{file}",outcome="{outcome}"}} 1.0'
    async with asyncio.timeout(PATIENCE):
        while line not in troupe.metrics.exposition().decode():
            await asyncio.sleep(0.05)


async def test_changed_profiles_and_stages_hold_from_the_next_message_on(
    discord: FakeDiscord, ollama: FakeOllama, redis_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "personas"
    shutil.copytree(personas_dir(), folder)
    guild = discord.guild("home", channels=["general", "silent"])
    channel, guest = guild.channel("general"), guild.member("guy")
    silent = guild.channel("silent")  # where there is no turn before to go on with
    async with running(discord, ollama, redis_url, tmp_path, personas=folder) as troupe:
        edit(folder / "routes.toml", "temperature = 1.0", "temperature = 1.25")
        edit(folder / "tools.toml", "temperature = ", "temperature = 1")  # 10.9 and the like
        await reloaded(troupe, "routes.toml", "loaded")
        await reloaded(troupe, "tools.toml", "refused")
        asked = await channel.says(guest, STORY, mention_bot=True)
        await channel.next_reply(to=asked, quiet=0.3)
        assert ollama.chats[-1].body["options"]["temperature"] == 1.25

        with (folder / "routes.toml").open("a") as file:
            file.write("\n[model_stage]\nenabled = true\ndeadline_ms = 1\n")
        await reloaded(troupe, "routes.toml", "refused")
        edit(folder / "routes.toml", "deadline_ms = 1\n", "deadline_ms = 2000\n")
        async with asyncio.timeout(PATIENCE):
            shown = ""
            while "by model" not in shown:
                ollama.reply_with("B")
                tried = await guest.slash(silent, "route try", text="what about tea")
                shown = tried.text
