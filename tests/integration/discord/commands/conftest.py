"""A server with an admin, a guest and the whole bot."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from bot.adapters.redis import open_redis
from bot.app import Troupe
from tests.fakes.discord.handles import Guild, Person, Place
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.troupe import MODEL, running
from tests.integration.discord.conftest import redirected


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
            return await self.discord.world.until(look, part)
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


_rooms = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    redis_server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """One bot for the scenes of a module, each in a room of its own."""
    redis = await open_redis(redis_server_url)
    await redis.flushall()
    await redis.aclose()
    folder = tmp_path_factory.mktemp("house")
    async with redirected() as discord, FakeOllama([MODEL]) as ollama, AsyncExitStack() as process:
        troupe = await process.enter_async_context(
            running(discord, ollama, redis_server_url, folder)
        )
        guild = discord.guild("home", channels=["general"])
        yield Stage(
            discord,
            ollama,
            guild,
            guild.channel("general"),
            guild.channel("late", nsfw=True),
            guild.member("ada", permissions=["manage_channels"]),
            guild.member("guy"),
            folder,
            redis_server_url,
            troupe,
            process,
        )


@pytest.fixture
def room(house: Stage) -> Stage:
    """The running bot, a new channel and a new guest; nothing left over from other scenes."""
    number = next(_rooms)
    house.ollama.reset()
    house.ollama.set_pace(rate=None, first_token=0.0)
    house.discord.rest.faults.clear()
    house.discord.forget_calls()
    house.guest = house.guild.member(f"guy {number}")
    house.channel = house.guild.channel(f"room-{number}")
    return house
