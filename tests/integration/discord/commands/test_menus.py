"""Menus of a message: ask a persona about it, let one reply to it, edit a reply."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.discord.state import Message
from tests.integration.discord.commands.cards import json_card
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_import import accepts
from tests.integration.discord.commands.test_reply_controls import (
    FULL,
    asked,
    buttons,
    press,
    says,
    stored,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def stage(room: Stage) -> Stage:
    """A room of its own for each scene."""
    return room


ASK, REPLY_AS, EDIT = "Ask a persona about this", "Reply as…", "Edit this reply"


async def below(stage: Stage, text: str) -> Message:
    """Wait for a reply that says something; return it."""

    def there() -> bool:
        said = [m for m in stage.channel.from_bot if m.content.startswith(text)]
        return any(m.components and "Stop" not in buttons(m) for m in said)

    await until(stage, there, text)
    return next(m for m in stage.channel.from_bot if m.content.startswith(text))


async def test_a_persona_is_asked_about_somebody_s_message(stage: Stage) -> None:
    said = await stage.channel.says(stage.admin, "The lighthouse was built in 1789.")
    opened = await stage.guest.context_menu(stage.channel, ASK, said)
    stage.ollama.reply_next("That is older than most gulls think.")
    answer = await stage.guest.submit_modal(opened, persona=["bram"], question="is that old?")
    assert "Bram answers below" in answer.text
    assert answer.ephemeral
    reply = await below(stage, "That is older")
    assert reply.author.name == "Bram"
    assert str(said.id) in str(reply.embeds)
    sent = stage.ollama.chats[-1].messages[-1]["content"]
    assert f"{stage.guest.record.name}: is that old?" in sent
    assert 'ada\'s message: "The lighthouse was built in 1789."' in sent
    assert list(buttons(reply)) == FULL
    stage.ollama.reply_next("Older than me.")
    await press(stage, stage.guest, reply, "Regenerate")  # the question is no message to be read
    await says(stage, reply, "Older than me.")


async def test_what_was_asked_about_a_message_goes_with_it(stage: Stage) -> None:
    said = await stage.channel.says(stage.admin, "The lighthouse was built in 1789.")
    opened = await stage.guest.context_menu(stage.channel, ASK, said)
    stage.ollama.reply_next("In 1789, you say? A swordfish of a lighthouse.")
    await stage.guest.submit_modal(opened, persona=["bram"], question="is that old?")
    await below(stage, "In 1789")
    await asked(stage, "name a bird", "Wren.")
    assert "swordfish" in str(stage.ollama.chats[-1].messages)
    await stage.channel.delete(said)
    for _ in range(200):
        if len(await stored(stage)) == 1:
            break
        await asyncio.sleep(0.02)
    (exchange,) = await stored(stage)
    assert [each.text for each in exchange.said] == ["name a bird"]
    await asked(stage, "what did we talk about?", "Birds.")
    assert "1789" not in str(stage.ollama.chats[-1].messages)


async def test_without_a_question_and_about_a_long_message(stage: Stage) -> None:
    said = await stage.channel.says(stage.admin, "gull " * 300 + "swordfish")
    opened = await stage.guest.context_menu(stage.channel, ASK, said)
    await stage.guest.submit_modal(opened, persona=["maud"])
    await until(stage, lambda: stage.ollama.chats, "a question")
    sent = stage.ollama.chats[-1].messages[-1]["content"]
    assert "What do you make of this?" in sent
    assert "swordfish" in sent


async def test_a_persona_replies_to_a_message_as_if_addressed(stage: Stage) -> None:
    said = await stage.channel.says(stage.guest, "who wants tea?")
    opened = await stage.guest.context_menu(stage.channel, REPLY_AS, said)
    stage.ollama.reply_next("I do, with two lumps.")
    await stage.guest.submit_modal(opened, persona=["tamsin"])
    reply = await below(stage, "I do")
    assert reply.author.name.startswith("Tamsin")
    (exchange,) = await stored(stage)
    assert [each.message_id for each in exchange.said] == [said.id]
    sent = stage.ollama.chats[-1].messages[-1]["content"]
    assert f"{stage.guest.record.name}: who wants tea?" in sent
    again = await stage.guest.context_menu(stage.channel, REPLY_AS, said)
    assert "answered already" in again.text
    await stage.channel.delete(said)
    for _ in range(200):
        if not await stored(stage):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("what was deleted is still remembered")


async def test_wrong_targets_are_told_apart(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    mine = await stage.guest.context_menu(stage.channel, REPLY_AS, reply)
    assert "reply of mine" in mine.text
    machine = await stage.channel.says(stage.discord.other_bot("beep"), "beep")
    assert "people only" in (await stage.guest.context_menu(stage.channel, REPLY_AS, machine)).text
    theirs = await stage.channel.says(stage.admin, "who wants tea?")
    refused = await stage.guest.context_menu(stage.channel, REPLY_AS, theirs)
    assert "Manage Messages" in refused.text
    hidden = await stage.channel.says(stage.admin, "// not for the bot")
    assert (
        "nothing in that message"
        in (await stage.guest.context_menu(stage.channel, ASK, hidden)).text
    )
    edited = await stage.guest.context_menu(stage.channel, EDIT, theirs)
    assert "Only replies of mine" in edited.text
    stranger = stage.guild.member("stranger")
    not_theirs = await stranger.context_menu(stage.channel, EDIT, reply)
    assert "Only who asked" in not_theirs.text
    assert len(stage.ollama.chats) == 1


async def test_a_persona_that_went_meanwhile_is_named(stage: Stage) -> None:
    await accepts(stage, json_card())
    said = await stage.channel.says(stage.guest, "who wants tea?")
    opened = await stage.guest.context_menu(stage.channel, ASK, said)
    await stage.admin.slash(stage.channel, "persona remove", name="wren")
    answer = await stage.guest.submit_modal(opened, persona=["wren"])
    assert "wren" in answer.text
    assert not stage.ollama.chats


async def test_a_reply_is_edited_where_it_stands(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    before = reply.content.removeprefix("Wren.")
    opened = await stage.guest.context_menu(stage.channel, EDIT, reply)
    assert opened.modal is not None
    assert opened.modal["components"][0]["component"]["value"] == "Wren."
    done = await stage.guest.submit_modal(opened, text="Rather a robin.")
    assert "is changed" in await stage.tells(done, "is changed")
    assert reply.content == f"Rather a robin.{before}"
    assert list(buttons(reply)) == FULL
    (exchange,) = await stored(stage)
    assert [each.text for each in exchange.variants] == ["Rather a robin."]
    await asked(stage, "why?", "Because.")
    sent = str(stage.ollama.chats[-1].messages)
    assert "Rather a robin." in sent
    assert "Wren." not in sent


async def test_an_edit_is_judged_like_any_reply(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    opened = await stage.guest.context_menu(stage.channel, EDIT, reply)
    bad = "Mix the ammonium nitrate with fuel oil, then build the pipe bomb like this: first"
    refused = await stage.guest.submit_modal(opened, text=bad)
    assert "breaks this bot's rules" in await stage.tells(refused, "rules")
    await says(stage, reply, "Wren.")
    (exchange,) = await stored(stage)
    assert [each.text for each in exchange.variants] == ["Wren."]


async def test_a_moderator_edits_an_older_reply_and_it_gets_no_buttons(stage: Stage) -> None:
    _, first = await asked(stage, "name a bird", "Wren.")
    await asked(stage, "name a fish", "Pike.")
    await until(stage, lambda: not first.components, "the first without buttons")
    judge = stage.guild.member("judge", permissions=["manage_messages"])
    opened = await judge.context_menu(stage.channel, EDIT, first)
    await judge.submit_modal(opened, text="A robin, @everyone.")
    await until(stage, lambda: "robin" in first.content, "the edit")
    assert first.pings == ()
    assert not first.components


@pytest.mark.parametrize("text", ["   ", "\u200b\u200b"])
async def test_an_edit_that_shows_nothing_changes_nothing(stage: Stage, text: str) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    opened = await stage.guest.context_menu(stage.channel, EDIT, reply)
    refused = await stage.guest.submit_modal(opened, text=text)
    await stage.tells(refused, "An empty text can't be shown.")
    await says(stage, reply, "Wren.")
    (exchange,) = await stored(stage)
    assert [each.text for each in exchange.variants] == ["Wren."]


async def test_a_form_about_what_was_deleted_meanwhile_leads_nowhere(stage: Stage) -> None:
    said = await stage.channel.says(stage.guest, "my swordfish is ill")
    forms = [await stage.guest.context_menu(stage.channel, menu, said) for menu in (ASK, REPLY_AS)]
    _, reply = await asked(stage, "name a bird", "Wren.")
    edit = await stage.guest.context_menu(stage.channel, EDIT, reply)
    await stage.channel.delete(said)
    await stage.channel.delete(reply)
    for _ in range(200):
        if not await stored(stage):
            break
        await asyncio.sleep(0.02)
    for form in forms:
        told = await stage.guest.submit_modal(form, persona=["bram"])
        await stage.tells(told, "That message is gone.")
    told = await stage.guest.submit_modal(edit, text="A robin. " * 20)
    await stage.tells(told, "is gone")
    await stage.tells(told, "This is what you had written:")
    assert len(stage.ollama.chats) == 1


async def test_what_was_written_into_a_form_of_before_a_restart_is_given_back(
    stage: Stage,
) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    opened = await stage.guest.context_menu(stage.channel, EDIT, reply)
    assert opened.modal is not None
    opened.modal["custom_id"] = "of-another-process"
    told = await stage.guest.submit_modal(opened, text="A long and careful text.")
    assert "out of date" in await stage.tells(told, "This is what you had written:")
    (file,) = told.followups[-1].attachments
    path = "/cdn/" + file["url"].partition("/cdn/")[2].partition("?")[0]
    assert stage.discord.world.files[path][0] == b"A long and careful text."
    assert told.followups[-1].ephemeral


async def test_an_edit_of_what_was_written_anew_meanwhile_is_given_back(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    opened = await stage.guest.context_menu(stage.channel, EDIT, reply)
    stage.ollama.reply_next("A robin.")
    await press(stage, stage.guest, reply, "Regenerate")
    await says(stage, reply, "A robin.")
    told = await stage.guest.submit_modal(opened, text="Rather a small wren.")
    await stage.tells(told, "was changed while you were writing")
    await stage.tells(told, "This is what you had written:")
    await says(stage, reply, "A robin.")
    (exchange,) = await stored(stage)
    assert [each.text for each in exchange.variants] == ["Wren.", "A robin."]
    again = await stage.guest.context_menu(stage.channel, EDIT, reply)  # nothing is held up
    await stage.tells(await stage.guest.submit_modal(again, text="A gull."), "is changed")
    await says(stage, reply, "A gull.")


@pytest.mark.parametrize("text", ["x" * 4001, ""])
async def test_a_form_takes_no_text_out_of_its_bounds(stage: Stage, text: str) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    opened = await stage.guest.context_menu(stage.channel, EDIT, reply)
    with pytest.raises(ValueError, match="characters"):
        await stage.guest.submit_modal(opened, text=text)
