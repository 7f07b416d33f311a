"""Buttons under replies, really pressed: variants, continuing, stopping, deleting, asking why."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from bot.chat.conversation import Exchange
from bot.chat.place import ChannelId, GuildId, Place
from bot.personas.binding import Binding, BindingLevel, BindingTarget
from tests.fakes.discord.handles import Person
from tests.fakes.discord.handles import Place as Channel
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.state import Message
from tests.fakes.discord.validation import components_of
from tests.integration.discord.commands.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def stage(room: Stage) -> Stage:
    """A room of its own for each scene."""
    return room


LONG = " ".join(f"A road of {number} stones led on." for number in range(100))
FULL = ["Regenerate", "Continue", "👍", "👎", "Why", "🗑️"]


def buttons(message: Message) -> dict[str, str]:
    """Return the custom ids of a message's buttons by label, or by emoji."""
    parts = components_of(message.components)
    return {
        str(p.get("label") or p["emoji"]["name"]): str(p["custom_id"])
        for p in parts
        if p["type"] == 2
    }


async def asked(
    stage: Stage, text: str, reply: str, who: Person | None = None, where: Channel | None = None
) -> tuple[Message, Message]:
    """Ask, and wait until the answer stands there with its buttons; return both."""
    stage.ollama.reply_next(reply)
    channel = where or stage.channel
    question = await channel.says(who or stage.guest, text, mention_bot=True)
    await channel.next_reply(to=question, quiet=0)
    await until(stage, lambda: "Why" in buttons(channel.replies_to(question)[-1]), "buttons")
    return question, channel.replies_to(question)[-1]


async def until(stage: Stage, look: Any, what: str) -> None:
    await stage.discord.world.until(lambda: look() or None, what)


async def press(stage: Stage, who: Person, message: Message, label: str) -> Interaction:
    return await who.click(message, buttons(message)[label])


async def says(stage: Stage, message: Message, text: str) -> None:
    """Wait until a message says something, and can be pressed again."""

    def there() -> bool:
        own = message.content.split("\n\n-# ")[0].removeprefix("**Maud**\n")
        return own == text and "Stop" not in buttons(message)

    try:
        await until(stage, there, text)
    except TimeoutError:
        raise AssertionError(f"{message.content!r} {list(buttons(message))}") from None


async def stored(stage: Stage, channel: Channel | None = None) -> list[Exchange]:
    channel = channel or stage.channel
    guild = GuildId(stage.guild.id) if channel.record.guild else None
    place = Place(ChannelId(channel.id), guild)
    return list((await stage.troupe.stores.conversations.load(place)).exchanges)


async def test_a_reply_carries_its_buttons_at_the_cost_of_no_call(stage: Stage) -> None:
    await asked(stage, "how tall is K2?", "8,611 metres.")  # finds webhook and avatar
    stage.discord.forget_calls()
    _, reply = await asked(stage, "how tall is Everest?", "8,849 metres.")
    assert list(buttons(reply)) == FULL

    def changes() -> list[str]:
        """Return the calls that change what can be read, in order."""
        calls = sorted(stage.discord.calls.elements())
        return [call for call in calls if "typing" not in call and not call.startswith("GET")]

    # One message, and one edit that takes the buttons off the reply before.
    await until(stage, lambda: len(changes()) >= 2, "tidying")
    edit, post = changes()
    assert edit == "PATCH /webhooks/{webhook}/{token}/messages/{message}"
    assert post == "POST /webhooks/{webhook}/{token}"


async def test_only_the_latest_reply_of_a_place_has_buttons(stage: Stage) -> None:
    _, first = await asked(stage, "how tall is K2?", "8,611 metres.")
    _, second = await asked(stage, "how tall is Everest?", "8,849 metres.")
    await until(stage, lambda: not first.components, "the first without buttons")
    assert list(buttons(second)) == FULL


async def test_regenerating_writes_a_variant_in_place_and_the_model_sees_it(stage: Stage) -> None:
    question, reply = await asked(stage, "how tall is K2?", "Rather tall.")
    stage.ollama.reply_next("8,611 metres.")
    await press(stage, stage.guest, reply, "Regenerate")
    await says(stage, reply, "8,611 metres.")
    assert "2/2" in buttons(reply)
    assert stage.channel.replies_to(question) == [reply]
    again = stage.ollama.chats[-1].messages
    assert "Rather tall" not in str(again)
    assert "how tall is K2?" in again[-1]["content"]
    _, reply = await asked(stage, "and how old?", "Old.")
    assert "8,611 metres." in str(stage.ollama.chats[-1].messages)
    assert "Rather tall" not in str(stage.ollama.chats[-1].messages)


async def test_variants_are_flipped_and_the_shown_one_is_the_truth(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    for word in ("Owl.", "Kite."):
        stage.ollama.reply_next(word)
        await press(stage, stage.guest, reply, "Regenerate")
        await says(stage, reply, word)
    assert "3/3" in buttons(reply)
    await press(stage, stage.guest, reply, "▶️")  # round
    await says(stage, reply, "Wren.")
    await press(stage, stage.guest, reply, "◀️")
    await says(stage, reply, "Kite.")
    await press(stage, stage.guest, reply, "◀️")
    await says(stage, reply, "Owl.")
    (exchange,) = await stored(stage)
    assert [v.text for v in exchange.variants] == ["Wren.", "Owl.", "Kite."]
    assert exchange.reply is not None
    assert exchange.reply.text == "Owl."
    await asked(stage, "and another", "Rook.")
    sent = str(stage.ollama.chats[-1].messages)
    assert "Owl." in sent
    assert "Kite." not in sent


async def test_a_reply_whose_webhook_is_gone_stays_as_it_is_and_can_be_removed(
    stage: Stage,
) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    for webhook in stage.channel.webhooks:
        stage.channel.remove_webhook(webhook)
    stage.ollama.reply_next("Owl.")
    refused = await press(stage, stage.guest, reply, "Regenerate")
    await stage.tells(refused, "no longer lets me change this reply")
    await until(stage, lambda: "Regenerate" in buttons(reply), "its buttons")
    assert "Stop" not in buttons(reply)
    assert reply.content.startswith("Wren.")
    stage.channel.forbid_bot("manage_messages")
    await press(stage, stage.guest, reply, "🗑️")
    await until(stage, lambda: reply.deleted_at is not None, "the reply removed")


async def test_a_double_click_does_one_thing(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    stage.ollama.set_pace(first_token=0.3)
    stage.ollama.reply_next("Owl.")
    before = len(stage.ollama.chats)
    ident = buttons(reply)["Regenerate"]
    judge = stage.guild.member("judge", permissions=["manage_messages"])
    clicks = await asyncio.gather(
        stage.guest.click(reply, ident), stage.guest.click(reply, ident), judge.click(reply, ident)
    )
    assert not any(click.failed for click in clicks)
    await says(stage, reply, "Owl.")
    late = await stage.guest.click(reply, ident, stale=True)
    assert not late.failed
    assert len(stage.ollama.chats) == before + 1
    assert [len(each.variants) for each in await stored(stage)] == [2]


async def test_continue_goes_on_where_the_reply_stops(stage: Stage) -> None:
    _, reply = await asked(stage, "tell me a tale", "There was a wren, and")
    stage.ollama.reply_next("there was a wren, and it sang all day.")
    await press(stage, stage.guest, reply, "Continue")
    await says(stage, reply, "There was a wren, and it sang all day.")
    (exchange,) = await stored(stage)
    assert [v.text for v in exchange.variants] == ["There was a wren, and it sang all day."]
    sent = stage.ollama.chats[-1].messages
    assert [m["role"] for m in sent[-2:]] == ["assistant", "user"]
    assert sent[-2]["content"] == "There was a wren, and"


async def test_a_reply_cut_by_its_length_says_so_and_can_be_continued(stage: Stage) -> None:
    words = " ".join(f"word{number}" for number in range(2000))
    question, reply = await asked(stage, "how long is a piece of string? facts please", words)
    parts = stage.channel.replies_to(question)
    assert "as long as one reply may be" in stage.channel.answer_to(question)
    assert not any(part.components for part in parts[:-1])
    stage.ollama.reply_next("and so it ended.")
    await press(stage, stage.guest, reply, "Continue")
    await until(stage, lambda: "and so it ended." in stage.channel.answer_to(question), "the end")
    assert "as long as one reply may be" not in stage.channel.answer_to(question)


async def test_stop_ends_a_reply_where_it_is_and_keeps_it(stage: Stage) -> None:
    stage.ollama.set_pace(rate=30)
    stage.ollama.reply_next(LONG)
    question = await stage.channel.says(stage.guest, "talk without end", mention_bot=True)
    reply = await stage.channel.next_reply(to=question, quiet=0)
    assert list(buttons(reply)) == ["Stop"]
    stranger = stage.guild.member("stranger")
    refused = await press(stage, stranger, reply, "Stop")
    assert "Only who asked" in refused.text
    assert refused.ephemeral
    assert stage.ollama.cancelled == 0
    pressed = time.monotonic()
    clicked = asyncio.create_task(press(stage, stage.guest, reply, "Stop"))
    await stage.ollama.until(lambda: stage.ollama.cancelled == 1)
    took = time.monotonic() - pressed
    assert took < 1.0, took  # a bound for busy machines; the bench has the figure
    await clicked
    await until(stage, lambda: "Regenerate" in buttons(reply), "the row")
    (exchange,) = await stored(stage)
    assert exchange.reply is not None
    assert exchange.reply.text.startswith("A road")
    assert len(exchange.reply.text) < 1000
    stage.ollama.set_pace(rate=None)
    stage.ollama.reply_next("finally done.")
    await press(stage, stage.guest, reply, "Continue")
    await until(stage, lambda: "finally done." in reply.content, "the end")


async def test_stopping_a_regeneration_before_its_first_word_leaves_the_reply(
    stage: Stage,
) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    stage.ollama.set_pace(first_token=20)
    await press(stage, stage.guest, reply, "Regenerate")
    assert list(buttons(reply)) == ["Stop"]
    await stage.ollama.until(lambda: len(stage.ollama.chats) == 2)
    await press(stage, stage.guest, reply, "Stop")
    await stage.ollama.until(lambda: stage.ollama.cancelled == 1)
    await says(stage, reply, "Wren.")
    assert list(buttons(reply)) == FULL
    stage.ollama.set_pace(first_token=0)
    stage.ollama.reply_next("Owl.")
    await press(stage, stage.guest, reply, "Regenerate")  # nothing is claimed any more
    await says(stage, reply, "Owl.")


async def test_who_may_press_what(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    stranger = stage.guild.member("stranger")
    for label in ("Regenerate", "Continue", "🗑️"):
        refused = await press(stage, stranger, reply, label)
        assert "Only who asked for this reply" in await stage.tells(refused, "Only")
        assert refused.ephemeral
    assert len(stage.ollama.chats) == 1
    assert reply.deleted_at is None
    for label in ("👍", "👎"):
        assert (await press(stage, stranger, reply, label)).text == "Thank you."
    moderator = stage.guild.member("judge", permissions=["manage_messages"])
    stage.ollama.reply_next("Owl.")
    await press(stage, moderator, reply, "Regenerate")
    await says(stage, reply, "Owl.")


async def test_deleting_a_reply_takes_every_variant_and_every_part(stage: Stage) -> None:
    question, reply = await asked(stage, "tell me a tale", LONG.replace("road", "swordfish"))
    parts = stage.channel.replies_to(question)
    assert len(parts) == 2
    stage.ollama.reply_next(LONG.replace("road", "other swordfish"))
    await press(stage, stage.guest, reply, "Regenerate")
    await until(stage, lambda: "2/2" in buttons(stage.channel.replies_to(question)[-1]), "2/2")
    await press(stage, stage.guest, stage.channel.replies_to(question)[-1], "🗑️")
    await until(stage, lambda: not stage.channel.replies_to(question), "all gone")
    (exchange,) = await stored(stage)
    assert exchange.variants == ()
    await asked(stage, "what did you say?", "Nothing.")
    assert "swordfish" not in str(stage.ollama.chats[-1].messages)


async def test_why_is_for_the_reader_s_eyes(stage: Stage) -> None:
    _, reply = await asked(stage, "how tall is K2?", "8,611 metres.")
    told = await press(stage, stage.guest, reply, "Why")
    text = await stage.tells(told, "Route")
    assert told.ephemeral
    assert "Maud" in text
    assert "K2" not in text


async def test_the_question_was_deleted_while_nobody_listened(stage: Stage) -> None:
    question, reply = await asked(stage, "name a bird", "Wren.")
    stage.channel.record.messages.pop(question.id)  # no event comes
    question.deleted_at = time.monotonic()
    pressed = await press(stage, stage.guest, reply, "Regenerate")
    await stage.tells(pressed, "The question was deleted")
    assert len(stage.ollama.chats) == 1
    assert await stored(stage) == []


async def test_an_edited_question_is_answered_as_it_is_now(stage: Stage) -> None:
    question, reply = await asked(stage, "name a bird", "Wren.")
    await stage.channel.edit(question, f"<@{stage.discord.bot_user.id}> name a fish")
    stage.ollama.reply_next("Pike.")
    await press(stage, stage.guest, reply, "Regenerate")
    await says(stage, reply, "Pike.")
    assert "name a fish" in stage.ollama.chats[-1].messages[-1]["content"]
    assert "name a bird" not in str(stage.ollama.chats[-1].messages)


async def test_deleting_the_question_while_it_is_answered_anew(stage: Stage) -> None:
    question, reply = await asked(stage, "name a bird", "Wren.")
    stage.ollama.set_pace(first_token=20)
    await press(stage, stage.guest, reply, "Regenerate")
    await stage.ollama.until(lambda: len(stage.ollama.chats) == 2)
    await stage.channel.delete(question)
    await stage.ollama.until(lambda: stage.ollama.cancelled == 1)
    await until(stage, lambda: reply.deleted_at is not None, "no reply without a question")
    assert await stored(stage) == []


async def test_when_the_model_is_away_the_reply_stays_and_its_person_is_told(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    stage.ollama.fail_next("error", status=500, message="out of memory", times=-1)
    pressed = await press(stage, stage.guest, reply, "Regenerate")
    await stage.tells(pressed, "can't be reached")
    await says(stage, reply, "Wren.")
    assert list(buttons(reply)) == FULL
    stage.ollama.faults.clear()


async def test_a_persona_that_was_removed_can_t_go_on(stage: Stage) -> None:
    from tests.integration.discord.commands.cards import json_card
    from tests.integration.discord.commands.test_import import accepts

    await accepts(stage, json_card())
    await stage.admin.slash(stage.channel, "persona switch", name="wren")
    _, reply = await asked(stage, "sing", "Tirili.")
    await stage.admin.slash(stage.channel, "persona remove", name="wren")
    pressed = await press(stage, stage.guest, reply, "Regenerate")
    await stage.tells(pressed, "no longer here")
    await says(stage, reply, "Tirili.")


async def test_another_variant_is_worth_a_turn_and_has_to_wait_like_one(stage: Stage) -> None:
    target = BindingTarget(BindingLevel.CHANNEL, GuildId(stage.guild.id), stage.channel.id)
    await stage.troupe.stores.bindings.put(target, Binding(limits={"each": 1}))
    _, reply = await asked(stage, "name a bird", "Wren.")
    pressed = await press(stage, stage.guest, reply, "Regenerate")
    await stage.tells(pressed, "wait")
    await says(stage, reply, "Wren.")


async def test_an_old_reply_stays_as_it_is(stage: Stage) -> None:
    _, first = await asked(stage, "name a bird", "Wren.")
    ident = buttons(first)["Regenerate"]
    await asked(stage, "name a fish", "Pike.")
    pressed = await stage.guest.click(first, ident, stale=True)
    await stage.tells(pressed, "has gone on")
    assert len(stage.ollama.chats) == 2


async def test_in_a_direct_message(stage: Stage) -> None:
    here = stage.discord.dm(stage.guest)
    _, reply = await asked(stage, "name a bird", "Wren.", where=here)
    assert reply.webhook_id is None
    assert list(buttons(reply)) == FULL
    stage.ollama.reply_next("Owl.")
    await press(stage, stage.guest, reply, "Regenerate")
    await until(stage, lambda: "Owl." in reply.content and "2/2" in buttons(reply), "2/2")
    forgotten = await stage.guest.slash(here, "conversation reset")
    assert forgotten.text.startswith("Forgotten: 1 exchange")
    await press(stage, stage.guest, reply, "🗑️")
    await until(stage, lambda: reply.deleted_at is not None, "deleted")


async def test_in_a_thread_and_without_webhooks(stage: Stage) -> None:
    thread = await stage.channel.thread("birds", stage.guest)
    _, reply = await asked(stage, "name a bird", "Wren.", where=thread)
    assert reply.webhook_id is not None
    stage.ollama.reply_next("Owl.")
    await press(stage, stage.guest, reply, "Regenerate")
    await until(stage, lambda: reply.content.startswith("Owl.") and "2/2" in buttons(reply), "2/2")
    other = stage.guild.channel("bare")
    other.forbid_bot("manage_webhooks")
    _, reply = await asked(stage, "name a fish", "Pike.", where=other)
    assert reply.webhook_id is None
    stage.ollama.reply_next("Carp.")
    await press(stage, stage.guest, reply, "Regenerate")
    await until(stage, lambda: "Carp." in reply.content and "2/2" in buttons(reply), "2/2")


async def test_the_buttons_outlive_a_restart(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    await stage.restart()
    told = await press(stage, stage.guest, reply, "Why")
    assert reply.author.name in await stage.tells(told, "Persona")
    stage.ollama.reply_next("Owl.")
    await press(stage, stage.guest, reply, "Regenerate")
    await says(stage, reply, "Owl.")
    await press(stage, stage.guest, reply, "▶️")
    await says(stage, reply, "Wren.")


async def test_after_a_crisis_no_persona_writes_anew(stage: Stage) -> None:
    _, reply = await asked(stage, "name a bird", "Wren.")
    elsewhere = stage.guild.channel("quiet")
    stage.ollama.reply_next("I am glad that you told me.")
    said = await elsewhere.says(stage.guest, "i am going to kill myself tonight", mention_bot=True)
    await elsewhere.next_reply(to=said, quiet=0)
    pressed = await press(stage, stage.guest, reply, "Regenerate")
    await stage.tells(pressed, "without any persona")
    await says(stage, reply, "Wren.")
