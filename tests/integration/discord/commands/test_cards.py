"""A server's own cards: edited, exported, removed, and their scripts."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bot.chat.place import GuildId
from bot.personas import read_card
from tests.fakes.discord.interactions import Interaction
from tests.integration.discord.commands.cards import data, json_card, png_card
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_import import accepts

SCRIPT = {
    "scriptName": "shout",
    "findRegex": "/chirp/g",
    "replaceString": "CHIRP",
    "placement": [2],
    "disabled": False,
    "markdownOnly": False,
    "promptOnly": False,
}


async def fetched(interaction: Interaction) -> bytes:
    assert interaction.response is not None, interaction.text
    url = interaction.response.attachments[0]["url"]
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.read()


def card_of(stage: Stage, name: str = "wren") -> Any:
    return stage.troupe.library.get(name, GuildId(stage.guild.id)).card


async def edits(stage: Stage, name: str, /, **values: str) -> Interaction:
    opened = await stage.admin.slash(stage.channel, "persona edit", name=name)
    assert opened.modal is not None, opened.text
    return await stage.admin.submit_modal(opened, **values)


async def test_an_edit_changes_what_was_changed_and_nothing_else(stage: Stage) -> None:
    await accepts(stage, png_card(), "wren.png")
    answer = await edits(stage, "wren", description="A grey bird.", first_mes="Hello.")
    assert "is changed: description, first_mes" in answer.text
    expected = data(description="A grey bird.", first_mes="Hello.")
    assert dict(card_of(stage).data) == expected


async def test_a_shipped_persona_is_copied_on_edit(stage: Stage) -> None:
    answer = await edits(stage, "maud", scenario="At sea.")
    assert "card of its own" in answer.text
    assert card_of(stage, "maud").scenario == "At sea."
    assert stage.troupe.library.get("maud").card.scenario != "At sea."
    removed = await stage.admin.slash(stage.channel, "persona remove", name="maud")
    assert "own persona of this name is back" in removed.text
    assert card_of(stage, "maud").scenario != "At sea."


async def test_an_empty_name_is_refused_by_the_form(stage: Stage) -> None:
    with pytest.raises(ValueError, match="name"):
        await edits(stage, "maud", name="")


async def test_nothing_changed_makes_no_copy(stage: Stage) -> None:
    assert "Nothing was changed" in (await edits(stage, "maud")).text
    assert await stage.troupe.stores.cards.entries(GuildId(stage.guild.id)) == ()


async def test_a_text_too_long_for_the_form_stays_as_it_is(stage: Stage) -> None:
    long = "x" * 5000
    await accepts(stage, json_card(description=long))
    answer = await edits(stage, "wren", scenario="At sea.")
    assert "Too long for the form" in answer.text
    assert card_of(stage).description == long


@pytest.mark.parametrize("format", ["png v3", "json v3", "charx v3", "png v2", "json v2"])
async def test_an_export_can_be_imported_anywhere(stage: Stage, format: str) -> None:  # noqa: A002
    await accepts(stage, png_card(), "wren.png")
    answer = await stage.admin.slash(stage.channel, "persona export", name="wren", format=format)
    read = read_card(await fetched(answer), "export")
    assert read.card.name == "Wren"
    assert read.card.data["extensions"] == {"their_app": {"n": 1}}
    assert read.spec.endswith(format[-2:])


async def test_the_original_comes_back_to_the_byte(stage: Stage) -> None:
    original = png_card()
    await accepts(stage, original, "wren.png")
    answer = await stage.admin.slash(
        stage.channel, "persona export", name="wren", format="original"
    )
    assert await fetched(answer) == original
    missing = await stage.admin.slash(
        stage.channel, "persona export", name="maud", format="original"
    )
    assert "no original" in missing.text


async def test_removing_hands_the_card_over(stage: Stage) -> None:
    await accepts(stage, json_card())
    removed = await stage.admin.slash(stage.channel, "persona remove", name="Wren")
    assert "**Wren** is removed" in removed.text
    assert await fetched(removed) == json_card()
    again = await stage.admin.slash(stage.channel, "persona remove", name="wren")
    assert "not imported here" in again.text
    shipped = await stage.admin.slash(stage.channel, "persona remove", name="maud")
    assert "not imported here" in shipped.text


async def test_a_removed_persona_s_channel_falls_back_to_the_default(stage: Stage) -> None:
    await accepts(stage, json_card())
    await stage.admin.slash(stage.channel, "persona switch", name="wren")
    await stage.admin.slash(stage.channel, "persona remove", name="wren")
    asked = await stage.channel.says(stage.guest, "how tall is K2?", mention_bot=True)
    assert (await stage.channel.next_reply(to=asked)).author.name != "Wren"


async def test_scripts_run_only_where_they_are_switched_on(stage: Stage) -> None:
    await accepts(stage, json_card(extensions={"regex_scripts": [SCRIPT]}))
    await stage.admin.slash(stage.channel, "persona switch", name="wren")
    stage.ollama.reply_with("chirp chirp")
    asked = await stage.channel.says(stage.guest, "sing", mention_bot=True)
    assert "chirp chirp" in (await stage.channel.next_reply(to=asked)).content
    on = await stage.admin.slash(stage.channel, "persona scripts", name="wren", state="on")
    assert "regex scripts are on" in on.text
    asked = await stage.channel.says(stage.guest, "sing again", mention_bot=True)
    assert "CHIRP CHIRP" in (await stage.channel.next_reply(to=asked)).content
    none = await stage.admin.slash(stage.channel, "persona scripts", name="maud", state="on")
    assert "no regex scripts" in none.text


async def test_a_script_for_prompts_changes_what_the_model_sees_alone(stage: Stage) -> None:
    hides = {**SCRIPT, "findRegex": "/chirp/g", "replaceString": "(sang)", "promptOnly": True}
    await accepts(stage, json_card(extensions={"regex_scripts": [hides]}))
    await stage.admin.slash(stage.channel, "persona switch", name="wren")
    await stage.admin.slash(stage.channel, "persona scripts", name="wren", state="on")
    stage.ollama.reply_with("chirp")
    for line in ("sing", "sing again"):
        asked = await stage.channel.says(stage.guest, line, mention_bot=True)
        assert "chirp" in (await stage.channel.next_reply(to=asked)).content
    sent = stage.ollama.chats[-1].messages
    assert "(sang)" in [each["content"] for each in sent if each["role"] == "assistant"]


async def test_what_a_script_makes_is_judged_too(stage: Stage) -> None:
    evil = {**SCRIPT, "replaceString": "@everyone discord.gg/evil"}
    await accepts(stage, json_card(extensions={"regex_scripts": [evil]}))
    await stage.admin.slash(stage.channel, "persona switch", name="wren")
    await stage.admin.slash(stage.channel, "persona scripts", name="wren", state="on")
    stage.ollama.reply_with("chirp")
    asked = await stage.channel.says(stage.guest, "sing", mention_bot=True)
    reply = await stage.channel.next_reply(to=asked)
    assert "discord.gg/evil" not in reply.content
    assert "@everyone" not in reply.content
