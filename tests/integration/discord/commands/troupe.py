"""The whole bot in this process, between a fake Discord and a fake Ollama."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from bot.app import Troupe, open_troupe
from bot.faces.on_discord import serve_discord
from bot.settings import (
    CoreSettings,
    DiscordSettings,
    OllamaSettings,
    OpsSettings,
    PlaySettings,
    RedisSettings,
    Settings,
)
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama

MODEL = "llama3.2:3b"


@asynccontextmanager
async def running(
    discord: FakeDiscord,
    ollama: FakeOllama,
    redis_url: str,
    folder: Path,
    *,
    personas: Path | None = None,
    message_content: bool = True,
) -> AsyncIterator[Troupe]:
    """Run the bot until it is connected, and stop it at the end. `folder` outlives restarts."""
    settings = Settings(
        discord=DiscordSettings(
            token=SecretStr(discord.token),
            api_base=discord.api_base,
            gateway_url=discord.gateway_url,
            message_content_intent=message_content,
            sync_commands="always",
        ),
        ollama=OllamaSettings(hosts=ollama.url, model=MODEL),  # type: ignore[arg-type]  # split
        redis=RedisSettings(url=SecretStr(redis_url)),
        ops=OpsSettings(),
        play=PlaySettings(),
        core=CoreSettings(data_dir=folder, personas_dir=personas),
    )
    async with AsyncExitStack() as stack:
        troupe = await open_troupe(settings, stack)
        stop = asyncio.Event()
        serving = asyncio.create_task(serve_discord(troupe, stop, stack))
        try:
            await discord.connected()
            yield troupe
        finally:
            await asyncio.sleep(0.1)  # answers that the fake has sent reach the client
            stop.set()
            await serving
