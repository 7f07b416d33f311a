"""Buttons under answers to `/ask`: in a server, in private, and where the bot is no member."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.chat.place import ChannelId, GuildId
from bot.chat.place import Place as Place_
from tests.fakes.discord.handles import Person, Place
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_menus import ASK, EDIT
from tests.integration.discord.commands.test_reply_controls import FULL, buttons, press
from tests.integration.discord.rig import picture

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIXED = ["👍", "👎", "Why"]
"""What can be pressed where nothing can be changed any more."""
STORY = " ".join(f"A road of {number} stones led on." for number in range(100))


async def until(stage: Stage, look: Any, what: str) -> None:
    await stage.discord.world.until(lambda: look() or None, what)


async def answered(
    stage: Stage, person: Person, where: Place, reply: str, **options: Any
) -> tuple[Interaction, Message]:
    """Ask by command, and wait until the answer stands there with its buttons."""
    stage.ollama.reply_next(reply)
    asked = await person.slash(where, "ask", **({"question": "name a bird"} | options))

    def last() -> Message | None:
        parts = [each for each in (asked.response, *asked.followups) if each is not None]
        return parts[-1] if parts and "Why" in buttons(parts[-1]) else None

    return asked, await stage.discord.world.until(last, f"{reply[:40]} with buttons")


async def says(stage: Stage, message: Message, text: str) -> None:
    """Wait until an answer says something under its question, and can be pressed again."""

    def there() -> bool:
        own = message.content.split("\n\n-# ")[0]
        return own.endswith(f"**\n{text}") and "Stop" not in buttons(message)

    try:
        await until(stage, there, text)
    except TimeoutError:
        raise AssertionError(f"{message.content!r} {list(buttons(message))}") from None


def abroad(stage: Stage) -> Place:
    """Return the channel of a server that does not have the bot."""
    guild = stage.discord.guild(f"abroad {stage.guild.id}", channels=["plaza"], with_bot=False)
    guild.member(stage.guest.record.name)
    return guild.channel("plaza")


async def test_an_answer_in_a_server_is_like_any_reply(stage: Stage) -> None:
    asked, reply = await answered(stage, stage.guest, stage.channel, "Wren.")
    assert list(buttons(reply)) == FULL
    asked.lifetime = 0.0  # a quarter of an hour later
    stage.ollama.reply_next("Owl.")
    await press(stage, stage.guest, reply, "Regenerate")
    await says(stage, reply, "Owl.")
    assert reply.content.startswith("> name a bird\n**")
    assert "2/2" in buttons(reply)
    await press(stage, stage.guest, reply, "◀️")
    await says(stage, reply, "Wren.")
    stage.ollama.reply_next(STORY)  # more than a message takes
    await press(stage, stage.guest, reply, "Continue")
    await until(
        stage,
        lambda: len(stage.channel.from_bot) == 2 and "Why" in buttons(stage.channel.from_bot[1]),
        "a second part",
    )
    first, second = stage.channel.from_bot
    assert not buttons(first)
    await press(stage, stage.guest, second, "🗑️")
    await until(stage, lambda: not stage.channel.from_bot, "all of it removed")


async def test_it_loses_its_buttons_when_the_conversation_goes_on(stage: Stage) -> None:
    _, first = await answered(stage, stage.guest, stage.channel, "Wren.")
    _, second = await answered(stage, stage.guest, stage.channel, "Owl.")
    await until(stage, lambda: not first.components, "the first without buttons")
    assert list(buttons(second)) == FULL


async def test_only_who_asked_or_a_moderator_may_change_it(stage: Stage) -> None:
    _, reply = await answered(stage, stage.guest, stage.channel, "Wren.")
    stranger = stage.guild.member("stranger")
    for label in ("Regenerate", "Continue", "🗑️"):
        assert "Only who asked" in (await press(stage, stranger, reply, label)).text
    judge = stage.guild.member("judge", permissions=["manage_messages"])
    opened = await judge.context_menu(stage.channel, EDIT, reply)
    await judge.submit_modal(opened, text="A robin.")
    await says(stage, reply, "A robin.")
    assert reply.content.startswith("> name a bird\n")
    await press(stage, judge, reply, "🗑️")
    await until(stage, lambda: not stage.channel.from_bot, "the reply removed")


async def test_a_private_answer_is_changed_and_removed_in_private(stage: Stage) -> None:
    asked, reply = await answered(stage, stage.guest, stage.channel, "Wren.", private=True)
    assert list(buttons(reply)) == FULL
    asked.lifetime = 0.0  # its own token is over; each press brings another
    stage.ollama.reply_next("Owl.")
    await press(stage, stage.guest, reply, "Regenerate")
    await says(stage, reply, "Owl.")
    assert reply.ephemeral
    assert not stage.channel.from_bot
    told = await press(stage, stage.guest, reply, "Why")
    assert "**Persona**" in await stage.tells(told, "**Persona**")
    await press(stage, stage.guest, reply, "🗑️")
    await until(stage, lambda: reply.deleted_at is not None, "the reply removed")
    stage.ollama.reply_next("Hello.")
    again = await stage.guest.slash(stage.channel, "ask", question="well?", private=True)
    await stage.tells(again, "Hello.")
    assert "Owl." not in str(stage.ollama.chats[-1].messages)


async def test_a_private_answer_that_discord_refuses_is_never_given_in_public(
    stage: Stage,
) -> None:
    stage.ollama.set_pace(first_token=0.3)
    stage.ollama.reply_next("Between us.")
    asking = asyncio.create_task(
        stage.guest.slash(stage.channel, "ask", question="a secret", private=True, timeout=1.5)
    )
    await stage.ollama.until(lambda: len(stage.ollama.chats) == 1)
    for route in ("POST /webhooks/{webhook}/{token}", "PATCH /webhooks/{webhook}/{token}/*"):
        stage.discord.fail(route, status=404, code=10015, times=9)
    await asking
    await asyncio.sleep(0.3)
    stage.discord.rest.faults.clear()
    assert not any("Between us." in each.content for each in stage.channel.from_bot)


async def test_abroad_the_press_itself_is_the_way_to_the_answer(stage: Stage) -> None:
    plaza = abroad(stage)
    asked, reply = await answered(stage, stage.guest, plaza, "Wren.")
    assert list(buttons(reply)) == FULL
    asked.lifetime = 0.0
    stage.ollama.reply_next("Owl.")
    await press(stage, stage.guest, reply, "Regenerate")
    await says(stage, reply, "Owl.")
    assert reply.content.startswith("> name a bird\n")
    await press(stage, stage.guest, reply, "▶️")
    await says(stage, reply, "Wren.")
    stage.ollama.reply_next("It is small.")
    await press(stage, stage.guest, reply, "Continue")
    await says(stage, reply, "Wren. It is small.")
    thanks = await press(stage, stage.guest, reply, "👍")
    assert thanks.ephemeral
    other = stage.discord.guild(f"abroad {stage.guild.id}").member("other")
    refused = await press(stage, other, reply, "Regenerate")
    assert "Only who asked" in refused.text
    assert refused.ephemeral
    await press(stage, stage.guest, reply, "🗑️")
    await until(stage, lambda: not plaza.from_bot, "the reply removed")


async def test_abroad_a_long_answer_has_only_what_needs_no_change(stage: Stage) -> None:
    plaza = abroad(stage)
    asked, last = await answered(stage, stage.guest, plaza, STORY)
    assert asked.followups == [last]
    assert list(buttons(last)) == FIXED
    assert asked.response is not None
    assert not asked.response.components
    told = await press(stage, stage.guest, last, "Why")
    assert "**Persona**" in await stage.tells(told, "**Persona**")


async def test_abroad_a_moderator_removes_what_somebody_asked(stage: Stage) -> None:
    plaza = abroad(stage)
    _, reply = await answered(stage, stage.guest, plaza, "Wren.")
    guild = stage.discord.guild(f"abroad {stage.guild.id}")
    judge = guild.member("judge", permissions=["manage_messages"])
    assert "Only who asked" in (await press(stage, judge, reply, "Regenerate")).text
    await press(stage, judge, reply, "🗑️")
    await until(stage, lambda: not plaza.from_bot, "the reply removed")


async def test_a_question_with_a_file_is_not_asked_again_without_it(stage: Stage) -> None:
    file = ("notes.txt", b"the owl was late", "text/plain")
    _, reply = await answered(stage, stage.guest, stage.channel, "Late?", file=file)
    assert "owl was late" in str(stage.ollama.chats[-1].messages)
    assert list(buttons(reply)) == FULL[1:]
    stage.ollama.reply_next("Very late.")
    await press(stage, stage.guest, reply, "Continue")
    await says(stage, reply, "Late? Very late.")
    assert list(buttons(reply)) == FULL[1:]
    image = ("cat.png", picture(8, 8), "image/png")
    _, reply = await answered(stage, stage.guest, stage.channel, "Nice.", file=image)
    assert "Regenerate" not in buttons(reply)


async def test_in_a_direct_message_and_in_a_group(stage: Stage) -> None:
    for where in (stage.discord.dm(stage.guest), stage.discord.group()):
        _, reply = await answered(stage, stage.guest, where, "Wren.")
        stage.ollama.reply_next("Owl.")
        await press(stage, stage.guest, reply, "Regenerate")
        await says(stage, reply, "Owl.")
        await press(stage, stage.guest, reply, "🗑️")
        await until(stage, lambda reply=reply: reply.deleted_at is not None, "removed")


async def test_abroad_a_persona_is_asked_about_a_message(stage: Stage) -> None:
    plaza = abroad(stage)
    ada = stage.discord.guild(f"abroad {stage.guild.id}").member("ada abroad")
    said = await plaza.says(ada, "The lighthouse was built in 1789.")
    opened = await stage.guest.context_menu(plaza, ASK, said)
    stage.ollama.reply_next("Older than most gulls think.")
    answer = await stage.guest.submit_modal(opened, persona=["bram"], question="is that old?")
    text = await stage.tells(answer, "Older than")
    assert text.startswith("> is that old?\n**Bram**\n")
    assert not answer.ephemeral
    sent = stage.ollama.chats[-1].messages[-1]["content"]
    assert 'message: "The lighthouse was built in 1789."' in sent
    assert answer.response is not None
    reply = answer.response
    await until(stage, lambda: "Why" in buttons(reply), "buttons")
    assert list(buttons(reply)) == FULL[1:]  # nobody could read the message again


async def test_elsewhere_too_a_reply_is_reported_and_the_privacy_text_is_read(
    stage: Stage,
) -> None:
    for where in (abroad(stage), stage.discord.group()):
        _, reply = await answered(stage, stage.guest, where, "Wren.")
        form = await stage.guest.context_menu(where, "Report this reply", reply)
        told = await stage.guest.submit_modal(form, reason="rude")
        assert "kept for those who run this bot" in await stage.tells(told, "filed")
        assert "What I keep" in (await stage.guest.slash(where, "privacy")).text


async def test_what_was_asked_about_is_read_again(stage: Stage) -> None:
    said = await stage.channel.says(stage.admin, "The lighthouse was built in 1789.")
    opened = await stage.guest.context_menu(stage.channel, ASK, said)
    stage.ollama.reply_next("Older than most gulls think.")
    await stage.guest.submit_modal(opened, persona=["bram"], question="is that old?")

    def there() -> bool:
        return any("Why" in buttons(each) for each in stage.channel.from_bot)

    await until(stage, there, "the reply")
    (reply,) = [each for each in stage.channel.from_bot if "Why" in buttons(each)]
    stage.channel.forbid_bot("read_message_history")
    refused = await press(stage, stage.guest, reply, "Regenerate")
    assert "Ask about it once more" in await stage.tells(refused, "read again")
    await until(stage, lambda: "Why" in buttons(reply), "its buttons")
    stage.channel.allow_bot("read_message_history")
    await stage.channel.edit(said, "The lighthouse was built in 1917.")
    stage.ollama.reply_next("Younger than my boat.")
    await press(stage, stage.guest, reply, "Regenerate")
    await until(stage, lambda: reply.content.startswith("Younger"), "another reply")
    sent = stage.ollama.chats[-1].messages[-1]["content"]
    assert 'message: "The lighthouse was built in 1917."' in sent
    await until(stage, lambda: "Why" in buttons(reply), "its buttons")


async def test_who_hides_their_message_takes_along_what_others_asked_about_it(
    stage: Stage,
) -> None:
    said = await stage.channel.says(stage.admin, "The lighthouse was built in 1789.")
    opened = await stage.guest.context_menu(stage.channel, ASK, said)
    stage.ollama.reply_next("In 1789, you say?")
    await stage.guest.submit_modal(opened, persona=["bram"], question="is that old?")
    place = Place_(ChannelId(stage.channel.id), GuildId(stage.guild.id))

    async def asked() -> int:
        return len((await stage.troupe.stores.conversations.load(place)).exchanges)

    while not await asked():
        await asyncio.sleep(0.02)
    await stage.channel.react(stage.guest, said, "🙈")  # not theirs
    await stage.channel.react(stage.admin, said, "👍")
    await asyncio.sleep(0.2)
    assert await asked() == 1
    await stage.channel.react(stage.admin, said, "🙈")
    while await asked():
        await asyncio.sleep(0.02)


async def test_a_reply_to_an_answer_goes_on_with_its_conversation(stage: Stage) -> None:
    _, reply = await answered(stage, stage.guest, stage.channel, "Wren.")
    stage.ollama.reply_next("It sings.")
    said = await stage.channel.says(stage.guest, "why that one?", reply_to=reply)
    assert "It sings." in (await stage.channel.next_reply(to=said)).content
    sent = str(stage.ollama.chats[-1].messages)
    assert "name a bird" in sent
    assert "Wren." in sent
    await until(stage, lambda: not reply.components, "the answer without its buttons")
