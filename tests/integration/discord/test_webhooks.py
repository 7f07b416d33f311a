"""Which webhook speaks in a channel: found with few calls, made once, made anew when removed."""

from __future__ import annotations

import asyncio

import discord as library
import pytest

from bot.adapters.discord.speaking.desk import Desk
from tests.fakes.discord.handles import Server
from tests.fakes.discord.server import FakeDiscord
from tests.integration.discord.rig import desk_at

OF_GUILD = "GET /guilds/{guild}/webhooks"
OF_CHANNEL = "GET /channels/{channel}/webhooks"
CREATE = "POST /channels/{channel}/webhooks"
NAMES = ("tavern", "library", "attic")


@pytest.fixture
def guild(discord: FakeDiscord) -> Server:
    return discord.guild(channels=list(NAMES))


def allowed(desk: Desk) -> Desk:
    """Let the desk know that the bot may manage all webhooks of a guild."""
    desk.permissions_in = lambda _: library.Permissions(manage_webhooks=True)
    return desk


async def found(desk: Desk, guild: Server) -> list[int]:
    """Return the ids of the webhooks of all channels, asked for at once."""
    hooks = await asyncio.gather(
        *(desk.webhooks.of(guild.channel(name).id, guild.id) for name in NAMES)
    )
    return [hook.id for hook in hooks if hook is not None]


async def test_one_call_tells_of_all_channels(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    ids = await found(allowed(desk), guild)
    assert len(set(ids)) == len(NAMES)
    assert [discord.calls[route] for route in (OF_GUILD, CREATE)] == [1, len(NAMES)]
    assert discord.calls[OF_CHANNEL] == len(NAMES)  # each is looked at again once one was made


async def test_after_a_restart_one_call_finds_them_all(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    ids = await found(allowed(desk), guild)
    discord.forget_calls()
    async with desk_at(discord) as other:
        assert await found(allowed(other), guild) == ids
    assert [discord.calls[route] for route in (OF_GUILD, OF_CHANNEL, CREATE)] == [1, 0, 0]


async def test_of_several_webhooks_every_process_takes_the_oldest(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    tavern = guild.channel("tavern")
    old, new = [int((await desk.calls.create_webhook(tavern.id, "x"))["id"]) for _ in range(2)]
    async with desk_at(discord) as other:
        for each in (desk, allowed(other)):
            hook = await each.webhooks.of(tavern.id, guild.id)
            assert hook is not None
            assert hook.id == old
    assert [hook.id for hook in tavern.webhooks] == [old, new]


async def test_two_processes_that_make_one_at_once_agree_on_one_and_leave_no_other(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    tavern = guild.channel("tavern")
    async with desk_at(discord) as other:
        hooks = await asyncio.gather(*(each.webhooks.of(tavern.id) for each in (desk, other)))
        assert discord.calls[CREATE] == 2
        (left,) = tavern.webhooks
        assert [hook and hook.id for hook in hooks] == [left.id, left.id]


async def test_a_process_that_is_alone_compares_nothing(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    desk.alone = lambda: True
    assert len(set(await found(allowed(desk), guild))) == len(NAMES)
    assert [discord.calls[route] for route in (OF_GUILD, OF_CHANNEL, CREATE)] == [1, 0, len(NAMES)]


async def test_a_webhook_that_can_t_be_compared_is_used_all_the_same(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    tavern = guild.channel("tavern")
    discord.fail(OF_CHANNEL, status=403, code=50013, when=lambda _: bool(tavern.webhooks))
    hook = await desk.webhooks.of(tavern.id)
    assert hook is not None
    assert [each.id for each in tavern.webhooks] == [hook.id]


async def test_what_is_another_s_is_left_alone(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    theirs = guild.channel("tavern").add_webhook()
    assert theirs.id not in await found(allowed(desk), guild)


async def test_where_only_channels_allow_it_each_is_asked(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    desk.permissions_in = lambda _: library.Permissions.none()
    assert len(await found(desk, guild)) == len(NAMES)
    assert [discord.calls[route] for route in (OF_GUILD, OF_CHANNEL)] == [0, 2 * len(NAMES)]


async def test_a_refused_list_is_no_obstacle(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    discord.fail(OF_GUILD, status=403, code=50013)
    assert len(await found(allowed(desk), guild)) == len(NAMES)
    assert [discord.calls[route] for route in (OF_GUILD, OF_CHANNEL)] == [1, 2 * len(NAMES)]


async def test_a_channel_is_asked_itself_once_the_list_proved_wrong(
    discord: FakeDiscord, desk: Desk, guild: Server
) -> None:
    tavern = guild.channel("tavern")
    hook = await allowed(desk).webhooks.of(tavern.id, guild.id)
    desk.webhooks.forget(tavern.id)  # as after a refusal
    assert await desk.webhooks.of(tavern.id, guild.id) == hook
    tavern.remove_webhook(tavern.webhooks[0])
    desk.webhooks.forget(tavern.id)
    assert await desk.webhooks.of(tavern.id, guild.id) != hook
    assert len(tavern.webhooks) == 1
    assert [discord.calls[route] for route in (OF_GUILD, OF_CHANNEL, CREATE)] == [1, 4, 2]
