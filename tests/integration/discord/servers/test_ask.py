"""`/ask`, with and without the bot in the server, in groups, in private, and over its limits."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.place import ChannelId, GuildId, Place
from bot.personas.binding import TriggerMode
from tests.fakes.discord.interactions import Interaction
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.rig import picture

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def told(stage: Stage, interaction: Interaction, part: str) -> str:
    return await stage.tells(interaction, part)


async def test_a_question_is_answered_where_it_was_asked(stage: Stage) -> None:
    stage.ollama.reply_with("8,611 metres.")
    asked = await stage.guest.slash(stage.channel, "ask", question="how tall is *K2*?")
    text = await told(stage, asked, "8,611 metres.")
    assert text.startswith("> how tall is \\*K2\\*?\n**")
    assert not asked.ephemeral
    stage.ollama.reply_with("Pakistan and China.")
    await stage.channel.says(stage.guest, "and where is it?", mention_bot=True)
    await stage.channel.next_reply()
    assert "how tall is *K2*?" in str(stage.ollama.chats[-1].messages)  # one conversation


async def test_a_private_question_stays_out_of_the_channel_s_conversation(stage: Stage) -> None:
    long = " ".join(f"Layer {number} needs {number * 7} grams of flour." for number in range(90))
    stage.ollama.reply_with(f"Between us. {long}")  # more than one message
    asked = await stage.guest.slash(
        stage.channel,
        "ask",
        question="write me a long story about my secret plan, a cake",
        private=True,
    )
    await told(stage, asked, "Between us.")
    await stage.discord.world.until(lambda: asked.followups, "a second part")
    assert asked.ephemeral
    assert all(each.ephemeral for each in asked.followups)
    place = Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))
    assert (await stage.troupe.stores.conversations.load(place)).exchanges == ()
    stage.ollama.reply_with("A cake!")
    again = await stage.guest.slash(stage.channel, "ask", question="well?", private=True)
    await told(stage, again, "A cake!")
    assert "secret plan" in str(stage.ollama.chats[-1].messages)
    other = await stage.admin.slash(stage.channel, "ask", question="any news?", private=True)
    await told(stage, other, "A cake!")
    assert "secret plan" not in str(stage.ollama.chats[-1].messages)


async def test_words_of_care_are_read_by_who_asked_alone(stage: Stage) -> None:
    before = len(stage.channel.from_bot)
    asked = await stage.guest.slash(
        stage.channel, "ask", question="i am going to kill myself tonight"
    )
    await told(stage, asked, "988")
    assert asked.ephemeral
    assert len(stage.channel.from_bot) == before


async def test_it_works_in_a_server_without_the_bot_and_people_are_kept_apart(
    stage: Stage,
) -> None:
    abroad = stage.discord.guild(f"abroad {stage.guild.id}", channels=["plaza"], with_bot=False)
    plaza = abroad.channel("plaza")
    ann, ben = abroad.member("ann abroad"), abroad.member("ben abroad")
    stage.ollama.reply_with("Hello!")
    asked = await ann.slash(plaza, "ask", question="hi, I am here on holiday", persona="bram")
    text = await told(stage, asked, "Hello!")
    assert "**Bram**" in text
    assert plaza.from_bot == [asked.response]
    second = await ben.slash(plaza, "ask", question="who was here?")
    await told(stage, second, "Hello!")
    assert "holiday" not in str(stage.ollama.chats[-1].messages)
    with pytest.raises(LookupError, match="for servers with the bot"):
        await ann.slash(plaza, "persona switch", name="bram")
    assert "Troupe" in (await ann.slash(plaza, "about")).text


async def test_what_became_of_a_wish_to_remember_is_told_to_who_asked_in_private(
    stage: Stage,
) -> None:
    assert "I remember" in (await stage.admin.slash(stage.channel, "memory on")).text
    stage.ollama.reply_with("A fine dog.")
    question = "remember that I have a dog named Poppy"
    asked = await stage.admin.slash(stage.channel, "ask", question=question, private=True)
    await told(stage, asked, "A fine dog.")
    await stage.discord.world.until(lambda: asked.followups, "what became of it")
    assert "Remembered" in asked.followups[-1].content
    assert asked.followups[-1].ephemeral


async def test_in_a_group_chat_it_is_no_direct_message(stage: Stage) -> None:
    group = stage.discord.group()
    stage.ollama.reply_with("Hello, all.")
    asked = await stage.guest.slash(group, "ask", question="say hello")
    await told(stage, asked, "Hello, all.")
    assert stage.ollama.chats[-1].messages[-1]["content"].count(stage.guest.record.name)


async def test_files_come_along_and_what_was_not_read_is_named(stage: Stage) -> None:
    stage.ollama.reply_with("Nice.")
    asked = await stage.guest.slash(
        stage.channel, "ask", question="look", file=("cat.png", picture(8, 8), "image/png")
    )
    assert "the model here sees no images" in await told(stage, asked, "Nice.")


async def test_failures_and_settings_are_told(stage: Stage) -> None:
    unknown = await stage.guest.slash(stage.channel, "ask", question="hi", persona="nobody")
    assert "nobody" in await told(stage, unknown, "nobody")
    place = Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))
    await stage.troupe.casting.set_mode(place, TriggerMode.OFF)
    off = await stage.guest.slash(stage.channel, "ask", question="hi")
    await told(stage, off, "switched off")
    await stage.troupe.casting.unbind(place)
    stage.ollama.fail_next("error", status=500, times=3)
    failed = await stage.guest.slash(stage.channel, "ask", question="hi")
    await told(stage, failed, "The model can't be reached right now.")


async def test_a_message_right_after_a_question_does_not_take_its_answer(stage: Stage) -> None:
    stage.ollama.set_pace(first_token=0.4)
    stage.ollama.reply_with("One answer.")
    asking = asyncio.create_task(stage.guest.slash(stage.channel, "ask", question="first"))
    await stage.ollama.until(lambda: len(stage.ollama.chats) == 1)
    said = await stage.channel.says(stage.guest, "second", mention_bot=True)
    asked = await asking
    await told(stage, asked, "One answer.")
    reply = await stage.channel.next_reply(to=said)
    assert "One answer." in reply.content
