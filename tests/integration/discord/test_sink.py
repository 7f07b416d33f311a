"""A reply becoming visible in a Discord that enforces its rules."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import discord
import pytest
from aiohttp import ClientConnectionError

from bot.adapters.discord.calling.calls import Webhook
from bot.adapters.discord.calling.rest import ATTEMPTS
from bot.adapters.discord.speaking.desk import Desk
from bot.adapters.discord.speaking.sink import DiscordSink, SinkFactory
from bot.adapters.discord.speaking.voices import WebhookVoice
from bot.chat.place import MessageId
from bot.chat.turn import Trigger, Turn, TurnId
from bot.delivery.split import LIMIT
from bot.errors import DeliveryError, PermissionMissing, TargetGone
from bot.personas.portrait import portrait
from bot.ports import Controls, Face, Progress
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Person, Place
from tests.fakes.discord.server import FakeDiscord
from tests.integration.discord.rig import PNG, WREN, asked, desk_at

EXECUTE = "POST /webhooks/{webhook}/{token}"
SEND = "POST /channels/{channel}/messages"
EDIT_BY_WEBHOOK = "PATCH /webhooks/{webhook}/{token}/messages/{message}"


class Scene:
    """Somebody asked something in a channel."""

    def __init__(self, discord: FakeDiscord, desk: Desk) -> None:
        self.discord, self.desk = discord, desk
        self.guild = discord.guild(channels=["tavern"], members=["alice"])
        self.channel: Place = self.guild.channel("tavern")
        self.alice: Person = self.guild.member("alice")
        self.progress: list[Progress] = []

    async def ask(self, channel: Place | None = None) -> tuple[Turn, DiscordSink]:
        where = channel or self.channel
        message = await where.says(self.alice, "how tall is K2?", mention_bot=True)
        turn = asked(where, message)
        return turn, self.open(turn)

    def open(self, turn: Turn, progress: Progress | None = None) -> DiscordSink:
        return SinkFactory(self.desk).open(turn, WREN, progress, self.progress.append)

    async def visible(self) -> None:
        """Wait until the reply's first message stands there, and is noted."""
        async with asyncio.timeout(PATIENCE):
            while not self.progress:
                await asyncio.sleep(0.01)

    async def stream(self, sink: DiscordSink, seconds: float, *, every: float = 0.05) -> str:
        """Write for a while, as a model does; return the final text."""
        text = ""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            text += f"word{len(text)} "
            sink.show(text)
            await asyncio.sleep(every)
        return text + "end."


@pytest.fixture
def scene(discord: FakeDiscord, desk: Desk) -> Scene:
    return Scene(discord, desk)


async def test_a_reply_appears_under_the_persona_s_name_and_avatar(scene: Scene) -> None:
    turn, sink = await scene.ask()
    sink.begin()
    ids = await sink.finish("8,611 metres.")
    (reply,) = scene.channel.from_bot
    assert ids == (reply.id,)
    assert (reply.author.name, reply.content) == ("Wren", "8,611 metres.")
    assert reply.avatar_url is not None
    path = reply.avatar_url.removeprefix(scene.discord.origin)
    assert scene.discord.world.files[path][0] == portrait(PNG)
    assert reply.answers is not None
    assert reply.answers.id == turn.messages[0].id
    assert scene.progress[-1] == Progress(ids, reply.webhook_id, final=True)


async def test_without_the_permission_the_bot_speaks_under_the_persona_s_heading(
    scene: Scene,
) -> None:
    scene.channel.forbid_bot("manage_webhooks")
    _, sink = await scene.ask()
    await sink.finish("8,611 metres.")
    (reply,) = scene.channel.from_bot
    assert reply.content == "**Wren**\n8,611 metres."
    assert reply.author is scene.discord.bot_user
    assert reply.reference is not None


async def test_more_text_is_wanted_only_when_it_would_be_seen(scene: Scene) -> None:
    turn, _ = await scene.ask()
    just_shown: list[bool] = []

    def noted(_: Progress) -> None:
        just_shown.append(sink.ready())

    sink = SinkFactory(scene.desk).open(turn, WREN, None, noted)
    assert sink.ready()
    sink.show("8,611")
    async with asyncio.timeout(PATIENCE):
        while not just_shown or not sink.ready():
            await asyncio.sleep(0.01)
    assert just_shown == [False]


async def test_a_channel_full_of_webhooks_is_no_obstacle(scene: Scene) -> None:
    for number in range(15):
        scene.channel.add_webhook(f"hook {number}")
    _, sink = await scene.ask()
    await sink.finish("8,611 metres.")
    assert scene.channel.from_bot[0].content == "**Wren**\n8,611 metres."


async def test_a_dm_is_answered_by_the_bot_itself(scene: Scene) -> None:
    _, sink = await scene.ask(scene.discord.dm(scene.alice))
    await sink.finish("8,611 metres.")
    (reply,) = scene.discord.dm(scene.alice).from_bot
    assert reply.content == "**Wren**\n8,611 metres."


async def test_a_thread_is_answered_through_its_parent_s_webhook(scene: Scene) -> None:
    thread = await scene.channel.thread("mountains", scene.alice)
    _, sink = await scene.ask(thread)
    await sink.finish("8,611 metres.")
    (reply,) = thread.from_bot
    assert reply.author.name == "Wren"
    assert len(scene.channel.webhooks) == 1
    assert scene.channel.from_bot == []


async def test_many_replies_share_one_webhook_and_one_picture(scene: Scene) -> None:
    for _ in range(5):
        _, sink = await scene.ask()
        sink.begin()
    sinks = [(await scene.ask())[1] for _ in range(3)]
    await asyncio.gather(*(sink.finish("Yes.") for sink in sinks))
    assert len(scene.channel.webhooks) == 1
    assert scene.discord.calls["POST /channels/{channel}/webhooks"] == 1
    assert scene.discord.calls["POST /applications/{application}/emojis"] == 1


async def test_the_webhook_is_found_again_after_a_restart(scene: Scene) -> None:
    _, sink = await scene.ask()
    await sink.finish("Yes.")
    async with desk_at(scene.discord) as other:
        scene.desk = other
        _, sink = await scene.ask()
        await sink.finish("Yes again.")
    assert len(scene.channel.webhooks) == 1
    assert scene.discord.calls["POST /applications/{application}/emojis"] == 1


async def test_the_first_text_is_shown_at_once_and_the_last_one_soon(scene: Scene) -> None:
    _, sink = await scene.ask()
    sink.begin()
    await asyncio.sleep(0.4)
    scene.discord.latency = 0.08
    began = time.monotonic()
    text = await scene.stream(sink, 1.0)
    ended = time.monotonic()
    await sink.finish(text)
    (reply,) = scene.channel.from_bot
    assert reply.edits[0].at - began < 0.15
    assert reply.final_at - ended < 0.3
    assert reply.content == text


async def test_a_stream_never_freezes_for_two_seconds(scene: Scene) -> None:
    scene.discord.rest.limits.enabled = True
    scene.discord.latency = 0.08
    _, sink = await scene.ask()
    sink.begin()
    text = await scene.stream(sink, 7.0)
    await sink.finish(text)
    (reply,) = scene.channel.from_bot
    assert max(reply.freezes) < 2.0
    assert len(reply.edits) <= 8
    assert scene.discord.rate_limited == 0


async def test_two_streams_in_one_channel_grow_as_often_as_its_limit_permits(
    scene: Scene,
) -> None:
    scene.channel.forbid_bot("manage_webhooks")  # the bot's own edits: five in five seconds
    scene.discord.rest.limits.enabled = True
    sinks = [(await scene.ask())[1] for _ in range(2)]
    texts = await asyncio.gather(*(scene.stream(sink, 7.0) for sink in sinks))
    await asyncio.gather(*(sink.finish(t) for sink, t in zip(sinks, texts, strict=True)))
    replies = scene.channel.from_bot
    assert [reply.content for reply in replies] == [f"**Wren**\n{text}" for text in texts]
    assert max(gap for reply in replies for gap in reply.freezes) < 2.4  # it was 2.5
    assert scene.discord.rate_limited == 0


async def test_streams_in_threads_of_a_channel_share_its_webhook_s_limit(scene: Scene) -> None:
    threads = [await scene.channel.thread(f"talk {n}", scene.alice) for n in range(3)]
    scene.discord.rest.limits.buckets["webhook-edit"] = (5, 5.0)
    sinks = [(await scene.ask(thread))[1] for thread in threads]
    await sinks[0].finish("The webhook is there.")
    scene.discord.rest.limits.enabled = True
    sinks = [(await scene.ask(thread))[1] for thread in threads]
    texts = await asyncio.gather(*(scene.stream(sink, 8.0) for sink in sinks))
    await asyncio.gather(*(sink.finish(t) for sink, t in zip(sinks, texts, strict=True)))
    replies = [thread.from_bot[-1] for thread in threads]
    assert [reply.content for reply in replies] == texts
    growing = [gap for reply in replies for gap in reply.freezes[:-1]]
    assert max(growing) < 3.4  # all three end at once, and their ends wait for each other
    assert scene.discord.rate_limited == 0


async def test_showing_never_waits_however_slow_discord_is(scene: Scene) -> None:
    _, sink = await scene.ask()
    scene.discord.latency = 0.4
    began = time.monotonic()
    for number in range(2000):
        sink.show("word " * (number % 100 + 1))
    assert time.monotonic() - began < 4.0  # to wait for each would take 800
    await sink.finish("The end.")
    assert scene.channel.from_bot[0].content == "The end."


async def test_a_long_reply_is_split_while_it_grows(scene: Scene) -> None:
    _, sink = await scene.ask()
    text = ""
    for number in range(400):
        text += f"Sentence number {number} of a long tale. "
        sink.show(text)
        if number % 50 == 0:
            await asyncio.sleep(0.05)
    ids = await sink.finish(text)
    shown = scene.channel.from_bot
    assert [message.id for message in shown] == list(ids)
    assert " ".join(message.content for message in shown) == text.strip()
    assert len(shown) == 8
    assert all(len(message.content) <= 2000 for message in shown)


async def test_code_survives_the_split(scene: Scene) -> None:
    _, sink = await scene.ask()
    code = "\n".join(f"print({number})  # a line of code" for number in range(150))
    await sink.finish(f"Here:\n```python\n{code}\n```\nDone.")
    shown = [message.content for message in scene.channel.from_bot]
    assert len(shown) == 3
    assert all(message.count("```") == 2 for message in shown)
    assert all(message.startswith("```python\n") for message in shown[1:])


async def test_an_empty_text_is_never_sent(scene: Scene) -> None:
    _, sink = await scene.ask()
    sink.show("")
    sink.show("  \n")
    assert await sink.finish("\u200b") == ()
    assert scene.discord.calls[SEND] + scene.discord.calls[EXECUTE] == 0


async def test_nothing_that_a_model_writes_notifies_anybody(scene: Scene) -> None:
    bob = scene.guild.member("bob")
    _, sink = await scene.ask()
    await sink.finish(f"@everyone {bob.mention} look")
    assert scene.channel.from_bot[0].pings == ()


async def test_a_503_that_was_performed_does_not_post_twice(scene: Scene) -> None:
    scene.discord.fail(EXECUTE, status=503, performed=True)
    _, sink = await scene.ask()
    ids = await sink.finish("Once.")
    (reply,) = scene.channel.from_bot
    assert ids == (reply.id,)


async def test_a_503_that_was_not_performed_is_tried_again(scene: Scene) -> None:
    scene.discord.fail(EXECUTE, status=503)
    _, sink = await scene.ask()
    await sink.finish("Once.")
    assert [message.content for message in scene.channel.from_bot] == ["Once."]


async def test_a_lost_answer_does_not_post_twice(scene: Scene) -> None:
    scene.discord.fail(EXECUTE, abort=True, performed=True)
    _, sink = await scene.ask()
    await sink.finish("Once.")
    assert [message.content for message in scene.channel.from_bot] == ["Once."]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_the_bot_s_own_message_is_not_posted_twice_either(scene: Scene, status: int) -> None:
    scene.channel.forbid_bot("manage_webhooks")
    scene.discord.fail(SEND, status=status, performed=True)
    _, sink = await scene.ask()
    await sink.finish("Once.")
    assert [message.content for message in scene.channel.from_bot] == ["**Wren**\nOnce."]


async def test_what_two_processes_say_about_a_question_stands_there_once(scene: Scene) -> None:
    """Both heard it while the store was away, and neither knows of the other."""
    turn, one = await scene.ask()
    async with desk_at(scene.discord) as desk:
        other = SinkFactory(desk).open(turn, WREN, None, lambda _: None)
        await asyncio.gather(one.notice("Not now."), other.notice("Not now."))
        await other.notice("Nor now.")
    assert [message.content for message in scene.channel.from_bot] == ["Not now.", "Nor now."]


async def test_later_parts_are_not_posted_twice(scene: Scene) -> None:
    _, sink = await scene.ask()
    scene.discord.fail(
        EXECUTE, status=503, performed=True, when=lambda call: "embeds" not in call.json
    )
    text = "word " * 700
    await sink.finish(text)
    assert " ".join(m.content for m in scene.channel.from_bot) == text.strip()


@pytest.mark.parametrize("fault", [{"abort": True}, {"status": 503}], ids=["dropped", "503"])
async def test_a_reply_of_one_word_is_finished_once_discord_takes_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    monkeypatch.setattr("bot.adapters.discord.speaking.writer._BACK_OFF", 0.0)
    monkeypatch.setattr("bot.adapters.discord.calling.rest._BACK_OFF", [0.0] * ATTEMPTS)
    _, sink = await scene.ask()
    sink.show("The")
    await scene.visible()
    away = scene.discord.fail(EDIT_BY_WEBHOOK, times=99, **fault)
    finishing = asyncio.create_task(sink.finish("The peak is 8,611 metres high."))
    async with asyncio.timeout(PATIENCE):
        while away.hits < 4 * ATTEMPTS:
            assert not finishing.done()
            await asyncio.sleep(0.01)
    scene.discord.rest.faults.clear()
    await finishing
    (reply,) = scene.channel.from_bot
    assert reply.content == "The peak is 8,611 metres high."


async def test_an_edit_that_fails_in_between_loses_nothing(scene: Scene) -> None:
    scene.discord.fail(EDIT_BY_WEBHOOK, status=500, times=2)
    _, sink = await scene.ask()
    sink.show("The")
    await scene.visible()
    await sink.finish("The end.")
    assert [message.content for message in scene.channel.from_bot] == ["The end."]


async def test_a_429_loses_nothing(scene: Scene) -> None:
    scene.discord.rest.limits.enabled = True
    # A limit much lower than the one we take it for.
    for name in ("webhook-send", "webhook-edit"):
        scene.discord.rest.limits.buckets[name] = (1, 0.7)
    sinks = [(await scene.ask())[1] for _ in range(5)]
    await asyncio.gather(*(sink.finish("Yes.") for sink in sinks))
    assert len(scene.channel.from_bot) == 5
    assert 0 < scene.discord.rate_limited <= 4  # after the first refusals the limit is known


async def test_a_webhook_that_an_admin_removed_is_made_anew(scene: Scene) -> None:
    _, sink = await scene.ask()
    await sink.finish("One.")
    scene.channel.remove_webhook(scene.channel.webhooks[0])
    _, sink = await scene.ask()
    await sink.finish("Two.")
    assert [m.content for m in scene.channel.from_bot] == ["One.", "Two."]
    assert scene.channel.from_bot[1].author.name == "Wren"


async def test_nobody_gets_a_sign_who_did_not_ask_us(scene: Scene) -> None:
    scene.channel.forbid_bot("send_messages", "add_reactions")
    scene.desk.permissions_at = lambda _: discord.Permissions(view_channel=True)
    turn, sink = await scene.ask()
    factory = SinkFactory(scene.desk)
    for trigger in (Trigger.AUTO, Trigger.MENTION):
        sink = factory.open(replace(turn, trigger=trigger), WREN, None, scene.progress.append)
        with pytest.raises(PermissionMissing):
            await sink.notice("Sorry.")
    dm = scene.discord.dm(scene.alice)
    await scene.discord.world.until(lambda: dm.from_bot, "a letter")
    assert len(dm.from_bot) == 1


async def test_a_reply_whose_webhook_is_removed_goes_on_in_another_message(scene: Scene) -> None:
    _, sink = await scene.ask()
    sink.show("One, two,")
    await scene.visible()
    scene.channel.remove_webhook(scene.channel.webhooks[0])
    (last,) = await sink.finish("One, two, three, four.")
    assert [m.content for m in scene.channel.from_bot] == ["One, two,", "three, four."]
    assert scene.channel.from_bot[1].author.name == "Wren"
    assert last == scene.channel.from_bot[1].id


async def test_it_goes_on_in_the_bot_s_own_voice_where_no_webhook_may_be(scene: Scene) -> None:
    _, sink = await scene.ask()
    sink.show("One, two,")
    await scene.visible()
    scene.channel.forbid_bot("manage_webhooks")
    scene.channel.remove_webhook(scene.channel.webhooks[0])
    await sink.finish("One, two, three, four.")
    assert [m.content for m in scene.channel.from_bot] == [
        "One, two,",
        "**Wren**\nthree, four.",
    ]


async def test_a_channel_that_refuses_us_is_left_alone_for_a_while(scene: Scene) -> None:
    scene.channel.forbid_bot("send_messages", "manage_webhooks")
    _, sink = await scene.ask()
    with pytest.raises(PermissionMissing) as missing:
        await sink.finish("Hello?")
    assert missing.value.permission == "Send Messages"
    refused = scene.discord.rest.invalid_requests
    _, sink = await scene.ask()
    with pytest.raises(PermissionMissing):
        await sink.finish("Hello?")
    assert scene.discord.rest.invalid_requests == refused


async def test_a_channel_that_is_gone_is_said_to_be_gone(scene: Scene) -> None:
    _, sink = await scene.ask()
    scene.guild.delete_channel(scene.channel)
    with pytest.raises(TargetGone):
        await sink.finish("Hello?")


async def test_a_reply_that_a_moderator_removed_is_not_posted_again(scene: Scene) -> None:
    _, sink = await scene.ask()
    sink.show("Something rude")
    await scene.visible()
    await scene.channel.delete(*scene.channel.from_bot)
    with pytest.raises(TargetGone):
        await sink.finish("Something rude indeed.")
    assert scene.channel.from_bot == []


async def test_a_typing_call_that_fails_loses_no_reply(scene: Scene) -> None:
    scene.discord.fail("POST /channels/{channel}/typing", status=500, times=20)
    _, sink = await scene.ask()
    sink.begin()
    await sink.finish("Yes.")
    assert scene.channel.from_bot[0].content == "Yes."


async def test_typing_is_shown_until_there_is_text(scene: Scene) -> None:
    _, sink = await scene.ask()
    sink.begin()
    await scene.discord.world.until(lambda: scene.channel.typings, "typing")
    await sink.finish("Yes.")
    assert len(scene.channel.typings) == 1


async def test_withdrawing_removes_a_reply_that_is_just_being_posted(scene: Scene) -> None:
    _, sink = await scene.ask()
    sink.begin()
    await asyncio.sleep(0.1)
    scene.discord.latency = 0.3
    sink.show("A secret")
    await asyncio.sleep(0.1)
    await sink.withdraw()
    assert scene.channel.from_bot == []
    sink.show("A secret again")
    await asyncio.sleep(0.5)
    assert scene.channel.from_bot == []


async def test_a_notice_comes_after_what_is_visible_in_the_bot_s_own_voice(scene: Scene) -> None:
    _, sink = await scene.ask()
    sink.show("It is")
    await scene.visible()
    sink.show("It is about")
    await sink.notice("-# The model broke off here.")
    assert [m.content for m in scene.channel.from_bot] == [
        "It is about",
        "-# The model broke off here.",
    ]
    assert scene.channel.from_bot[1].author is scene.discord.bot_user


async def test_discord_away_is_a_delivery_error_and_not_a_hang(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.discord.calling.rest._BACK_OFF", (0.05,) * 4)
    monkeypatch.setattr("bot.adapters.discord.speaking.writer._TRIES", 1)
    _, sink = await scene.ask()
    await scene.discord.stop()
    with pytest.raises(DeliveryError):
        async with asyncio.timeout(PATIENCE):
            await sink.finish("Hello?")


async def test_a_call_after_the_end_opens_no_connection_that_nobody_would_close(
    scene: Scene,
) -> None:
    await scene.desk.calls.typing(scene.channel.id)
    await scene.desk.close(0.1)
    scene.discord.forget_calls()
    with pytest.raises(ClientConnectionError, match="closed"):
        await scene.desk.calls.typing(scene.channel.id)
    assert not scene.discord.calls


# ── after a restart ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("webhooks", [True, False])
async def test_a_half_written_reply_is_continued(scene: Scene, webhooks: bool) -> None:
    if not webhooks:
        scene.channel.forbid_bot("manage_webhooks")
    turn, sink = await scene.ask()
    sink.show("It is")
    await scene.visible()
    noted = scene.progress[-1]
    async with desk_at(scene.discord) as successor:
        scene.desk = successor
        ids = await scene.open(turn, noted).finish("It is 8,611 metres.")
    (reply,) = scene.channel.from_bot
    assert ids == noted.reply_ids == (MessageId(reply.id),)
    assert reply.content.endswith("It is 8,611 metres.")


@pytest.mark.parametrize("webhooks", [True, False])
async def test_a_reply_that_was_posted_but_not_noted_is_found(scene: Scene, webhooks: bool) -> None:
    if not webhooks:
        scene.channel.forbid_bot("manage_webhooks")
    turn, sink = await scene.ask()
    sink.show("It is")
    await scene.visible()
    scene.discord.posting.forget_nonces()  # minutes later
    async with desk_at(scene.discord) as successor:
        scene.desk = successor
        await scene.open(turn, Progress()).finish("It is 8,611 metres.")
    assert len(scene.channel.from_bot) == 1


@pytest.mark.parametrize("noted", [True, False])
async def test_what_another_of_our_webhooks_began_is_continued_through_it(
    scene: Scene, noted: bool
) -> None:
    """Two processes that begin at once may have made one each."""
    turn, _ = await scene.ask()
    _, newer = [await scene.desk.calls.create_webhook(scene.channel.id, "x") for _ in range(2)]
    hook = Webhook(int(newer["id"]), str(newer["token"]))
    begun = await WebhookVoice(scene.desk.calls, turn, hook, "Wren").send(0, "It is", [], None)
    progress = Progress((MessageId(begun.id),), hook.id) if noted else Progress()
    ids = await scene.open(turn, progress).finish("It is 8,611 metres.")
    assert ids == (MessageId(begun.id),)
    assert [m.content for m in scene.channel.from_bot] == ["It is 8,611 metres."]


async def test_a_shorter_reply_after_the_restart_leaves_no_rest_of_the_longer_one(
    scene: Scene,
) -> None:
    turn, sink = await scene.ask()
    await sink.finish("word " * 900)
    noted = scene.progress[-1]
    assert len(noted.reply_ids) == 3
    async with desk_at(scene.discord) as successor:
        scene.desk = successor
        await scene.open(turn, noted).finish("Short.")
    assert [m.content for m in scene.channel.from_bot] == ["Short."]


@pytest.mark.parametrize("webhooks", [True, False])
@pytest.mark.parametrize("rewritten", ["Short.", "other " * 500])
async def test_a_further_message_that_was_posted_but_not_noted_is_the_reply_s_own(
    scene: Scene, webhooks: bool, rewritten: str
) -> None:
    """The crash came between the two; what the successor writes may be longer or shorter."""
    if not webhooks:
        scene.channel.forbid_bot("manage_webhooks")
    turn, sink = await scene.ask()
    sink.show("word " * 500)
    async with asyncio.timeout(PATIENCE):
        while len(scene.channel.from_bot) < 2:
            await asyncio.sleep(0.01)
    await successor_finishes(scene, turn, rewritten)
    said = " ".join(m.content for m in scene.channel.from_bot).removeprefix("**Wren**\n")
    assert said.split() == rewritten.split()


@pytest.mark.parametrize("webhooks", [True, False])
async def test_a_message_in_the_middle_that_was_not_noted_is_not_posted_again(
    scene: Scene, webhooks: bool
) -> None:
    """The crash came after the second of three, which never has buttons."""
    if not webhooks:
        scene.channel.forbid_bot("manage_webhooks")
    turn, sink = await scene.ask()
    await sink.finish("word " * 900)
    *begun, last = scene.channel.from_bot
    scene.channel.record.messages.pop(last.id)
    ids = await successor_finishes(scene, turn, "word " * 900)
    assert ids[:2] == tuple(m.id for m in begun)
    assert len(scene.channel.from_bot) == len(ids) == 3
    assert scene.channel.from_bot[-1].components


async def successor_finishes(scene: Scene, turn: Turn, text: str) -> tuple[MessageId, ...]:
    """Let another process end a reply of which only the first message was noted, minutes later."""
    scene.discord.posting.forget_nonces()
    noted = scene.progress[-1]
    first = replace(noted, reply_ids=noted.reply_ids[:1], final=False)
    async with desk_at(scene.discord) as successor:
        scene.desk = successor
        return await scene.open(turn, first).finish(text, Controls(turn.id))


async def amended(scene: Scene, turn: Turn, noted: Progress) -> bool:
    """Let a successor mark what it finds."""

    def mark(shown: str, room: int, *, complete: bool) -> str | None:
        return None if complete else f"{shown} … ({room})"

    async with desk_at(scene.discord) as successor:
        return await SinkFactory(successor).amend(turn, Face("", "troupe"), noted, mark)


@pytest.mark.parametrize("webhooks", [True, False])
@pytest.mark.parametrize("noted", [True, False])
async def test_what_nobody_goes_on_with_is_marked_where_it_stands(
    scene: Scene, webhooks: bool, noted: bool
) -> None:
    if not webhooks:
        scene.channel.forbid_bot("manage_webhooks")
    turn, sink = await scene.ask()
    sink.show("It is")
    await scene.visible()
    header = "" if webhooks else "**Wren**\n"
    assert await amended(scene, turn, scene.progress[-1] if noted else Progress())
    (reply,) = scene.channel.from_bot
    assert (reply.content, reply.components) == (f"{header}It is … ({LIMIT - len(header)})", [])


async def test_only_the_last_message_of_a_long_reply_is_marked(scene: Scene) -> None:
    turn, sink = await scene.ask()
    sink.show("word " * 500)
    async with asyncio.timeout(PATIENCE):
        while len(scene.channel.from_bot) < 2:
            await asyncio.sleep(0.01)
    assert await amended(scene, turn, scene.progress[-1])
    assert ["…" in reply.content for reply in scene.channel.from_bot] == [False, True]


@pytest.mark.parametrize("controls", [Controls(TurnId("7")), None])
async def test_a_reply_to_which_nothing_is_missing_is_left_alone(
    scene: Scene, controls: Controls | None
) -> None:
    turn, sink = await scene.ask()
    await sink.finish("It is 8,611 metres.", controls)
    (reply,) = scene.channel.from_bot
    below = reply.components
    assert await amended(scene, turn, scene.progress[-1])
    assert (reply.content, reply.components) == ("It is 8,611 metres.", below)


async def test_a_line_about_the_wait_goes_and_leaves_nothing(scene: Scene) -> None:
    turn, sink = await scene.ask()
    sink.wait("-# Waking the model…")
    await scene.channel.next_reply(quiet=0)
    async with desk_at(scene.discord) as successor:
        factory, nothing = SinkFactory(successor), Progress()
        assert not await factory.amend(turn, WREN, nothing, lambda *_, complete: "")
        assert scene.channel.from_bot == []
        assert not await factory.amend(turn, WREN, nothing, lambda *_, complete: "")


async def test_nothing_is_said_about_a_reply_that_a_moderator_removed(scene: Scene) -> None:
    turn, sink = await scene.ask()
    sink.show("It is")
    await scene.visible()
    await scene.channel.delete(*scene.channel.from_bot)
    assert await amended(scene, turn, scene.progress[-1])
    assert scene.channel.from_bot == []


async def test_other_faces_get_other_names(scene: Scene) -> None:
    message = await scene.channel.says(scene.alice, "hello", mention_bot=True)
    turn = asked(scene.channel, message)
    face = Face("d", "Discord Clyde")
    await SinkFactory(scene.desk).open(turn, face, None, lambda _: None).finish("Hi.")
    assert scene.channel.from_bot[0].author.name.replace("\u200b", "") == "Discord Clyde"


async def test_what_another_process_answers_is_left_alone(scene: Scene) -> None:
    turn, _ = await scene.ask()
    owned = True

    async def ours() -> bool:
        return owned

    sink = SinkFactory(scene.desk).open(turn, WREN, None, scene.progress.append, ours)
    sink.show("K2 is")
    reply = await scene.channel.next_reply(quiet=0)
    owned = False  # it was frozen, and its lease ran out
    with pytest.raises(DeliveryError, match="another process"):
        await sink.finish("K2 is -- the model broke off here.")
    assert reply.content == "K2 is"
