"""One running bot for the scenes of a module; each plays in channels of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.e2e.troupe import Scene, opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """The module's running bot."""
    folder = tmp_path_factory.mktemp("troupe")
    async with opened(folder, DISCORD_MESSAGE_CONTENT_INTENT="true") as scene:
        yield scene


@pytest.fixture
def scene(house: Scene) -> Iterator[Scene]:
    """The running bot, with nothing left over from the scene before."""
    house.forget()
    yield house
    house.forget()
