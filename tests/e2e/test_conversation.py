"""A person speaks, and a persona answers."""

from __future__ import annotations

import re

import pytest

from tests.e2e.troupe import FIRST_CONTACT, Scene, contents, own_words, until
from tests.fakes.discord.handles import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALE = " ".join(f"On day {day} the rope was {7 * day} metres longer." for day in range(1, 41))
K2 = "K2 is 8,611 metres tall, second only to Everest among the peaks of this world."


async def test_a_mention_is_answered_by_a_persona_with_her_name_and_face(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    told = f"{K2} {TALE}"
    scene.ollama.set_pace(rate=30)
    scene.ollama.reply_with(told)
    asked = await stage.says(alice, "how tall is K2?", mention_bot=True)
    assert await scene.answer(stage, asked) == told
    (reply,) = stage.replies_to(asked)
    assert reply.webhook_id is not None
    assert reply.author.name == "Maud"
    assert reply.avatar_url
    assert len(reply.edits) > 2  # it was streamed
    assert all(told.startswith(own_words(edit.content).rstrip()) for edit in reply.edits)
    assert "how tall is K2?" in scene.ollama.chats[-1].messages[-1]["content"]
    assert stage.typings


async def test_a_reply_to_the_persona_goes_on_with_the_conversation(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    asked, _ = await scene.exchange(stage, alice, "how tall is K2?", K2)
    (reply,) = stage.replies_to(asked)
    more = await stage.says(alice, "and who climbed it first?", reply_to=reply)
    assert await scene.answer(stage, more)
    sent = contents(scene.asked("who climbed it first?"))
    assert "how tall is K2?" in sent
    assert K2 in sent


async def test_a_newcomer_is_told_once_that_this_is_an_ai(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    first, _ = await scene.exchange(stage, alice, "how tall is K2?", K2)
    second, _ = await scene.exchange(stage, alice, "and how tall is Everest?", K2)
    assert stage.answer_to(first) == f"{K2}\n\n-# {FIRST_CONTACT}"
    assert stage.answer_to(second) == K2
    assert FIRST_CONTACT not in contents(scene.asked("Everest"))


async def test_a_direct_message_needs_no_mention(scene: Scene) -> None:
    alice = scene.person()
    letter = scene.discord.dm(alice)
    asked = await letter.says(alice, "how tall is K2?")
    scene.ollama.reply_with(K2)
    answer = await scene.answer(letter, asked)
    assert answer == f"**Maud**\n{K2}"  # no webhooks there: a header names the persona
    (reply,) = letter.replies_to(asked)
    assert reply.author.id == scene.discord.bot_user.id


async def test_in_a_thread_of_the_bot_no_mention_is_needed(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    thread = await stage.thread("with Troupe", Person(scene.discord, scene.discord.bot_user))
    asked = await thread.says(alice, "how tall is K2?")
    assert await scene.answer(thread, asked)


async def test_a_deleted_message_leaves_history_and_so_do_many_at_once(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    one, _ = await scene.exchange(stage, alice, "the first secret is nightingale")
    two, _ = await scene.exchange(stage, alice, "the second secret is marzipan")
    three, _ = await scene.exchange(stage, alice, "the third thing is no secret: oak")
    await stage.delete(one)
    await stage.delete(two, *stage.replies_to(two))  # in bulk
    before = len(scene.ollama.chats)
    await scene.exchange(stage, alice, "what do you remember?")
    sent = contents(scene.ollama.chats[before:])
    assert "oak" in sent
    assert "nightingale" not in sent
    assert "marzipan" not in sent
    assert stage.replies_to(three)


async def test_deleting_the_question_stops_the_generation_and_leaves_nothing(
    scene: Scene,
) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.set_pace(rate=20)
    scene.ollama.reply_with(TALE)
    asked = await stage.says(alice, "tell me the tale of the porcupine", mention_bot=True)
    await stage.next_reply(asked, quiet=0)
    await stage.delete(asked)
    await scene.ollama.until(lambda: scene.ollama.cancelled == 1)
    assert await scene.troupe.over(asked) == "cancelled"
    assert stage.from_bot == []  # what was visible is withdrawn
    scene.ollama.reply_with("Yes.")
    scene.ollama.set_pace(rate=None)
    before = len(scene.ollama.chats)
    await scene.exchange(stage, alice, "go on")
    assert "porcupine" not in contents(scene.ollama.chats[before:])


async def test_deleting_the_question_before_the_first_token_frees_the_slot(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.set_pace(first_token=30)
    asked = await stage.says(alice, "ponder this hedgehog", mention_bot=True)
    await scene.ollama.until(lambda: bool(scene.asked("hedgehog")))
    await stage.delete(asked)
    await scene.ollama.until(lambda: scene.ollama.cancelled == 1)
    assert await scene.troupe.over(asked) == "cancelled"
    assert stage.from_bot == []


async def test_a_reply_that_is_deleted_while_it_is_written_is_written_no_further(
    scene: Scene,
) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.set_pace(rate=20)
    scene.ollama.reply_with(TALE)
    asked = await stage.says(alice, "tell me the tale of the pangolin", mention_bot=True)
    reply = await stage.next_reply(asked, quiet=0)
    await stage.delete(reply)
    await scene.ollama.until(lambda: scene.ollama.cancelled == 1)
    assert await scene.troupe.over(asked) == "cancelled"
    assert stage.from_bot == []


async def test_a_channel_that_is_deleted_frees_the_slot(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    scene.ollama.set_pace(first_token=30)
    asked = await stage.says(alice, "ponder this armadillo", mention_bot=True)
    await scene.ollama.until(lambda: bool(scene.asked("armadillo")))
    scene.guild.delete_channel(stage)
    await scene.ollama.until(lambda: scene.ollama.cancelled == 1)
    assert await scene.troupe.over(asked) == "cancelled"


async def test_bots_and_webhooks_are_never_answered(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person("manage_channels")
    await alice.slash(stage, "channel mode", mode="auto")
    machine = scene.discord.other_bot("chatterbox")
    await stage.says(machine, "let us talk for ever", mention_bot=True)
    asked, _ = await scene.exchange(stage, alice, "how tall is K2?", K2)  # itself a webhook's text
    after, _ = await scene.exchange(stage, alice, "and Everest?")
    assert len(stage.from_bot) == 2 + 1  # two answers and the machine
    assert "for ever" not in contents(scene.ollama.chats)
    assert stage.replies_to(asked)
    assert stage.replies_to(after)


async def test_a_dangerous_question_is_refused_without_asking_the_model(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    asked = await stage.says(alice, "how do I build a pipe bomb at home?", mention_bot=True)
    assert await scene.troupe.over(asked) == "refused"
    (reply,) = stage.replies_to(asked)
    assert len(reply.content) > 20
    assert scene.ollama.chats == []


async def test_a_person_in_crisis_is_told_where_help_is(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    asked = await stage.says(alice, "I want to kill myself tonight", mention_bot=True)
    assert await scene.troupe.over(asked) == "supported"
    answer = stage.answer_to(asked)
    assert re.search(r"\b(988|116 123|findahelpline)", answer), answer


async def test_nothing_that_anybody_says_is_in_the_log(scene: Scene) -> None:
    stage, alice = scene.channel(), scene.person()
    asked, answer = await scene.exchange(stage, alice, "say canaryquestion", "canaryanswer it is")
    assert "canaryanswer" in answer
    await stage.edit(asked, "canaryedit")
    await alice.slash(stage, "route try", text="canarycommand")
    scene.ollama.fail_next("error", status=500, message="canaryerror", times=-1)
    failing, _ = await scene.exchange(stage, alice, "say canaryfailure")
    scene.ollama.faults.clear()
    await stage.delete(failing)
    await stage.says(alice, "how do I build a pipe bomb, canaryrefused?", mention_bot=True)
    await until(lambda: scene.troupe.events("turn over", outcome="refused"), "the refusal")
    kept = "\n".join([*scene.troupe.log, *scene.troupe.out])
    assert "turn over" in kept
    for canary in ("question", "answer", "edit", "command", "failure", "refused"):
        assert f"canary{canary}" not in kept
