"""A fake Discord for each scene, and discord.py pointed at it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord as library
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.adapters.discord.session.redirect import redirect
from bot.adapters.discord.speaking.desk import Desk
from bot.settings import DiscordSettings
from tests.fakes import PATIENCE
from tests.fakes.discord.server import FakeDiscord
from tests.integration.discord.rig import desk_at


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """A Discord without latency and limits; scenes that need them switch them on."""
    async with redirected() as server:
        yield server


@asynccontextmanager
async def redirected() -> AsyncIterator[FakeDiscord]:
    """A fake Discord, discord.py pointed at it, and back afterwards."""
    async with FakeDiscord() as server:
        server.rest.interactions.deadline = PATIENCE
        with pytest.MonkeyPatch.context() as patch:
            for owner, name in (
                (Route, "BASE"),
                (library.Asset, "BASE"),
                (DiscordWebSocket, "DEFAULT_GATEWAY"),
            ):
                patch.setattr(owner, name, getattr(owner, name))  # restored afterwards
            redirect(DiscordSettings(api_base=server.api_base, gateway_url=server.gateway_url))
            yield server


@pytest.fixture
async def desk(discord: FakeDiscord) -> AsyncIterator[Desk]:
    """The bot's calls, without a gateway."""
    async with desk_at(discord) as opened:
        yield opened
