"""First words: in the persona's voice, flipped, remembered, and only where they may be said."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.place import ChannelId, GuildId, Place
from tests.fakes.discord.state import Message
from tests.fakes.discord.validation import components_of
from tests.integration.discord.commands.cards import json_card
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_import import accepts

CARD = json_card(
    alternate_greetings=["*sings*", "Who goes there, {{user}}?"], group_only_greetings=["All here?"]
)


def buttons(message: Message) -> dict[str, str]:
    parts = components_of(message.components)
    return {str(p["label"]): str(p["custom_id"]) for p in parts if p.get("label")}


async def greeted(stage: Stage, card: bytes = CARD, name: str = "wren") -> Message:
    await accepts(stage, card)
    answer = await stage.admin.slash(stage.channel, "persona switch", name=name)
    assert "answers here from now on" in answer.text
    return stage.channel.from_bot[-1]


async def until_it_says(stage: Stage, message: Message, text: str) -> None:
    await stage.discord.world.until(lambda: message.content.startswith(text) or None, text)


async def remembered(stage: Stage) -> list[str]:
    place = Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))
    conversation = await stage.troupe.stores.conversations.load(place)
    return [exchange.reply.text for exchange in conversation.exchanges if exchange.reply]


async def test_a_persona_greets_where_it_is_bound_and_the_model_sees_it(stage: Stage) -> None:
    greeting = await greeted(stage)
    assert greeting.author.name == "Wren"
    assert greeting.content == "*hops closer* Good morning, ada!"
    assert list(buttons(greeting)) == ["◀", "1/3", "▶"]
    assert await remembered(stage) == [greeting.content]
    asked = await stage.channel.says(stage.guest, "hello bird", mention_bot=True)
    await stage.channel.next_reply(to=asked)
    roles = [(m["role"], m["content"]) for m in stage.ollama.chats[-1].messages]
    assert ("assistant", greeting.content) in roles


async def test_flipping_goes_round_and_what_stands_there_is_what_is_remembered(
    stage: Stage,
) -> None:
    greeting = await greeted(stage)
    for way, text in (
        ("▶", "*sings*"),
        ("▶", "Who goes there, ada?"),
        ("▶", "*hops"),
        ("◀", "Who"),
    ):
        await stage.admin.click(greeting, buttons(greeting)[way])
        await until_it_says(stage, greeting, text)
        assert await remembered(stage) == [greeting.content]
    assert "3/3" in buttons(greeting)


async def test_who_may_not_direct_may_not_flip(stage: Stage) -> None:
    greeting = await greeted(stage)
    clicked = await stage.guest.click(greeting, buttons(greeting)["▶"])
    assert "Manage Channels" in clicked.text
    assert clicked.ephemeral
    assert greeting.content.startswith("*hops closer*")


async def test_the_beginning_stays_once_the_conversation_has_gone_on(stage: Stage) -> None:
    greeting = await greeted(stage)
    asked = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    await stage.channel.next_reply(to=asked)
    clicked = await stage.admin.click(greeting, buttons(greeting)["▶"])
    await stage.tells(clicked, "has gone on")
    assert greeting.content.startswith("*hops closer*")


async def test_a_deleted_greeting_is_forgotten(stage: Stage) -> None:
    greeting = await greeted(stage)
    await stage.channel.delete(greeting)
    for _ in range(200):
        if await remembered(stage) == []:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("still remembered")


async def test_a_long_greeting_is_one_message(stage: Stage) -> None:
    greeting = await greeted(stage, json_card(first_mes="word " * 1900))
    assert not greeting.content
    assert sum(len(embed["description"]) for embed in greeting.embeds) <= 6000
    assert len((await remembered(stage))[0]) > 9000


async def test_without_webhooks_the_bot_says_whose_words_they_are(stage: Stage) -> None:
    stage.guild.forbid_bot("manage_webhooks")
    greeting = await greeted(stage)
    assert greeting.content.startswith("**Wren**\n*hops closer*")
    await stage.admin.click(greeting, buttons(greeting)["▶"])
    await stage.discord.world.until(lambda: greeting.content == "**Wren**\n*sings*" or None, "flip")


async def test_where_the_bot_may_not_speak_the_switch_says_so(stage: Stage) -> None:
    await accepts(stage, CARD)
    stage.channel.forbid_bot("send_messages", "manage_webhooks")
    answer = await stage.admin.slash(stage.channel, "persona switch", name="wren")
    assert "answers here from now on" in answer.text
    assert "I need the permission Send Messages here." in answer.text


async def test_a_card_s_greeting_pings_nobody(stage: Stage) -> None:
    greeting = await greeted(stage, json_card(first_mes="Hi @everyone <@&1> discord.gg/evil"))
    assert greeting.pings == ()
    assert "discord.gg/evil" not in greeting.content


async def test_show_lists_greetings_as_buttons_that_only_the_reader_sees(stage: Stage) -> None:
    await accepts(stage, CARD)
    before = len(stage.channel.messages)
    shown = await stage.guest.slash(stage.channel, "persona show", name="Wren")
    assert shown.response is not None
    assert "Made for gardens." in str(shown.response.embeds)
    found = buttons(shown.response)
    assert list(found) == ["Greeting 1", "Greeting 2", "Greeting 3"]
    clicked = await stage.guest.click(shown.response, found["Greeting 3"])
    assert await stage.tells(clicked, "Who goes there, guy?")
    assert clicked.ephemeral
    assert len([m for m in stage.channel.messages[before:] if not m.ephemeral]) == 0


@pytest.mark.parametrize("tag", ["NSFW", "18+ only"])
async def test_a_card_for_adults_plays_in_age_restricted_channels_only(
    stage: Stage, tag: str
) -> None:
    await accepts(stage, json_card(tags=[tag]))
    for command, options in (
        ("persona switch", {"name": "wren"}),
        ("channel bind", {"persona": "wren"}),
        ("channel cast", {"creative": "wren"}),
        ("channel scene add", {"persona": "wren"}),
    ):
        refused = await stage.admin.slash(stage.channel, command, **options)
        assert "age-restricted" in refused.text, command
    boss = stage.guild.member("boss", permissions=["manage_channels", "manage_guild"])
    wide = await boss.slash(stage.adult, "channel bind", persona="wren", where="guild")
    assert "can't be bound" in wide.text
    allowed = await stage.admin.slash(stage.adult, "persona switch", name="wren")
    assert "answers here from now on" in allowed.text
    assert stage.adult.from_bot
    hidden = await stage.guest.slash(stage.channel, "persona show", name="wren")
    assert hidden.response is not None
    assert not hidden.response.attachments
    assert not hidden.response.components


async def test_a_card_that_became_one_for_adults_falls_silent_with_a_reason(
    stage: Stage,
) -> None:
    await greeted(stage, json_card())
    await accepts(stage, json_card(tags=["nsfw"]))
    asked = await stage.channel.says(stage.guest, "hello", mention_bot=True)
    reply = await stage.channel.next_reply(to=asked)
    assert "age-restricted" in reply.content
    assert not stage.ollama.chats
