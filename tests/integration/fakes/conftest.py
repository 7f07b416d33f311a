"""An unmodified discord.py bot, connected to the fake Discord over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import discord
import pytest
import yarl
from discord.ext import commands

from tests.fakes import PATIENCE
from tests.fakes.discord import FakeDiscord


class ListeningBot(commands.Bot):
    """Keeps what it hears."""

    def __init__(self, intents: discord.Intents, **options: object) -> None:
        super().__init__("!", intents=intents, help_command=None, max_messages=None, **options)
        self._connection.guild_ready_timeout = 0.05
        self.heard: list[discord.Message] = []
        self.raw_edits: list[discord.RawMessageUpdateEvent] = []
        self.raw_deletes: list[int] = []
        self.reactions: list[str] = []

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        self.raw_edits.append(payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        self.raw_deletes.append(payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        self.raw_deletes.extend(sorted(payload.message_ids))

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        self.reactions.append(str(payload.emoji))

    async def hears(self, count: int, timeout: float = PATIENCE) -> list[discord.Message]:
        """Wait until it has heard `count` messages."""
        await until(lambda: len(self.heard) >= count, timeout)
        return self.heard


async def until(condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
    """Wait for a condition, looking every few milliseconds."""
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.005)


def channel_of(bot: discord.Client, fake: FakeDiscord) -> discord.TextChannel:
    """Return #general as the bot knows it."""
    found = bot.get_channel(fake.guild("home").channel("general").id)
    assert isinstance(found, discord.TextChannel)
    return found


StartBot = Callable[..., Awaitable[ListeningBot]]


@asynccontextmanager
async def _running(bot: ListeningBot, token: str) -> AsyncIterator[ListeningBot]:
    task = asyncio.create_task(bot.start(token))
    try:
        yield bot
    finally:
        await bot.close()
        async with asyncio.timeout(PATIENCE):
            await task


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        monkeypatch.setattr(discord.http.Route, "BASE", server.api_base)
        gateway = yarl.URL(server.gateway_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        server.guild("home", channels=["general"])
        yield server


@pytest.fixture
async def start_bot(fake: FakeDiscord) -> AsyncIterator[StartBot]:
    async with AsyncExitStack() as stack:

        async def start(
            *,
            content: bool = True,
            setup: Callable[[ListeningBot], Awaitable[None]] | None = None,
            **options: object,
        ) -> ListeningBot:
            intents = discord.Intents(
                guilds=True, messages=True, guild_reactions=True, guild_typing=True
            )
            intents.message_content = content
            bot = ListeningBot(intents, **options)
            if setup is not None:

                async def setup_hook() -> None:
                    await setup(bot)

                bot.setup_hook = setup_hook  # type: ignore[method-assign]
            await stack.enter_async_context(_running(bot, fake.token))
            await until(lambda: bot.is_ready())
            return bot

        yield start
