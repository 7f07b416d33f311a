"""The fake Discord as an unmodified discord.py bot meets it: what a bot writes."""

from __future__ import annotations

import asyncio
import io

import aiohttp
import discord
import pytest

from tests.fakes.discord import FakeDiscord, Message
from tests.integration.fakes.conftest import StartBot, channel_of


async def test_attachments_are_uploaded_and_downloaded(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    bot = await start_bot()
    file = discord.File(io.BytesIO(b"card"), "card.png")
    sent = await channel_of(bot, fake).send("take this", file=file)
    assert sent.attachments[0].filename == "card.png"
    assert sent.attachments[0].content_type == "image/png"
    assert await sent.attachments[0].read() == b"card"


async def test_an_answer_is_found_with_its_history(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    place, alice = fake.guild("home").channel("general"), fake.guild("home").member("alice")
    asked = await place.says(alice, "tell me", mention_bot=True)
    reply = await (await bot.hears(1))[0].reply("…")
    await asyncio.sleep(0.02)
    await reply.edit(content="Once")
    await reply.edit(content="Once upon a time")
    found = await place.next_reply(to=asked, quiet=0.05)
    assert [revision.content for revision in found.edits] == ["…", "Once", "Once upon a time"]
    assert found.first_visible_at is not None
    assert found.created_at < found.first_visible_at < found.final_at
    assert place.answer_to(asked) == "Once upon a time"


async def test_a_nonce_sends_once(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    channel = channel_of(bot, fake)
    first = await channel.send("hello", nonce="123-0")
    again = await channel.send("hello", nonce="123-0")
    assert again.id == first.id
    assert len(fake.guild("home").channel("general").messages) == 1


@pytest.mark.parametrize(
    ("allowed", "pinged"),
    [
        (discord.AllowedMentions.none(), set()),
        (discord.AllowedMentions(everyone=False, roles=False, users=True), {"user"}),
        (discord.AllowedMentions.all(), {"user", "role", "everyone"}),
        (None, {"user", "role", "everyone"}),
    ],
)
async def test_pings_are_worked_out(
    fake: FakeDiscord,
    start_bot: StartBot,
    allowed: discord.AllowedMentions | None,
    pinged: set[str],
) -> None:
    bot = await start_bot()
    guild = fake.guild("home")
    place, alice = guild.channel("general"), guild.member("alice")
    role = guild.role("friends", mentionable=True)
    place.allow_bot("mention_everyone")
    names = {alice.id: "user", role.id: "role", "everyone": "everyone"}
    text = f"@everyone <@{alice.id}> <@&{role.id}>"
    options = {"allowed_mentions": allowed} if allowed else {}
    await channel_of(bot, fake).send(text, **options)  # type: ignore[arg-type]
    assert {names[ping] for ping in place.messages[-1].pings} == pinged


async def test_everyone_is_not_pinged_without_the_permission(
    fake: FakeDiscord, start_bot: StartBot
) -> None:
    bot = await start_bot()
    await channel_of(bot, fake).send("@everyone")
    assert fake.guild("home").channel("general").messages[-1].pings == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 2001, 50035), ("", 50006), ("   ", 50006)],
    ids=["long", "no", "blank"],
)
async def test_a_text_out_of_bounds_is_refused(
    fake: FakeDiscord, start_bot: StartBot, text: str, code: int
) -> None:
    bot = await start_bot()
    with pytest.raises(discord.HTTPException) as caught:
        await channel_of(bot, fake).send(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("names", "code"), [(("send_messages",), 50013), (("view_channel",), 50001)]
)
async def test_missing_permissions_are_refused(
    fake: FakeDiscord, start_bot: StartBot, names: tuple[str, ...], code: int
) -> None:
    bot = await start_bot()
    channel = channel_of(bot, fake)
    fake.guild("home").channel("general").forbid_bot(*names)
    with pytest.raises(discord.Forbidden) as caught:
        await channel.send("hi")
    assert caught.value.code == code
    assert fake.rest.invalid_requests == 1


async def test_closed_direct_messages_are_refused(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    alice = fake.guild("home").member("alice")
    user = await bot.fetch_user(alice.id)
    assert (await user.send("psst")).channel.id == fake.dm(alice).id
    alice.closes_dms()
    with pytest.raises(discord.Forbidden) as caught:
        await user.send("psst")
    assert caught.value.code == 50007


async def test_webhooks_speak_under_any_name(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    guild = fake.guild("home")
    place, alice = guild.channel("general"), guild.member("alice")
    asked = await place.says(alice, "who are you?", mention_bot=True)
    hook = await channel_of(bot, fake).create_webhook(name="troupe")
    sent = await hook.send("I am Sage", username="Sage", avatar_url="http://x/a.png", wait=True)
    await sent.edit(content="I am Sage.")
    found: Message = await place.next_reply(to=asked, quiet=0)
    assert (found.author.name, found.content, found.avatar_url) == (
        "Sage",
        "I am Sage.",
        "http://x/a.png",
    )
    thread = await place.thread("aside", alice)
    inside = await hook.send("psst", thread=discord.Object(thread.id), wait=True)
    assert inside.id == thread.messages[-1].id
    await inside.delete()
    assert thread.messages == []
    heard = [message for message in bot.heard if message.webhook_id == hook.id]
    assert [message.author.name for message in heard] == ["Sage", "troupe"]


async def test_webhooks_have_limits(fake: FakeDiscord, start_bot: StartBot) -> None:
    bot = await start_bot()
    place, channel = fake.guild("home").channel("general"), channel_of(bot, fake)
    hook = await channel.create_webhook(name="troupe")
    with pytest.raises(discord.HTTPException) as name:
        await hook.send("hi", username="Clyde the wise")
    assert name.value.code == 50035
    place.remove_webhook(place.webhooks[0])
    with pytest.raises(discord.NotFound) as gone:
        await hook.send("hi")
    assert gone.value.code == 10015
    for _ in range(15):
        place.add_webhook()
    with pytest.raises(discord.HTTPException) as full:
        await channel.create_webhook(name="one more")
    assert full.value.code == 30007


@pytest.mark.parametrize("content", ["{not json", "[1]", ""])
async def test_a_body_that_is_no_object_is_refused(fake: FakeDiscord, content: str) -> None:
    headers = {"Authorization": f"Bot {fake.token}", "Content-Type": "application/json"}
    url = f"{fake.api_base}/channels/{fake.guild('home').channel('general').id}/messages"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(url, data=content) as response,
    ):
        assert (response.status, (await response.json())["code"]) == (400, 50109)
