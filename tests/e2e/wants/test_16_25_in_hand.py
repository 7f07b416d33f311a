"""What people hold in their own hands: wants 16 to 25."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.troupe import Scene, contents, own_words, until
from tests.e2e.wants.seeing import (
    buttons,
    comes_true,
    imported,
    knows,
    press,
    prompt,
    reads,
    shown,
    with_buttons,
)
from tests.integration.discord.commands.cards import json_card

pytestmark = pytest.mark.asyncio(loop_scope="package")

TALE = " ".join(f"On day {day} the rope was {7 * day} metres longer." for day in range(1, 41))


async def test_i_can_regenerate_swipe_and_stop(scene: Scene) -> None:
    """16 · Regenerate, swipe, stop (stop must reach the GPU)."""
    stage, alice = scene.channel(), scene.person()
    asked, _ = await scene.exchange(stage, alice, "name a bird", "Wren.")
    reply = await with_buttons(scene, stage, asked)
    scene.ollama.reply_next("Owl.")
    await press(alice, reply, "Regenerate")
    await until(lambda: own_words(reply.content) == "Owl." and "2/2" in buttons(reply), "Owl")
    await press(alice, reply, "◀️")
    await until(lambda: own_words(reply.content) == "Wren.", "the first again")
    assert stage.replies_to(asked) == [reply]
    scene.ollama.set_pace(rate=20)
    scene.ollama.reply_next(TALE)
    long = await stage.says(alice, "tell me a tale", mention_bot=True)
    running = await with_buttons(scene, stage, long, "Stop")
    await press(alice, running, "Stop")
    await scene.ollama.until(lambda: scene.ollama.cancelled == 1)  # the model is free
    await with_buttons(scene, stage, long)
    assert TALE.startswith(own_words(running.content).rstrip("… "))


async def test_my_edits_and_deletes_change_history_and_memory(scene: Scene) -> None:
    """17 · Edits and deletes change history and memory."""
    stage, alice = scene.channel(), scene.person()
    await alice.slash(stage, "memory on")
    cat, _ = await scene.exchange(stage, alice, "remember that my cat is called Perseus")
    oak, _ = await scene.exchange(stage, alice, "remember that I planted an oak")

    async def listed(*, has: str, lacks: str) -> bool:
        told = (await alice.slash(stage, "memory show")).text
        return has in told and lacks not in told

    await comes_true(lambda: listed(has="Perseus", lacks="Minerva"), "the memory")
    words = f"<@{scene.discord.bot_user.id}> remember that my cat is called Minerva"
    await stage.edit(cat, words)
    await comes_true(lambda: listed(has="oak", lacks="Perseus"), "the edit")
    await stage.delete(oak)
    await comes_true(lambda: listed(has="", lacks="oak"), "the deletion")
    before = len(scene.ollama.chats)
    await scene.exchange(stage, alice, "what do you remember?")
    assert len(scene.ollama.chats) == before + 1  # neither was answered anew
    sent = contents(scene.ollama.chats[before:])
    assert "Minerva" in sent
    assert "Perseus" not in sent
    assert "oak" not in sent


async def test_each_conversation_gets_a_thread(scene: Scene) -> None:
    """18 · Threads."""
    stage, alice = scene.channel(), scene.person("manage_channels")
    await alice.slash(stage, "channel mode", mode="thread")
    asked = await stage.says(alice, "how deep is Loch Ness, exactly?", mention_bot=True)
    opened = await until(lambda: asked.thread, "a thread")
    thread = scene.discord.place(opened)
    assert thread.record.name == "how deep is Loch Ness, exactly?"
    await scene.troupe.over(asked)
    assert not stage.from_bot
    scene.ollama.reply_with(knows("how deep is Loch Ness"))
    more = await thread.says(alice, "what did I ask?")  # without a mention
    assert await scene.answer(thread, more) == "I know."
    other = await stage.thread("side talk", alice)
    apart = await other.says(alice, "what did I ask outside?", mention_bot=True)
    assert await scene.answer(other, apart) == "I don't know."


async def test_i_never_see_what_it_thinks(scene: Scene) -> None:
    """19 · Hide `<think>`."""
    stage, alice = scene.channel(), scene.person()
    scene.ollama.set_pace(rate=200)
    for thought in (
        "<think>The user wants figures. A secret plan.</think>\n\n",
        "<THINK>\nA secret plan\n</THINK>",
    ):
        asked, answer = await scene.exchange(
            stage, alice, f"how tall is K2? ({len(thought)})", f"{thought}8,611 metres."
        )
        assert answer == "8,611 metres."
        (reply,) = stage.replies_to(asked)
        seen = " ".join(edit.content for edit in reply.edits).lower()
        assert "secret plan" not in seen
        assert "think" not in seen
    # A template that opens the block in the prompt: only its end is in the reply.
    half = "The user wants figures. A secret plan.\n</think>\n\n8,611 metres."
    _, answer = await scene.exchange(stage, alice, "and how tall is K2 now?", half)
    assert answer == "8,611 metres."


async def test_i_never_read_interaction_failed(scene: Scene) -> None:
    """20 · Never "Interaction failed"."""
    scene.discord.rest.interactions.deadline = 3.0
    stage, alice, ben = scene.channel(), scene.person(), scene.person()
    asked, _ = await scene.exchange(stage, alice, "name a bird", "Wren.")
    reply = await with_buttons(scene, stage, asked)
    await scene.troupe.terminate()
    await scene.troupe.start()
    await scene.troupe.up(lambda: scene.discord.gateway.connected, "a connection to Discord")
    refused = await press(ben, reply, "Regenerate")  # a button from before the restart
    await reads(refused, "Only who asked for this reply")
    scene.ollama.fail_next("error", status=500, message="out of memory", times=-1)
    failed = await press(alice, reply, "Regenerate")
    await reads(failed, "can't be reached")
    scene.ollama.faults.clear()
    await with_buttons(scene, stage, asked, "Regenerate")
    old = dict(buttons(reply))
    await scene.exchange(stage, alice, "name a fish", "Pike.")
    stale = await alice.click(reply, old["Regenerate"], stale=True)
    await reads(stale, "has gone on")
    for answer in (refused, failed, stale):
        assert not answer.failed
        assert not answer.late


async def test_limits_for_each_user_and_each_role(scene: Scene) -> None:
    """21 · Per-user limits and roles."""
    stage, admin = scene.channel(), scene.person("manage_channels")
    guest, patron, barred = scene.person(), scene.person(), scene.person()
    patrons, outlaws = scene.guild.role("patrons"), scene.guild.role("outlaws")
    scene.guild.record.members[patron.id].role_ids.add(patrons.id)
    scene.guild.record.members[barred.id].role_ids.add(outlaws.id)
    card = shown(await admin.slash(stage, "channel settings"))
    await admin.click(card, "set:open:limits:channel")
    form = await admin.click(card, "set:ask:limits:channel:each")
    await admin.submit_modal(form, each="1")
    await admin.click(card, "set:open:limits:channel")
    form = await admin.select(card, "set:ask:limits:channel", patrons)
    await admin.submit_modal(form, each="20", all="")
    await admin.click(card, "set:open:barred:channel")
    done = await admin.select(card, "set:pick:barred:channel", outlaws)
    assert "each person: 1 a minute" in done.card
    for person, outcomes in ((guest, ["answered", "busy"]), (patron, ["answered"] * 2)):
        for number, outcome in enumerate(outcomes):
            asked = await stage.says(person, f"hello, for time {number}", mention_bot=True)
            assert await scene.troupe.over(asked) == outcome
            assert ("wait" in stage.answer_to(asked).lower()) == (outcome == "busy")
    left_out = await stage.says(barred, "hello", mention_bot=True)
    await until(lambda: "leaves you out" in stage.answer_to(left_out), "a word for the barred")


async def test_replies_stream_within_discord_s_limits(scene: Scene) -> None:
    """22 · Streaming inside the limits."""
    limits = scene.discord.rest.limits
    limits.enabled = True
    try:
        stage = scene.channel()
        scene.ollama.set_pace(rate=200)
        scene.ollama.reply_with(TALE)
        people = [scene.person() for _ in range(4)]
        asked = [await stage.says(each, "tell me a tale", mention_bot=True) for each in people]
        answers = await asyncio.gather(*(scene.answer(stage, m) for m in asked))
        assert answers == [TALE] * len(people)
        assert any(len(reply.edits) > 1 for reply in stage.from_bot)  # it could be watched
        assert len(stage.from_bot) == len(people)
        assert scene.discord.rate_limited <= 1  # the first of a bucket nobody can foresee
    finally:
        limits.enabled = False


async def test_i_can_export_delete_and_opt_out(scene: Scene) -> None:
    """23 · Export, delete, opt-out."""
    stage, alice = scene.channel(), scene.person()
    await alice.slash(stage, "memory on")
    await scene.exchange(stage, alice, "remember that I am allergic to nuts")

    async def listed() -> bool:
        return "nuts" in (await alice.slash(stage, "memory show")).text

    await comes_true(listed, "the memory")
    export = shown(await alice.slash(scene.discord.dm(alice), "memory export"))
    assert any(b"allergic to nuts" in file for file in scene.discord.files(export))
    sure = shown(await alice.slash(stage, "memory forget-all"))
    await alice.click(sure, "memory-sure")
    await until(lambda: sure.content.startswith("Everything is forgotten"), "the end of it")
    assert not await listed()
    scene.ollama.reply_with(knows("nuts"))
    _, told = await scene.exchange(stage, alice, "what may I not eat?")
    assert told == "I don't know."
    off = await alice.slash(stage, "memory off")
    if off.response is not None and buttons(off.response):
        await alice.click(off.response, "memory-sure")
    await scene.exchange(stage, alice, "remember that I am allergic to nuts")
    scene.ollama.reply_with(knows("nuts"))
    _, told = await scene.exchange(scene.channel(), alice, "what may I not eat?")
    assert told == "I don't know."
    assert not await listed()


async def test_the_age_gate_and_the_output_filter_work(scene: Scene) -> None:
    """24 · Age gate and output filter that work."""
    stage, alice = scene.channel(), scene.person("manage_channels")
    late = scene.channel(nsfw=True)
    await imported(stage, alice, json_card("Velvet", tags=["NSFW"]))
    refused = await alice.slash(stage, "persona switch", name="velvet")
    assert "age-restricted" in refused.text
    allowed = await alice.slash(late, "persona switch", name="velvet")
    assert "answers here from now on" in allowed.text
    asked, _ = await scene.exchange(stage, alice, "good evening")
    assert stage.replies_to(asked)[0].author.name != "Velvet"
    harm = "You should kill yourself. Nobody would miss you, and here is how to do it."
    asked, answer = await scene.exchange(stage, alice, "what do you think of me?", harm)
    assert "kill yourself" not in answer
    assert answer
    (reply,) = stage.replies_to(asked)
    assert not any("kill yourself" in edit.content for edit in reply.edits)


async def test_it_waits_until_i_have_finished_my_burst_of_messages(scene: Scene) -> None:
    """25 · Wait until the user has finished a burst of messages."""
    stage, alice = scene.channel(), scene.person()
    scene.ollama.set_pace(first_token=0.4)
    first = await stage.says(alice, "tell me about mountains", mention_bot=True)
    await scene.ollama.until(lambda: bool(scene.asked("mountains")))
    second = await stage.says(alice, "especially K2", mention_bot=True)
    await scene.troupe.over(first)
    answers = stage.replies_to(first) + stage.replies_to(second)
    assert len(answers) == 1
    final = prompt(scene.ollama.chats[-1].body)
    assert "mountains" in final
    assert "especially K2" in final
    assert scene.ollama.cancelled == 1
