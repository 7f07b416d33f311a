"""A reader with a session in an open house."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.integration.web.company import Company, open_house


class Reader:
    """What the page's script does, and what it never would."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url
        self.session = ""

    async def call(
        self, path: str, body: object = None, *, method: str = "POST", **options: Any
    ) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        given = {} if body is None else {"json": body}
        async with self.http.request(method, self.url + path, **given, **options) as response:
            return response.status, json.loads(await response.text() or "null")

    async def open(self) -> None:
        status, answer = await self.call("/api/session", {})
        assert status == 200
        self.session = answer["session"]

    async def say(
        self, text: str, persona: str | None = None, *, languages: str = "en"
    ) -> list[dict[str, Any]]:
        """Return every line of the answer, without the heartbeats."""
        body = {"session": self.session, "text": text, "persona": persona}
        asked = {"Accept-Language": languages}
        async with self.http.post(f"{self.url}/api/say", json=body, headers=asked) as response:
            assert response.status == 200, await response.text()
            lines = [json.loads(line) async for line in response.content]
        return [line for line in lines if line["type"] != "wait"]


@pytest.fixture
async def company() -> Company:
    return Company()


@pytest.fixture
async def reader(company: Company) -> AsyncIterator[Reader]:
    async with open_house(company) as (url, _), aiohttp.ClientSession() as http:
        reader = Reader(http, url)
        await reader.open()
        yield reader
