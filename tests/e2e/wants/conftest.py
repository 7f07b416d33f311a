"""One running bot for all 25 scenes; each plays in channels of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.troupe import MODEL, Scene, opened
from tests.e2e.wants.seeing import LARGER


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A bot with two models and two slots, so that a third question waits."""
    settings = {
        "DISCORD_MESSAGE_CONTENT_INTENT": "true",
        "OLLAMA_CHANNEL_MODELS": LARGER,
        "OLLAMA_NUM_CTX": "4096",
        "OLLAMA_NUM_PARALLEL": "2",
    }
    folder = tmp_path_factory.mktemp("wants")
    async with opened(folder, models=(MODEL, LARGER), **settings) as scene:
        yield scene
