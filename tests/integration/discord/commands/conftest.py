"""A server with an admin, a guest and the whole bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.app import Troupe
from tests.fakes.discord.handles import Guild, Person, Place
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.troupe import MODEL, running


@dataclass
class Stage:
    """Where the scenes play."""

    discord: FakeDiscord
    ollama: FakeOllama
    guild: Guild
    channel: Place
    adult: Place
    admin: Person
    guest: Person
    folder: Path
    redis_url: str
    troupe: Troupe
    _process: AsyncExitStack = field(default_factory=AsyncExitStack)
    """What `restart` ends; empty where scenes share the bot."""

    async def restart(self) -> None:
        """End the bot in order, and start it again."""
        await self._process.aclose()
        self.troupe = await self._process.enter_async_context(
            running(self.discord, self.ollama, self.redis_url, self.folder)
        )

    async def tells(self, interaction: Interaction, part: str) -> str:
        """Wait until an answer, which may change after it was given, has a part."""

        def look() -> str | None:
            return interaction.text if part in interaction.text else None

        try:
            return await self.discord.world.until(look, 3.0, part)
        except TimeoutError:
            raise AssertionError(f"no {part!r} in {interaction.text!r}") from None


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    async with FakeOllama([MODEL]) as server:
        yield server


@pytest.fixture
async def stage(
    discord: FakeDiscord, ollama: FakeOllama, redis_url: str, tmp_path: Path
) -> AsyncIterator[Stage]:
    guild = discord.guild("home", channels=["general"])
    adult = guild.channel("late", nsfw=True)
    admin = guild.member("ada", permissions=["manage_channels"])
    guest = guild.member("guy")
    channel = guild.channel("general")
    async with AsyncExitStack() as process:
        troupe = await process.enter_async_context(running(discord, ollama, redis_url, tmp_path))
        yield Stage(
            discord,
            ollama,
            guild,
            channel,
            adult,
            admin,
            guest,
            tmp_path,
            redis_url,
            troupe,
            process,
        )
