"""Counts for `/route stats`: written in batches, never lost to a store that is away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.chat.place import GuildId
from bot.errors import StoreError
from bot.routing.policy import certain
from bot.routing.route import Route
from bot.routing.tally import Tally

GUILD = GuildId(5)
DECISION = certain(Route.CREATIVE, "pin", "pinned")


@dataclass
class Shelf:
    """Keeps what it is given, or is away."""

    away: bool = False
    written: list[Mapping[GuildId, Mapping[str, int]]] = field(default_factory=list)

    async def add(self, counts: Mapping[GuildId, Mapping[str, int]]) -> None:
        if self.away:
            raise StoreError("away")
        self.written.append({guild: dict(each) for guild, each in counts.items()})


async def test_each_count_is_written_once() -> None:
    tally, shelf = Tally(), Shelf()
    tally.count(GUILD, DECISION, abstained=None, flipped=False)
    tally.count(GUILD, DECISION, abstained="margin", flipped=True)
    tally.corrected(GUILD)
    await tally.flush(shelf)
    await tally.flush(shelf)
    counts = {"decisions": 2, "route:creative": 2, "source:pin": 2, "abstained": 1, "flips": 1}
    assert shelf.written == [{GUILD: {**counts, "corrections": 1}}]
    assert tally.since_start(GUILD) == {**counts, "corrections": 1}


async def test_what_the_store_misses_is_written_later() -> None:
    tally, shelf = Tally(), Shelf(away=True)
    tally.corrected(GUILD)
    await tally.flush(shelf)
    tally.corrected(GUILD)
    shelf.away = False
    await tally.flush(shelf)
    assert shelf.written == [{GUILD: {"corrections": 2}}]


async def test_direct_messages_are_not_counted() -> None:
    tally, shelf = Tally(), Shelf()
    tally.count(None, DECISION, abstained=None, flipped=False)
    await tally.flush(shelf)
    assert shelf.written == []
