"""The fake Discord as an unmodified discord.py bot meets it: its gateway and what it reads."""

from __future__ import annotations

import aiohttp
import discord
import pytest

from tests.fakes.discord import FakeDiscord
from tests.integration.fakes.conftest import StartBot, channel_of, until

# Connecting


async def test_a_bot_connects_and_knows_its_guild(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    assert bot.user is not None
    assert bot.user.id == fake.bot_user.id
    assert [guild.name for guild in bot.guilds] == ["home"]
    assert channel_of(bot, fake).permissions_for(bot.guilds[0].me).manage_webhooks
    assert fake.gateway.identifies == 1


async def test_a_wrong_token_is_refused(fake: FakeDiscord) -> None:
    async with discord.Client(intents=discord.Intents.none()) as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")


async def test_an_intent_that_was_not_granted_closes_the_connection(fake: FakeDiscord) -> None:
    fake.gateway.privileged_intents = 0
    async with discord.Client(intents=discord.Intents(message_content=True)) as client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(fake.token)


async def test_events_go_to_the_shard_that_owns_the_guild(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    guild, alice = fake.guild("home"), fake.guild("home").member("alice")
    owner = (guild.id >> 22) % 2
    bots = [await start_bot(shard_id=shard, shard_count=2) for shard in (0, 1)]
    await guild.channel("general").says(alice, "hi")
    await fake.dm(alice).says(alice, "hello")
    await until(lambda: sum(len(bot.heard) for bot in bots) == 2)
    heard = [[message.content for message in bot.heard] for bot in bots]
    assert "hi" in heard[owner]
    assert "hello" in heard[0]


@pytest.mark.parametrize("way", ["drop", "reconnect", "close"])
async def test_a_broken_connection_is_resumed_and_nothing_is_lost(
    fake: FakeDiscord, start_bot: StartBot, way: str
) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    if way == "drop":
        await fake.gateway.drop()
    elif way == "reconnect":
        fake.gateway.reconnect()
    else:
        await fake.gateway.close(4000)
    await place.says(alice, "while you were away")
    heard = await bot.hears(1)
    await until(lambda: fake.gateway.resumes == 1)
    assert [message.content for message in heard] == ["while you were away"]
    assert fake.gateway.identifies == 1


async def test_a_resume_can_repeat_a_message(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    message = await place.says(alice, "once")
    await bot.hears(1)
    await fake.gateway.drop_and_replay(message)
    assert [item.id for item in await bot.hears(2)] == [message.id, message.id]


async def test_an_invalid_session_makes_the_bot_identify_anew(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    await start_bot()
    fake.gateway.invalidate()
    await until(lambda: fake.gateway.identifies == 2)


async def test_an_outage_refuses_connections_and_events_wait(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    await fake.gateway.down()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.ws_connect(fake.gateway_url)
    await place.says(alice, "is anybody there?")
    await fake.gateway.up()
    assert (await bot.hears(1))[0].content == "is anybody there?"


async def test_heartbeats_are_acknowledged_until_silenced(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    fake.gateway.heartbeat_interval = 0.05
    bot = await start_bot(heartbeat_timeout=60.0)
    await until(lambda: fake.gateway.heartbeats > 2)
    assert bot.latency < 1
    fake.gateway.silence()
    sent = fake.gateway.heartbeats
    await until(lambda: fake.gateway.heartbeats > sent + 1)  # acks on their way have come
    ack = bot.ws._keep_alive._last_ack  # type: ignore[union-attr]
    sent = fake.gateway.heartbeats
    await until(lambda: fake.gateway.heartbeats > sent + 2)
    assert bot.ws._keep_alive._last_ack == ack  # type: ignore[union-attr]


# Reading


async def test_without_the_intent_only_addressed_messages_have_content(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    bot = await start_bot(content=False)
    guild = fake.guild("home")
    place, alice = guild.channel("general"), guild.member("alice")
    file = ("note.txt", b"x", "text/plain")
    await place.says(alice, "secret", attachments=[file], embeds=[{"title": "t"}])
    await place.says(alice, "for you", mention_bot=True)
    await fake.dm(alice).says(alice, "in private")
    hidden, asked, private = await bot.hears(3)
    assert (hidden.content, hidden.attachments, hidden.embeds) == ("", [], [])
    assert asked.content.endswith("for you")
    assert private.content == "in private"
    own = await channel_of(bot, fake).send("mine")
    seen = {m.id: m.content async for m in channel_of(bot, fake).history()}
    assert seen[hidden.id] == ""
    assert seen[own.id] == "mine"


async def test_a_ping_reply_carries_content_and_its_source(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    bot = await start_bot(content=False)
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    await channel_of(bot, fake).send("a question?")
    source = place.messages[-1]
    await place.says(alice, "an answer", reply_to=source)
    await place.says(alice, "a silent one", reply_to=source, ping=False)
    loud, silent = (await bot.hears(3))[1:]
    assert loud.content == "an answer"
    assert isinstance(loud.reference.resolved, discord.Message)  # type: ignore[union-attr]
    assert loud.reference.resolved.content == "a question?"  # type: ignore[union-attr]
    assert silent.content == ""


async def test_edits_deletes_and_unfurling_arrive_raw(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    messages = [await place.says(alice, text) for text in ("one", "two", "three")]
    await place.edit(messages[0], "uno")
    await place.unfurl(messages[0])
    await place.delete(messages[0])
    await place.delete(*messages[1:])
    await until(lambda: len(bot.raw_deletes) == 3)
    edit, unfurled = bot.raw_edits
    assert edit.message.content == "uno"
    assert edit.message.edited_at is not None
    assert edit.data["edited_timestamp"] == unfurled.data["edited_timestamp"]
    assert unfurled.data["embeds"]
    assert bot.raw_deletes == [message.id for message in messages]


async def test_an_unfurl_of_an_unedited_message_has_no_edit_time(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    await place.unfurl(await place.says(alice, "see https://example.org/"))
    await until(lambda: len(bot.raw_edits) == 1)
    assert bot.raw_edits[0].data["edited_timestamp"] is None


async def test_history_pages_in_every_direction(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    sent = [await place.says(alice, f"m{number}") for number in range(9)]
    channel = channel_of(bot, fake)

    async def texts(**bounds: object) -> list[str]:
        return [m.content async for m in channel.history(**bounds)]  # type: ignore[arg-type]

    middle = discord.Object(sent[4].id)
    assert await texts(limit=2) == ["m8", "m7"]
    assert await texts(limit=2, before=middle) == ["m3", "m2"]
    assert await texts(limit=2, after=middle) == ["m5", "m6"]
    assert sorted(await texts(limit=3, around=middle)) == ["m3", "m4", "m5"]


async def test_a_thread_repeats_its_starter(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    starter = await place.says(alice, "let us talk")
    thread = await place.thread("talk", alice, starter=starter)
    await thread.says(alice, "inside")
    first, repeated, inside = await bot.hears(3)
    assert first.id == repeated.id == thread.id
    assert repeated.channel.id == thread.id
    assert isinstance(inside.channel, discord.Thread)
    assert inside.channel.parent_id == place.id


async def test_reactions_go_both_ways(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    sent = await channel_of(bot, fake).send("rate me")
    await sent.add_reaction("👍")
    await place.react(alice, place.messages[-1], "👎")
    await until(lambda: bot.reactions == ["👍", "👎"])
    assert place.messages[-1].reactions == {"👍": [fake.bot_user.id], "👎": [alice.id]}


async def test_a_person_is_seen_typing(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    seen: list[int] = []

    @bot.listen("on_raw_typing")
    async def note(event: discord.RawTypingEvent) -> None:
        seen.append(event.user_id)

    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    await place.types(alice)
    await until(lambda: seen == [alice.id])
