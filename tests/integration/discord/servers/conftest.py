"""One running bot for the scenes of a module; each plays in a server of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import discord as library
import pytest
import pytest_asyncio
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.adapters.discord.session.redirect import redirect
from bot.adapters.redis import open_redis
from bot.app import Troupe
from bot.settings import DiscordSettings
from tests.fakes import PATIENCE
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.troupe import MODEL, running

_numbers = itertools.count(1)


@dataclass
class House:
    """The module's bot between its two servers."""

    discord: FakeDiscord
    ollama: FakeOllama
    folder: Path
    redis_url: str
    troupe: Troupe


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    redis_server_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """The module's running bot, with an empty database."""
    client = await open_redis(redis_server_url)
    await client.flushall()
    await client.aclose()
    folder = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        async with FakeDiscord() as discord, FakeOllama([MODEL]) as ollama:
            discord.rest.interactions.deadline = PATIENCE
            for owner, name in (
                (Route, "BASE"),
                (library.Asset, "BASE"),
                (DiscordWebSocket, "DEFAULT_GATEWAY"),
            ):
                patch.setattr(owner, name, getattr(owner, name))  # restored afterwards
            redirect(DiscordSettings(api_base=discord.api_base, gateway_url=discord.gateway_url))
            async with running(discord, ollama, redis_server_url, folder) as troupe:
                yield House(discord, ollama, folder, redis_server_url, troupe)


@pytest.fixture
def stage(house: House) -> Iterator[Stage]:
    """A server that has just been made, with an admin and a guest."""
    number = next(_numbers)
    guild = house.discord.guild(f"home {number}", channels=["general"])
    admin = guild.member(f"ada {number}", permissions=["manage_channels"])
    guest, channel = guild.member(f"guy {number}"), guild.channel("general")
    adult = guild.channel("late", nsfw=True)
    house.discord.forget_calls()
    yield Stage(
        house.discord,
        house.ollama,
        guild,
        channel,
        adult,
        admin,
        guest,
        house.folder,
        house.redis_url,
        house.troupe,
    )
    house.ollama.reset()
    house.ollama.set_pace(rate=None, first_token=0.0)
    house.ollama.scheduler.load_seconds = 0.0
