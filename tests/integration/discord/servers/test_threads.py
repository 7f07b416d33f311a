"""Threads for conversations, forum posts, reply chains: who knows what was said where."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.chat.place import ChannelId, GuildId, Place
from bot.personas.binding import TriggerMode
from bot.routing.route import Route
from tests.fakes.discord.handles import Person
from tests.fakes.discord.handles import Place as Channel
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_reply_controls import buttons

pytestmark = pytest.mark.asyncio(loop_scope="module")


def here(channel: Channel, guild: int) -> Place:
    return Place(ChannelId(channel.id), GuildId(guild))


def name_of(person: Person) -> str:
    return person.record.display_name


async def set_mode(stage: Stage, mode: TriggerMode, channel: Channel | None = None) -> None:
    await stage.troupe.casting.set_mode(here(channel or stage.channel, stage.guild.id), mode)


def thread_of(stage: Stage, message: Any) -> Channel:
    assert message.thread is not None
    return stage.discord.place(message.thread)


async def spoken(stage: Stage, channel: Channel, count: int = 1) -> list[str]:
    """Wait for so many messages of the bot, and until they are at rest."""
    await stage.discord.world.until(lambda: len(channel.from_bot) >= count, "replies")
    return [(await channel.settled(each)).content for each in channel.from_bot]


async def until_is(look: Callable[[], Awaitable[object]], wanted: object) -> None:
    found = None
    for _ in range(200):
        found = await look()
        if found == wanted:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"still {found!r}")


def last_prompt(stage: Stage) -> str:
    chats = stage.ollama.chats
    return str(chats[-1].messages[-1]["content"]) if chats else ""


async def test_a_conversation_gets_a_thread_in_which_no_mention_is_needed(stage: Stage) -> None:
    await set_mode(stage, TriggerMode.THREAD)
    stage.ollama.reply_with("Here.")
    asked = await stage.channel.says(stage.guest, "how tall is K2, exactly?", mention_bot=True)
    await stage.discord.world.until(lambda: asked.thread, "a thread")
    thread = thread_of(stage, asked)
    assert thread.record.name == "how tall is K2, exactly?"
    assert "Here." in (await spoken(stage, thread))[0]
    assert stage.channel.from_bot == []
    await thread.says(stage.guest, "and Everest?")
    assert len(await spoken(stage, thread, 2)) == 2
    assert "how tall is K2, exactly?" in str(stage.ollama.chats[-1].messages)


async def test_a_burst_gets_one_thread(stage: Stage) -> None:
    await set_mode(stage, TriggerMode.THREAD)
    stage.ollama.reply_with("Here.")
    first = await stage.channel.says(stage.guest, "how deep is Loch Ness?", mention_bot=True)
    second = await stage.channel.says(stage.guest, "and how long?", mention_bot=True)
    await stage.discord.world.until(lambda: first.thread, "a thread")
    thread = thread_of(stage, first)
    await stage.discord.world.until(lambda: "and how long?" in last_prompt(stage), "both")
    await spoken(stage, thread)
    assert second.thread is None
    assert stage.channel.from_bot == []
    assert len(thread.from_bot) == 1
    store, place = stage.troupe.stores.conversations, here(thread, stage.guild.id)

    async def texts() -> list[str]:
        return [s.text for each in (await store.load(place)).exchanges for s in each.said]

    assert await texts() == ["how deep is Loch Ness?", "and how long?"]
    reply = thread.from_bot[0]
    await stage.discord.world.until(lambda: "Regenerate" in buttons(reply), "buttons")
    asked = len(stage.ollama.chats)
    await stage.guest.click(reply, buttons(reply)["Regenerate"])
    await stage.discord.world.until(lambda: len(stage.ollama.chats) > asked, "a variant")
    assert "and how long?" in last_prompt(stage)
    await stage.channel.edit(second, f"<@{stage.discord.bot_user.id}> and how old?")
    await until_is(texts, ["how deep is Loch Ness?", "and how old?"])
    await stage.channel.delete(second)
    await until_is(texts, ["how deep is Loch Ness?"])


async def test_where_no_thread_can_be_opened_the_channel_gets_the_answer(stage: Stage) -> None:
    await set_mode(stage, TriggerMode.THREAD)
    stage.channel.forbid_bot("create_public_threads")
    stage.ollama.reply_with("Here.")
    asked = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    assert "Here." in (await spoken(stage, stage.channel))[0]
    assert asked.thread is None


async def test_a_question_deleted_in_the_channel_is_gone_from_its_thread(stage: Stage) -> None:
    await set_mode(stage, TriggerMode.THREAD)
    stage.ollama.reply_with("Here.")
    asked = await stage.channel.says(stage.guest, "my secret is 41", mention_bot=True)
    await stage.discord.world.until(lambda: asked.thread, "a thread")
    thread = thread_of(stage, asked)
    await spoken(stage, thread)
    store = stage.troupe.stores.conversations
    place = here(thread, stage.guild.id)
    assert (await store.load(place)).exchanges
    await stage.channel.delete(asked)
    for _ in range(200):
        if not any(exchange.said for exchange in (await store.load(place)).exchanges):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the deleted question is still stored")


async def test_a_forum_post_is_answered_and_is_context_for_who_asks_later(stage: Stage) -> None:
    forum = stage.guild.forum("help")
    stage.ollama.reply_with("Here.")
    post, _ = await forum.post("lamp", stage.guest, "my lamp hums at night", mention_bot=True)
    assert "Here." in (await spoken(stage, post))[0]
    assert "my lamp hums" in last_prompt(stage)
    other, _ = await forum.post("door", stage.guest, "my door creaks when it rains")
    await other.says(stage.admin, "what would you do?", mention_bot=True)
    await spoken(stage, other)
    assert f'{name_of(stage.guest)}: "door my door creaks when it rains"' in last_prompt(stage)


async def test_the_title_of_a_forum_post_is_said_before_its_first_message(stage: Stage) -> None:
    forum = stage.guild.forum("help")
    stage.ollama.reply_with("Here.")
    post, first = await forum.post(
        "How tall is\u202e K2?", stage.guest, "please tell me", mention_bot=True
    )
    await spoken(stage, post)
    assert "How tall is K2?\n  please tell me" in last_prompt(stage)
    (exchange,) = (
        await stage.troupe.stores.conversations.load(here(post, stage.guild.id))
    ).exchanges
    assert exchange.said[0].text == "How tall is K2?\nplease tell me"
    assert exchange.reply is not None
    assert exchange.reply.route is Route.FACTUAL
    await post.edit(first, f"<@{stage.discord.bot_user.id}> please tell me in feet")
    await post.says(stage.guest, "and Everest?", mention_bot=True)
    await spoken(stage, post, 2)
    asked = [each["content"] for each in stage.ollama.chats[-1].messages]
    assert any("How tall is K2?\n  please tell me in feet" in each for each in asked)


async def test_a_hidden_forum_post_hides_its_title(stage: Stage) -> None:
    post, _ = await stage.guild.forum("help").post("The cake", stage.guest, "// is for Ada")
    stage.ollama.reply_with("Here.")
    await post.says(stage.admin, "well?", mention_bot=True)
    await spoken(stage, post)
    assert "cake" not in str(stage.ollama.chats[-1].messages)


async def test_a_thread_from_a_message_knows_what_it_began_with(stage: Stage) -> None:
    starter = await stage.channel.says(stage.guest, "the bridge at dawn is the best place")
    thread = await stage.channel.thread("bridge", stage.guest, starter=starter)
    stage.ollama.reply_with("Here.")
    for number in (1, 2):
        await thread.says(stage.admin, "do you agree?", mention_bot=True)
        await spoken(stage, thread, number)
    assert f'{name_of(stage.guest)}: "the bridge at dawn is the best place"' in last_prompt(stage)
    read = stage.discord.calls["GET /channels/{channel}/messages/{message}"]
    assert read <= 2  # remembered, not asked for at every turn


async def test_a_reply_chain_outside_the_conversation_is_read_as_quotes(stage: Stage) -> None:
    first = await stage.channel.says(stage.guest, "cats are the better engineers")
    second = await stage.channel.says(stage.admin, "dogs can dig tunnels", reply_to=first)
    third = await stage.channel.says(stage.guest, "tunnels flood", reply_to=second)
    stage.ollama.reply_with("Here.")
    await stage.channel.says(stage.admin, "who is right?", mention_bot=True, reply_to=third)
    await spoken(stage, stage.channel)
    prompt = last_prompt(stage)
    guy, ada = name_of(stage.guest), name_of(stage.admin)
    assert f'- {guy}: "cats are the better engineers"\n- {ada}: "dogs can dig tunnels"' in prompt
    assert f'replies to {guy}\'s message: "tunnels flood"' in prompt


async def test_a_chain_within_the_conversation_is_not_read_again(stage: Stage) -> None:
    stage.ollama.reply_with("Here.")
    await stage.channel.says(stage.guest, "hello", mention_bot=True)
    await spoken(stage, stage.channel)
    stage.discord.forget_calls()
    reply = stage.channel.from_bot[-1]
    await stage.channel.says(stage.guest, "go on", reply_to=reply)
    await spoken(stage, stage.channel, 2)
    assert stage.discord.calls["GET /channels/{channel}/messages/{message}"] == 0


async def test_hidden_messages_of_a_chain_stay_hidden(stage: Stage) -> None:
    first = await stage.channel.says(stage.guest, "// between us: the cake is for Ada")
    second = await stage.channel.says(stage.guest, "never mind the cake", reply_to=first)
    await stage.channel.react(stage.guest, second, "🙈")
    third = await stage.channel.says(stage.guest, "nice weather", reply_to=second)
    stage.ollama.reply_with("Here.")
    await stage.channel.says(stage.admin, "well?", mention_bot=True, reply_to=third)
    await spoken(stage, stage.channel)
    prompt = str(stage.ollama.chats[-1].messages)
    assert "nice weather" in prompt
    assert "cake" not in prompt


async def test_a_reaction_of_its_author_hides_a_message_also_afterwards(stage: Stage) -> None:
    stage.ollama.reply_with("Here.")
    asked = await stage.channel.says(stage.guest, "I live at 5 Elm Street", mention_bot=True)
    await spoken(stage, stage.channel)
    store, place = stage.troupe.stores.conversations, here(stage.channel, stage.guild.id)
    await stage.channel.react(stage.admin, asked, "🙈")  # somebody else's means nothing
    await stage.channel.react(stage.guest, asked, "👍")
    await asyncio.sleep(0.2)
    assert (await store.load(place)).exchanges[0].said
    await stage.channel.react(stage.guest, asked, "🙈")
    for _ in range(200):
        if not (await store.load(place)).exchanges:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a hidden message is still stored")
