"""A reply whose place, message or permission goes while it is written is written no further.

Nothing is stored of what nobody may keep, and whoever asked is not left with half a reply.
"""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.place import MessageId
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Place
from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALE = " ".join(f"On day {day} the rope was {7 * day} metres longer." for day in range(1, 41))
UNCHANGEABLE = "Discord no longer lets me change this reply."


async def begun(stage: Stage, place: Place, *, rate: float = 20) -> Message:
    """Ask for a tale, and wait until its beginning stands there."""
    stage.ollama.set_pace(rate=rate)
    stage.ollama.reply_with(TALE)
    asked = await place.says(stage.guest, "tell me the tale of the pangolin", mention_bot=True)
    await stage.discord.world.until(lambda: "On day" in place.answer_to(asked), "a beginning")
    return asked


async def over(stage: Stage, asked: Message) -> None:
    """Wait until a question's turn is settled."""
    async with asyncio.timeout(PATIENCE):
        while await stage.troupe.stores.journal.is_open(MessageId(asked.id)):
            await asyncio.sleep(0.02)


async def broken_off(stage: Stage, asked: Message) -> None:
    """Wait until the turn is over; the model wrote no more of it than was wanted."""
    await over(stage, asked)
    assert stage.ollama.chats[-1].outcome == "cancelled"


async def kept(stage: Stage, place: Place) -> set[str]:
    """Return which parts of a place's conversation hold anything."""
    found = [key async for key in stage.troupe.stores.redis.scan_iter(f"*{{c:{place.id}}}*")]
    parts = {key.decode().rpartition(":")[2] for key in found}
    return parts - {"gone", "meta"}  # ids of what was deleted, and how often something was


async def kept_of_server(stage: Stage) -> set[str]:
    """Return which of a server's keys there are."""
    found = [key async for key in stage.troupe.stores.redis.scan_iter(f"*{{g:{stage.guild.id}}}*")]
    return {key.decode().partition("}:")[2] for key in found}


def undelivered(stage: Stage) -> float:
    """Return how many replies found their thread closed."""
    sample = stage.troupe.metrics.registry.get_sample_value
    return sample("troupe_replies_undelivered_total", {"why": "closed"}) or 0.0


async def asked_next(stage: Stage, place: Place) -> str:
    """Ask once more; return everything that the model is told."""
    stage.ollama.set_pace(rate=None)
    stage.ollama.reply_with("Fine.")
    asked = await place.says(stage.guest, "and now?", mention_bot=True)
    await stage.discord.world.until(lambda: "Fine." in place.answer_to(asked), "an answer")
    return str(stage.ollama.chats[-1].messages)


@pytest.mark.parametrize("when", ["while it is written", "when it stands there"])
async def test_a_server_that_removes_the_bot_leaves_nothing_of_its_talk(
    stage: Stage, when: str
) -> None:
    midway = when == "while it is written"
    asked = await begun(stage, stage.channel, rate=20 if midway else 2000)
    if not midway:
        await over(stage, asked)
    stage.guild.removes_bot()
    if midway:
        await broken_off(stage, asked)
    async with asyncio.timeout(PATIENCE):
        while await kept(stage, stage.channel) or await kept_of_server(stage):
            await asyncio.sleep(0.05)
    await stage.troupe.dispatcher.tally.flush(stage.troupe.stores.route_counts)
    assert await kept_of_server(stage) == set()
    stage.guild.adds_bot_again()
    prompt = await asked_next(stage, stage.channel)
    assert "pangolin" not in prompt
    assert "On day" not in prompt


@pytest.mark.parametrize(
    ("kind", "when"),
    [
        ("channel", "when it stands there"),
        ("channel", "while it is written"),
        ("thread", "when it stands there"),
        ("channel around a thread", "while it is written"),
    ],
)
async def test_a_channel_or_thread_that_is_deleted_takes_its_talk_along(
    stage: Stage, kind: str, when: str
) -> None:
    place = stage.guild.channel("for a while")
    if kind != "channel":
        place = await place.thread("for a while", stage.guest)
    midway = when == "while it is written"
    asked = await begun(stage, place, rate=20 if midway else 2000)
    if not midway:
        await over(stage, asked)
        await stage.discord.world.until(lambda: TALE in place.answer_to(asked), "the whole")
        assert {"rows", "lines", "accounts"} <= await kept(stage, place)
    around = kind == "channel around a thread"
    stage.guild.delete_channel(stage.guild.channel("for a while") if around else place)
    if midway:
        await broken_off(stage, asked)
    async with asyncio.timeout(PATIENCE):
        while await kept(stage, place):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("reply", [TALE, "So it was."], ids=["long", "short"])
async def test_a_reply_that_is_removed_before_we_know_of_it_leaves_nothing(
    stage: Stage, reply: str
) -> None:
    stage.ollama.set_pace(rate=20)
    stage.ollama.reply_with(reply)
    stage.discord.latency = 0.6
    asked = await stage.channel.says(stage.guest, "the tale of the pangolin", mention_bot=True)
    try:
        (posted,) = await stage.discord.world.until(
            lambda: stage.channel.replies_to(asked), "a beginning"
        )
        await stage.channel.delete(posted)  # the call that posted it is not answered yet
    finally:
        stage.discord.latency = 0.0
    await over(stage, asked)
    if reply == TALE:
        assert stage.ollama.chats[-1].outcome == "cancelled"
    assert stage.channel.from_bot == []
    prompt = await asked_next(stage, stage.channel)
    assert "On day" not in prompt
    assert "So it was" not in prompt


@pytest.mark.parametrize(
    ("webhooks", "status", "code"),
    [(True, 403, 50013), (False, 403, 50001), (False, 404, 10008)],
)
async def test_who_reads_half_a_reply_that_can_not_be_changed_is_told_so(
    stage: Stage, webhooks: bool, status: int, code: int
) -> None:
    place = stage.guild.channel(f"stiff {webhooks} {code}")
    if not webhooks:
        place.forbid_bot("manage_webhooks")
    asked = await begun(stage, place)
    route = "PATCH /channels/{channel}/messages/{message}"
    if webhooks:
        route = "PATCH /webhooks/{webhook}/{token}/messages/{message}"
    stage.discord.fail(route, status=status, code=code, times=50)
    await stage.discord.world.until(lambda: UNCHANGEABLE in place.answer_to(asked), "a notice")
    await broken_off(stage, asked)
    stage.discord.rest.faults.clear()
    assert "On day" not in await asked_next(stage, place)  # and the place is not left alone


async def test_who_reads_half_a_reply_where_nothing_can_be_said_any_more_gets_a_letter(
    stage: Stage,
) -> None:
    place = stage.guild.channel("dark")
    place.forbid_bot("manage_webhooks")
    asked = await begun(stage, place)
    place.forbid_bot("manage_webhooks", "view_channel")
    letters = stage.discord.dm(stage.guest)
    await stage.discord.world.until(lambda: letters.from_bot, "a letter")
    assert "View Channel" in letters.from_bot[-1].content
    await broken_off(stage, asked)


@pytest.mark.parametrize("webhooks", [True, False])
async def test_a_thread_that_is_archived_midway_opens_for_the_rest(
    stage: Stage, webhooks: bool
) -> None:
    parent = stage.guild.channel(f"archivist {webhooks}")
    if not webhooks:
        parent.forbid_bot("manage_webhooks")
    thread = await parent.thread("soon over", stage.guest)
    asked = await begun(stage, thread, rate=60)
    thread.archive()
    await over(stage, asked)
    (reply,) = thread.from_bot
    assert TALE in reply.content
    assert not thread.record.archived


@pytest.mark.parametrize(("webhooks", "archived"), [(True, False), (True, True), (False, True)])
async def test_who_reads_half_a_reply_in_a_thread_that_was_locked_gets_a_letter(
    stage: Stage, webhooks: bool, archived: bool
) -> None:
    parent = stage.guild.channel(f"locksmith {webhooks} {archived}")
    if not webhooks:
        parent.forbid_bot("manage_webhooks")
    thread = await parent.thread("soon locked", stage.guest)
    asked = await begun(stage, thread)
    before = undelivered(stage)
    thread.lock(archived=archived)
    letters = stage.discord.dm(stage.guest)
    await stage.discord.world.until(
        lambda: any(f"<#{thread.id}>: the thread is locked" in m.content for m in letters.from_bot),
        "a letter",
    )
    await broken_off(stage, asked)
    assert len(thread.from_bot) == 1
    assert undelivered(stage) == before + 1
