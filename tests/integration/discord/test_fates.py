"""What Discord says of a message whose events nobody heard."""

from __future__ import annotations

from bot.adapters.discord.missed.fates import DiscordChannels
from bot.chat.arriving.looking_again import Fate
from bot.chat.place import ChannelId, GuildId, MessageId, Place
from tests.fakes.discord.handles import Place as Channel
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.state import Message
from tests.integration.discord.rig import asked, desk_at

GONE, AS_IT_WAS = Fate(gone=True), Fate()


async def fate(discord: FakeDiscord, channel: Channel, message: Message) -> Fate:
    async with desk_at(discord) as desk:
        place = asked(channel, message).place
        return await DiscordChannels(desk).fate(place, MessageId(message.id))


async def test_a_message_is_gone_when_it_is_deleted_or_hidden_by_its_author(
    discord: FakeDiscord,
) -> None:
    guild = discord.guild(channels=["tavern"], members=["alice", "bob"])
    tavern, alice, bob = guild.channel("tavern"), guild.member("alice"), guild.member("bob")
    asking = [await tavern.says(alice, f"number {n}?", mention_bot=True) for n in range(5)]
    deleted, slashed, covered, by_another, kept = asking
    await tavern.delete(deleted)
    await tavern.edit(slashed, f"<@{discord.bot_user.id}> // number 1?")
    for who, message in ((bob, covered), (alice, covered), (bob, by_another)):
        await tavern.react(who, message, "🙈")
    found = [await fate(discord, tavern, message) for message in asking]
    assert found == [GONE, GONE, GONE, AS_IT_WAS, AS_IT_WAS]
    assert kept.deleted_at is None


async def test_an_edited_message_says_what_it_says_now(discord: FakeDiscord) -> None:
    guild = discord.guild(channels=["tavern"], members=["alice"])
    tavern = guild.channel("tavern")
    message = await tavern.says(guild.member("alice"), "how tall?", mention_bot=True)
    await tavern.edit(message, f"<@{discord.bot_user.id}> how deep?")
    assert await fate(discord, tavern, message) == Fate(text="how deep?")


async def test_where_the_history_may_not_be_read_nothing_is_known(discord: FakeDiscord) -> None:
    guild = discord.guild(channels=["tavern"], members=["alice"])
    tavern = guild.channel("tavern")
    message = await tavern.says(guild.member("alice"), "how tall?", mention_bot=True)
    await tavern.delete(message)
    tavern.forbid_bot("read_message_history")
    assert await fate(discord, tavern, message) == AS_IT_WAS


async def test_the_message_that_a_thread_began_with_stands_in_the_channel(
    discord: FakeDiscord,
) -> None:
    guild = discord.guild(channels=["tavern"], members=["alice"])
    tavern, alice = guild.channel("tavern"), guild.member("alice")
    message = await tavern.says(alice, "how tall?", mention_bot=True)
    thread = await tavern.thread("heights", alice, starter=message)
    more = await tavern.says(alice, "and how deep?", mention_bot=True)
    in_the_thread = asked(thread, more).place
    async with desk_at(discord) as desk:
        channels = DiscordChannels(desk)
        assert await channels.fate(in_the_thread, MessageId(more.id)) == AS_IT_WAS
    assert await fate(discord, thread, message) == AS_IT_WAS
    await tavern.delete(message)
    assert await fate(discord, thread, message) == GONE


async def test_a_forum_s_post_stands_in_itself(discord: FakeDiscord) -> None:
    guild = discord.guild(members=["alice"])
    alice, forum = guild.member("alice"), guild.forum("questions")
    thread, message = await forum.post("heights", alice, "how tall?", mention_bot=True)
    assert await fate(discord, thread, message) == AS_IT_WAS
    await thread.edit(message, f"<@{discord.bot_user.id}> how deep?")
    assert await fate(discord, thread, message) == Fate(text="heights\nhow deep?")
    await thread.delete(message)
    assert await fate(discord, thread, message) == GONE


async def test_what_we_said_ourselves_is_nobody_s_edited_question(discord: FakeDiscord) -> None:
    guild = discord.guild(channels=["tavern"], members=["alice"])
    tavern = guild.channel("tavern")
    question = await tavern.says(guild.member("alice"), "how tall?", mention_bot=True)
    async with desk_at(discord) as desk:
        place = Place(ChannelId(tavern.id), GuildId(guild.id))
        posted = await desk.calls.send(tavern.id, {"content": "Tall."}, None)
        await desk.calls.edit(tavern.id, posted.id, {"content": "Very tall."}, None)
        assert question.deleted_at is None
        assert await DiscordChannels(desk).fate(place, MessageId(posted.id)) == AS_IT_WAS
