"""A fake Discord in a process of its own, driven through its control API."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import aiohttp


class RemoteError(Exception):
    """The control API refused."""


class RemoteDiscord:
    """Client of the control API: `await remote.do("say", content="hi")`."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.api_base = self.gateway_url = self.token = ""
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> RemoteDiscord:
        timeout = aiohttp.ClientTimeout(total=None)
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def do(self, action: str, /, **arguments: Any) -> Any:
        """Run one action of the control API.

        Raises:
            TimeoutError: what it waited for did not happen.
            RemoteError: the action or an argument was wrong.
        """
        assert self._session is not None
        url = f"{self.origin}/_control/{action}"
        async with self._session.post(url, json=arguments) as response:
            body = await response.json()
        if response.status == 504:
            raise TimeoutError(body["error"])
        if response.status != 200:
            raise RemoteError(body["error"])
        return body


@asynccontextmanager
async def spawned(*arguments: str) -> AsyncIterator[RemoteDiscord]:
    """Start `python -m tests.fakes.discord --port 0 …` and stop it at the end."""
    command = [sys.executable, "-m", "tests.fakes.discord", "--port", "0", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(15):
            started = json.loads(await process.stdout.readline())
        async with RemoteDiscord(started["origin"]) as remote:
            remote.api_base = started["api_base"]
            remote.gateway_url = started["gateway_url"]
            remote.token = started["token"]
            yield remote
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
