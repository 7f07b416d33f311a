"""Three processes: the fake Discord, the fake Ollama, and the real bot between them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from tests.fakes.discord.remote import RemoteDiscord, spawned

ROOT = Path(__file__).resolve().parents[2]
START = 30.0
"""Seconds that a process gets to start."""
WALL_LESS_MONOTONIC = time.time() - time.monotonic()
"""The fake Ollama tells wall time, the fake Discord monotonic time."""


@dataclass
class World:
    """The scene, and what can be read off it."""

    discord: RemoteDiscord
    ollama: str
    ops: str
    bot: psutil.Process
    http: aiohttp.ClientSession

    async def chats(self) -> list[dict[str, Any]]:
        """Return what the fake Ollama was asked, with its times on the monotonic clock."""
        async with self.http.get(f"{self.ollama}/_control/requests") as response:
            records = (await response.json())["requests"]
        chats = [r for r in records if r["path"] == "/api/chat" and r["body"].get("messages")]
        for chat in chats:
            for name in ("at", "first_token_at", "finished_at"):
                if chat[name] is not None:
                    chat[name] -= WALL_LESS_MONOTONIC
        return chats

    async def ollama_stats(self) -> dict[str, Any]:
        async with self.http.get(f"{self.ollama}/_control/stats") as response:
            found: dict[str, Any] = await response.json()
            return found

    async def forget(self) -> None:
        """Start counting anew on both sides."""
        await self.discord.do("settings", forget=True)
        await self.http.post(f"{self.ollama}/_control/reset")

    async def metric(self, name: str) -> dict[str, float]:
        """Return the samples of a metric by their labels."""
        async with self.http.get(f"{self.ops}/metrics") as response:
            page = await response.text()
        found = re.findall(rf"^{name}(?:\{{(.*?)\}})? (\S+)$", page, re.MULTILINE)
        return {labels: float(value) for labels, value in found}

    def cpu_seconds(self) -> float:
        times = self.bot.cpu_times()
        return float(times.user + times.system)

    def rss(self) -> float:
        """Return the bot's resident memory in MiB."""
        return float(self.bot.memory_info().rss) / 2**20


@asynccontextmanager
async def world(
    *,
    rate: float | None = 40.0,
    tokens: int = 60,
    parallel: int = 128,
    latency: float = 0.08,
    rate_limits: bool = True,
) -> AsyncIterator[World]:
    """Start the three processes; stop them at the end.

    `rate` is tokens a second a stream (None: instant), `latency` seconds a REST call.
    """
    arguments = ["--latency", str(latency), *(["--rate-limits"] if rate_limits else [])]
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        discord = await stack.enter_async_context(spawned(*arguments))
        ollama = await stack.enter_async_context(ollama_process(rate, tokens, parallel))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="troupe-bench-"))
        ops_port = _free_port()
        bot = await stack.enter_async_context(
            _bot(discord, ollama, Path(folder), ops_port, parallel)
        )
        await discord.do("wait", timeout=START)
        yield World(discord, ollama, f"http://127.0.0.1:{ops_port}", psutil.Process(bot), http)


@asynccontextmanager
async def ollama_process(rate: float | None, tokens: int, parallel: int) -> AsyncIterator[str]:
    command = [sys.executable, "-m", "tests.fakes.ollama", "--tokens", str(tokens)]
    command += ["--parallel", str(parallel), "--keep", "20000", "--num-ctx", "8192"]
    command += ["--model", "llama3.2:3b"] + (["--rate", str(rate)] if rate else [])
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START):
            line = (await process.stdout.readline()).decode()
        yield line.split()[-1]
    finally:
        await _end(process)


@asynccontextmanager
async def _bot(
    discord: RemoteDiscord, ollama: str, folder: Path, ops_port: int, parallel: int
) -> AsyncIterator[int]:
    environment = {
        **os.environ,
        "MEMORY_DEFAULT": "off",  # an offer would count as a second answer
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_BASE": discord.api_base,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "OLLAMA_HOSTS": ollama,
        "OLLAMA_MODEL": "llama3.2:3b",
        "OLLAMA_NUM_PARALLEL": str(parallel),
        "DATA_DIR": str(folder / "data"),
        "OPS_PORT": str(ops_port),
        "LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=folder, env=environment
    )
    try:
        yield process.pid
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(START):
            await process.wait()
    except TimeoutError:
        process.kill()
    await process.communicate()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
