"""What is kept of a server that the bot left goes, but nothing of the time after its return."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from bot.chat.arriving.parting import Parting
from bot.chat.place import ChannelId, GuildId, Place
from bot.errors import StoreError

GUILD = GuildId(9)


class Shelf:
    """Keeps a number of things of servers, unless it is away."""

    def __init__(self) -> None:
        self.kept = {GUILD: 3}
        self.away = False

    async def delete_guild(self, guild: GuildId) -> int:
        if self.away:
            raise StoreError("away")
        return self.kept.pop(guild, 0)

    @contextmanager
    def out(self) -> Iterator[None]:
        self.away = True
        yield
        self.away = False


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def parting(shelf: Shelf) -> Parting:
    return Parting(cast("Any", ()), cast("Any", None), [shelf], [])  # no turns run


async def test_what_a_store_missed_is_forgotten_once_it_is_back(
    parting: Parting, shelf: Shelf
) -> None:
    with shelf.out():
        await parting.left(GUILD)
    assert shelf.kept
    assert Place(ChannelId(1), GUILD) in parting
    await parting.catch_up()
    assert not shelf.kept


async def test_a_server_that_took_the_bot_back_meanwhile_loses_nothing(
    parting: Parting, shelf: Shelf
) -> None:
    with shelf.out():
        await parting.left(GUILD)
        parting.back(GUILD)
    await parting.catch_up()
    assert shelf.kept == {GUILD: 3}
    assert Place(ChannelId(1), GUILD) not in parting
