"""What went unheard, or without an event, takes its talk along; an outage does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.discord.missed import vanished
from bot.app import Troupe
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Guild, Person, Place
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.ollama import FakeOllama
from tests.integration.discord.commands.troupe import running


@dataclass
class Talks:
    """A bot that is started and ended, and a server that it was in all the time."""

    discord: FakeDiscord
    ollama: FakeOllama
    redis_url: str
    folder: Path
    guild: Guild
    guest: Person

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Troupe]:
        """Run the bot; it knows afterwards whose database this is."""
        async with running(self.discord, self.ollama, self.redis_url, self.folder) as troupe:

            async def known() -> bool:
                return await troupe.stores.state.get("application") is not None

            await until(known)
            yield troupe

    async def talk(self, place: Place, person: Person | None = None) -> None:
        """Ask something, and wait for the answer."""
        asked = await place.says(person or self.guest, "how tall is K2?", mention_bot=True)
        await self.discord.world.until(lambda: place.replies_to(asked), "an answer")


@pytest.fixture
def talks(
    discord: FakeDiscord,
    ollama: FakeOllama,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Talks:
    monkeypatch.setattr(vanished, "ASKED_AGAIN_AFTER", 0.05)
    monkeypatch.setattr(vanished, "FOR_SO_LONG", 0.05)
    monkeypatch.setattr(vanished, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(vanished, "PAUSES", (0.2,) * 100)
    guild = discord.guild("home", channels=["general"])
    return Talks(discord, ollama, redis_url, tmp_path, guild, guild.member("guy"))


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await true():
            await asyncio.sleep(0.05)


def said_in(troupe: Troupe, place: Place) -> Callable[[], Awaitable[bool]]:
    """Return whether anything that was said at a place is kept."""

    async def kept() -> bool:
        return bool(await troupe.stores.redis.exists(f"troupe:{{c:{place.id}}}:lines"))

    return kept


def nothing_of(troupe: Troupe, guild: Guild) -> Callable[[], Awaitable[bool]]:
    """Return whether nothing is kept of a server."""

    async def forgotten() -> bool:
        keys = [key async for key in troupe.stores.redis.scan_iter(f"troupe:{{g:{guild.id}}}*")]
        return not keys

    return forgotten


def async_(true: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def answer() -> bool:
        return true()

    return answer


async def not_(kept: Callable[[], Awaitable[bool]]) -> None:
    async def gone() -> bool:
        return not await kept()

    await until(gone)


async def test_a_server_that_removed_the_bot_unheard_is_forgotten_at_the_next_start(
    talks: Talks,
) -> None:
    other = talks.discord.guild("other", channels=["hall"])
    hall, general = other.channel("hall"), talks.guild.channel("general")
    async with talks.run():
        await talks.talk(general)
        await talks.talk(hall, other.member("gal"))
    other.removes_bot()
    async with talks.run() as troupe:
        await until(nothing_of(troupe, other))
        await not_(said_in(troupe, hall))
        assert await said_in(troupe, general)()


async def test_what_was_said_in_channels_and_threads_that_were_deleted_unheard_is_forgotten(
    talks: Talks,
) -> None:
    gone, stays = talks.guild.channel("gone"), talks.guild.channel("general")
    threads = [await gone.thread("old", talks.guest), await stays.thread("older", talks.guest)]
    async with talks.run():
        for place in (gone, stays, *threads):
            await talks.talk(place)
        for thread in threads:
            thread.archive()
    talks.guild.delete_channel(gone)
    async with talks.run() as troupe:
        await not_(said_in(troupe, gone))
        await not_(said_in(troupe, threads[0]))
        assert await said_in(troupe, stays)()
        assert await said_in(troupe, threads[1])()
        left = troupe.stores.kept_places.channels

        async def struck() -> bool:
            return set(await left(talks.guild.id)) == {stays.id, threads[1].id}  # type: ignore[arg-type]  # an id

        await until(struck)


async def test_a_channel_takes_its_archived_threads_along_of_which_nobody_tells(
    talks: Talks,
) -> None:
    gone = talks.guild.channel("gone")
    thread = await gone.thread("old", talks.guest)
    async with talks.run() as troupe:
        await talks.talk(thread)
        thread.archive()
        assert await said_in(troupe, thread)()
        talks.guild.delete_channel(gone)
        await not_(said_in(troupe, thread))


async def in_two_servers(talks: Talks) -> tuple[Guild, Place, Place]:
    """Talk at home, and elsewhere in a channel and in a thread that is archived afterwards."""
    hall = talks.discord.guild("hall", channels=["hall"])
    place, gal = hall.channel("hall"), hall.member("gal")
    thread = await place.thread("old", gal)
    async with talks.run():
        await talks.talk(place, gal)
        await talks.talk(thread, gal)
        thread.archive()
        await talks.talk(talks.guild.channel("general"))
    return hall, place, thread


async def test_a_server_that_is_announced_as_unavailable_is_not_gone(talks: Talks) -> None:
    hall, place, thread = await in_two_servers(talks)
    hall.record.away = True
    talks.guild.removes_bot()
    async with talks.run() as troupe:
        await until(nothing_of(troupe, talks.guild))  # of the two, that one is
        assert await said_in(troupe, place)()
        assert await said_in(troupe, thread)()


@pytest.mark.parametrize("status", [403, 404])
async def test_nothing_is_gone_that_something_else_than_discord_denies(
    talks: Talks, status: int
) -> None:
    hall, place, thread = await in_two_servers(talks)
    archived = await talks.guild.channel("general").thread("old", talks.guest)
    async with talks.run() as troupe:
        await talks.talk(archived)
    archived.archive()
    talks.discord.world.guilds.pop(hall.id)
    guilds = talks.discord.fail("GET /guilds/{guild}", status=status, times=1000)
    channels = talks.discord.fail("GET /channels/{channel}", status=status, times=1000)
    async with talks.run() as troupe:
        await until(async_(lambda: guilds.hits >= 1 and channels.hits >= 1))
        await talks.talk(talks.guild.channel("general"))
        for each in (place, thread, archived):
            assert await said_in(troupe, each)()


async def test_what_another_application_wrote_is_not_held_against_our_servers(
    talks: Talks,
) -> None:
    hall, place, thread = await in_two_servers(talks)
    async with talks.run() as troupe:
        await troupe.stores.state.set("application", 5)
    hall.removes_bot()
    async with talks.run() as troupe:
        await talks.talk(talks.guild.channel("general"))
        assert talks.discord.calls["GET /guilds/{guild}"] == 0
        assert await said_in(troupe, place)()
        assert await said_in(troupe, thread)()


async def test_what_discord_denies_for_less_than_a_day_is_kept_and_is_back_after_an_outage(
    talks: Talks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vanished, "FOR_SO_LONG", 3600.0)
    hall, place, thread = await in_two_servers(talks)
    gone, guilds = talks.guild.channel("gone"), talks.discord.world.guilds
    async with talks.run() as troupe:
        await talks.talk(gone)
    talks.guild.delete_channel(gone)
    record = guilds.pop(hall.id)  # neither READY nor any call knows of it

    async def said_gone(troupe: Troupe) -> set[str]:
        return set(await troupe.stores.state.get("said_gone:0") or {})

    async with talks.run() as troupe:
        await until(async_(lambda: talks.discord.calls["GET /guilds/{guild}"] >= 3))
        assert await said_gone(troupe) == {str(hall.id), str(gone.id)}
    async with talks.run() as troupe:
        assert await said_gone(troupe) == {str(hall.id), str(gone.id)}
        guilds[hall.id] = record

        async def heard_of() -> bool:
            return await said_gone(troupe) == {str(gone.id)}

        await until(heard_of)
        for each in (place, thread, gone):
            assert await said_in(troupe, each)()
