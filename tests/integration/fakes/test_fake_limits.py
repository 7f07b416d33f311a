"""Rate limits and failures on demand, as a real client meets them, and the control API."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import discord
import pytest
import yarl

from tests.fakes import PATIENCE
from tests.fakes.discord import FakeDiscord, Place
from tests.fakes.discord.remote import RemoteDiscord, RemoteError, spawned
from tests.integration.fakes.conftest import ListeningBot, StartBot

SEND = "POST /channels/{channel}/messages"
EXECUTE = "POST /webhooks/{webhook}/{token}"


@pytest.fixture
async def bot(start_bot: StartBot) -> ListeningBot:
    return await start_bot()


@pytest.fixture
def place(fake: FakeDiscord) -> Place:
    return fake.guild("home").channel("general")


@pytest.fixture
def channel(bot: ListeningBot, place: Place) -> discord.TextChannel:
    found = bot.get_channel(place.id)
    assert isinstance(found, discord.TextChannel)
    return found


async def _burst(fake: FakeDiscord, path: str, times: int) -> list[aiohttp.ClientResponse]:
    headers = {"Authorization": f"Bot {fake.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def call() -> aiohttp.ClientResponse:
            async with session.get(fake.api_base + path) as response:
                await response.read()
                return response

        return await asyncio.gather(*(call() for _ in range(times)))


# Limits


async def test_a_paced_client_waits_for_its_bucket(
    fake: FakeDiscord, place: Place, channel: discord.TextChannel
) -> None:
    fake.rest.limits.enabled = True
    fake.rest.limits.buckets["send"] = (5, 0.3)
    begun = time.monotonic()
    for number in range(6):
        await channel.send(str(number))
    assert time.monotonic() - begun >= 0.3
    assert fake.rate_limited == 0
    assert len(place.messages) == 6


async def test_sends_and_edits_have_buckets_of_their_own(
    fake: FakeDiscord, channel: discord.TextChannel
) -> None:
    fake.rest.limits.enabled = True
    fake.rest.limits.buckets |= {"send": (2, 30.0), "edit": (2, 30.0)}
    sent = await channel.send("one")
    edit = channel.get_partial_message(sent.id).edit
    async with asyncio.timeout(PATIENCE):
        await edit(content="two")


async def test_a_429_tells_everything_a_client_needs(fake: FakeDiscord, place: Place) -> None:
    fake.rest.limits.enabled = True
    fake.rest.limits.buckets["history"] = (1, 30.0)
    first, second = await _burst(fake, f"/channels/{place.id}/messages", 2)
    assert first.headers["X-RateLimit-Remaining"] == "0"
    assert first.headers["X-RateLimit-Bucket"] == second.headers["X-RateLimit-Bucket"]
    assert first.headers["Content-Type"] == "application/json"
    assert second.status == 429
    assert second.headers["Via"]
    assert second.headers["X-RateLimit-Scope"] == "user"
    assert 0 < float(second.headers["X-RateLimit-Reset-After"]) <= 30
    assert fake.rest.invalid_requests == 1


async def test_fifty_calls_a_second_over_all(fake: FakeDiscord) -> None:
    fake.rest.limits.enabled = True
    fake.rest.limits.global_seconds = 30.0  # a slow machine must not open a new window
    answers = await _burst(fake, "/users/@me", 53)
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) == fake.rate_limited == 3
    assert refused[0].headers["X-RateLimit-Global"] == "true"
    assert json.loads(await _body(fake))["global"] is True


async def _body(fake: FakeDiscord) -> str:
    headers = {"Authorization": f"Bot {fake.token}"}
    url = f"{fake.api_base}/users/@me"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        return await response.text()


async def test_a_client_survives_a_429(
    fake: FakeDiscord, place: Place, channel: discord.TextChannel
) -> None:
    fake.rest.limits.enabled = True
    fake.rest.limits.buckets["webhook-send"] = (1, 0.2)
    hook = await channel.create_webhook(name="troupe")
    other = discord.Webhook.from_url(hook.url, session=hook.session)
    await asyncio.gather(hook.send("a", wait=True), other.send("b", wait=True))
    assert sorted(message.content for message in place.messages) == ["a", "b"]


async def test_latency_is_added_to_every_call(
    fake: FakeDiscord, channel: discord.TextChannel
) -> None:
    fake.latency = 0.08
    begun = time.monotonic()
    await channel.send("slow")
    assert time.monotonic() - begun >= 0.08


# Failures


async def test_a_webhook_answered_503_though_performed_is_posted_twice(
    fake: FakeDiscord, place: Place, channel: discord.TextChannel
) -> None:
    hook = await channel.create_webhook(name="troupe")
    fault = fake.fail(EXECUTE, status=503, performed=True)
    await hook.send("once?", wait=True)
    assert fault.hits == 1
    assert [message.content for message in place.messages] == ["once?", "once?"]


async def test_a_send_answered_502_though_performed_is_posted_once_by_its_nonce(
    fake: FakeDiscord, place: Place, channel: discord.TextChannel
) -> None:
    fake.fail(SEND, status=502, performed=True)
    await channel.send("once")
    assert len(place.messages) == 1
    assert fake.calls[SEND] == 2


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, 50013, discord.Forbidden),
        (404, 10003, discord.NotFound),
        (503, 0, discord.DiscordServerError),
    ],
)
async def test_an_answer_can_be_ordered(
    fake: FakeDiscord,
    place: Place,
    channel: discord.TextChannel,
    status: int,
    code: int,
    error: type[discord.HTTPException],
) -> None:
    fake.fail("POST /channels/{id}/messages", status=status, code=code)
    with pytest.raises(error) as caught:
        await channel.send("hi")
    assert caught.value.code == code
    assert place.messages == []
    await channel.send("hi")
    assert len(place.messages) == 1


async def test_a_connection_can_be_cut(
    fake: FakeDiscord, place: Place, channel: discord.TextChannel
) -> None:
    fake.fail(SEND, abort=True, performed=True)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await channel.send("did it arrive?")
    assert [message.content for message in place.messages] == ["did it arrive?"]


async def test_a_failure_can_look_at_the_call(
    fake: FakeDiscord, place: Place, channel: discord.TextChannel
) -> None:
    fake.fail(SEND, status=403, when=lambda call: call.json["content"] == "b", times=9)
    await channel.send("a")
    with pytest.raises(discord.Forbidden):
        await channel.send("b")
    assert [message.content for message in place.messages] == ["a"]


# By hand and from other processes


async def test_another_process_is_driven_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    async with spawned("--guild", "home", "--channel", "general") as remote:
        monkeypatch.setattr(discord.http.Route, "BASE", remote.api_base)
        gateway = yarl.URL(remote.gateway_url)
        monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", gateway)
        bot = ListeningBot(discord.Intents(guilds=True, guild_messages=True))

        async def answer(message: discord.Message) -> None:
            if not message.author.bot:
                await message.reply("hello yourself")

        bot.on_message = answer  # type: ignore[method-assign]
        running = asyncio.create_task(bot.start(remote.token))
        try:
            await remote.do("wait")
            said = await remote.do("say", content="hello", guild="home", mention_bot=True)
            (reply,) = await remote.do("reply", to=said["id"], quiet=0.05)
            assert reply["content"] == "hello yourself"
            assert reply["created_at"] > said["created_at"]
            state = await remote.do("state")
            assert state["calls"][SEND] == 1
            assert state["connected"]
            await remote.do("gateway", action="drop")
        finally:
            await bot.close()
            await running


async def test_the_control_api_says_what_is_wrong(fake: FakeDiscord) -> None:
    async with RemoteDiscord(fake.origin) as remote:
        with pytest.raises(RemoteError, match="no action"):
            await remote.do("dance")
        with pytest.raises(RemoteError, match="no message 7"):
            await remote.do("message", id=7)
        said = await remote.do("say", content="anybody?")
        with pytest.raises(TimeoutError, match="a reply to"):
            await remote.do("reply", to=said["id"], timeout=0.05)
