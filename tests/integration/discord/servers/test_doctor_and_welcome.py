"""What is missing and what takes it away; and a server that has just added the bot."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.place import ChannelId, GuildId, Place
from bot.personas.binding import TriggerMode
from tests.fakes import PATIENCE
from tests.fakes.discord import payloads
from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def examined(stage: Stage) -> str:
    return (await stage.admin.slash(stage.channel, "doctor")).text


async def test_all_is_well(stage: Stage) -> None:
    assert "All is well" in await examined(stage)


async def test_the_overwrite_that_takes_a_permission_away_is_named(stage: Stage) -> None:
    everyone = stage.guild.id
    stage.channel.overwrite(everyone, deny=["create_public_threads"])
    stage.channel.forbid_bot("embed_links")
    bot_role = stage.guild.record.bot_role_id
    stage.channel.overwrite(bot_role, deny=["attach_files"])
    stage.guild.forbid_bot("manage_webhooks")
    text = await examined(stage)
    assert (
        "**Create Public Threads** (to open a thread for a conversation): the overwrite of " in text
    )
    assert "overwrite of @everyone" in text
    assert "**Embed Links** (to show cards and quotes): my own overwrite" in text
    assert (
        f"**Attach Files** (to send cards and pictures): the overwrite of the role <@&{bot_role}>"
        in text
    )
    assert "⚠️ **Manage Webhooks**" in text
    assert "none of my roles has it" in text
    assert "Read Message History" not in text


async def test_a_channel_that_it_can_not_see_is_examined_too(stage: Stage) -> None:
    stage.channel.forbid_bot("view_channel")
    text = await examined(stage)
    assert "❌ **View Channel** (to see the channel at all): my own overwrite" in text
    assert "**Send Messages** (to answer): it can't work while I don't see the channel." in text


async def test_settings_that_keep_it_silent_are_named_too(stage: Stage) -> None:
    place = Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))
    await stage.troupe.casting.set_mode(place, TriggerMode.OFF)
    assert "set to stay silent" in await examined(stage)


async def test_only_admins_are_offered_the_doctor(stage: Stage) -> None:
    with pytest.raises(PermissionError):
        await stage.guest.slash(stage.channel, "doctor")


async def in_session(stage: Stage) -> None:
    """Wait until the session has begun, and the bot does what it does in quiet times."""
    async with asyncio.timeout(PATIENCE):
        while not any(c.name == "gateway" and c.ok for c in stage.troupe.health.ready().checks):
            await asyncio.sleep(0.05)


async def greeted(stage: Stage, name: str) -> Message:
    guild = stage.discord.guild(name, channels=["rules", "lobby"], joins=True)

    def look() -> Message | None:
        found = [m for c in ("rules", "lobby") for m in guild.channel(c).from_bot]
        return found[0] if found else None

    return await stage.discord.world.until(look, "a welcome card")


async def test_three_clicks_and_somebody_plays(stage: Stage) -> None:
    card = await greeted(stage, "new")
    guild = stage.discord.guild("new")
    boss = guild.member("boss", permissions=["manage_guild"])
    first = await boss.click(card, "welcome:start")
    assert first.ephemeral
    assert "who plays?" in first.card
    step = first.response
    assert step is not None
    second = await boss.select(step, "welcome:who", "bram")
    assert "when do they answer?" in second.card
    third = await boss.select(step, "welcome:when", "thread")
    assert "Ready" in third.card
    assert "**Bram**" in third.card
    place = Place(ChannelId(guild.channel("lobby").id), GuildId(guild.id))
    binding = await stage.troupe.casting.resolved(place)
    assert binding.mode is TriggerMode.THREAD
    assert set(binding.cast.values()) == {"bram"}


async def test_the_set_up_is_for_who_may_manage_the_server(stage: Stage) -> None:
    card = await greeted(stage, "newer")
    guest = stage.discord.guild("newer").member("guest", permissions=["manage_channels"])
    refused = await guest.click(card, "welcome:start")
    assert "Manage Server" in refused.text


async def test_a_server_that_is_joined_while_the_session_begins_is_greeted_too(
    stage: Stage,
) -> None:
    await in_session(stage)
    gateway = stage.discord.gateway
    sessions = gateway.identifies
    gateway.invalidate()
    await stage.discord.world.until(lambda: gateway.identifies > sessions, "a new session")
    await greeted(stage, "early")
    await in_session(stage)
    assert len(stage.discord.guild("early").channel("rules").from_bot) == 1
    assert stage.channel.from_bot == []  # one that was known before


async def test_an_outage_is_no_joining(stage: Stage) -> None:
    guild = stage.discord.guild("known", channels=["a"])  # a GUILD_CREATE that speaks of an outage
    await asyncio.sleep(0.3)
    assert guild.channel("a").from_bot == []


async def test_the_card_stands_in_the_first_channel_where_it_may(stage: Stage) -> None:
    await in_session(stage)
    guild = stage.discord.guild("picky", channels=["a", "b"])
    guild.channel("a").forbid_bot("send_messages")
    body = payloads.guild(guild.record, stage.discord.world)
    del body["unavailable"]  # a joining, not the end of an outage
    stage.discord.gateway.dispatch("GUILD_CREATE", body, guild_id=guild.id)
    await stage.discord.world.until(lambda: guild.channel("b").from_bot, "a card")
    assert guild.channel("a").from_bot == []
    guild.channel("b").forbid_bot("view_channel")
    await asyncio.sleep(0.1)
    body = payloads.guild(guild.record, stage.discord.world)
    del body["unavailable"]
    stage.discord.gateway.dispatch("GUILD_CREATE", body, guild_id=guild.id)
    await asyncio.sleep(0.3)
    assert len(guild.channel("b").from_bot) == 1
