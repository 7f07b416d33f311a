"""What people choose is learned from, with their consent alone: thumbs, keeping, own words."""

from __future__ import annotations

import asyncio

import pytest

from bot.chat.place import UserId
from bot.memory import Kind
from bot.memory.style import taste_of
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Person
from tests.fakes.discord.state import Message
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_menus import EDIT
from tests.integration.discord.commands.test_reply_controls import asked, press, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "Rain, and one gutter singing."


@pytest.fixture
def stage(room: Stage) -> Stage:
    """A room of its own for each scene."""
    return room


async def learner(stage: Stage) -> Person:
    """The guest, who wants the bot to learn how they like replies."""
    await stage.guest.slash(stage.channel, "memory on")
    page = await stage.guest.slash(stage.channel, "memory persona", learn=True)
    assert "(learning)" in page.text
    return stage.guest


async def pairs(stage: Stage, who: Person) -> list[tuple[str, str]]:
    """Return what a person chose over what."""
    shelf = await stage.troupe.stores.memories.load(UserId(who.id))
    tastes = [taste_of(item) for item in shelf.of(Kind.TASTE)] if shelf else []
    return [(taste.chosen, taste.rejected) for taste in tastes]


async def learned(stage: Stage, who: Person, *expected: tuple[str, str]) -> None:
    """Wait until just these pairs are kept: that comes after the reply has changed."""
    try:
        async with asyncio.timeout(PATIENCE):
            while await pairs(stage, who) != list(expected):
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(await pairs(stage, who)) from None


async def again(stage: Stage, reply: Message, text: str) -> None:
    """Let the guest have another reply."""
    stage.ollama.reply_next(text)
    await press(stage, stage.guest, reply, "Regenerate")
    await says(stage, reply, text)


async def rewrite(stage: Stage, reply: Message, text: str) -> None:
    """Let the guest put their own words in a reply's place."""
    opened = await stage.guest.context_menu(stage.channel, EDIT, reply)
    await stage.guest.submit_modal(opened, text=text)
    await says(stage, reply, text)


async def test_a_thumb_down_and_another_reply_is_a_choice(stage: Stage) -> None:
    who = await learner(stage)
    _, reply = await asked(stage, "write a poem about rain", "Rain on the roof.")
    await press(stage, who, reply, "👎")
    assert await pairs(stage, who) == []  # worse than what?
    await again(stage, reply, "Grey drums all night.")
    await learned(stage, who, ("Grey drums all night.", "Rain on the roof."))
    page = await who.slash(stage.channel, "memory persona")
    assert "Drawn from 1 choice." in page.text


async def test_a_thumb_up_chooses_the_shown_variant(stage: Stage) -> None:
    who = await learner(stage)
    _, reply = await asked(stage, "write a poem about rain", "Rain on the roof.")
    await again(stage, reply, "Grey drums all night.")
    assert await pairs(stage, who) == []
    told = await press(stage, who, reply, "👍")
    await stage.tells(told, "I keep in mind")
    await learned(stage, who, ("Grey drums all night.", "Rain on the roof."))


async def test_going_on_with_a_variant_keeps_it_and_own_words_are_better_still(
    stage: Stage,
) -> None:
    who = await learner(stage)
    _, reply = await asked(stage, "write a poem about rain", "Rain on the roof.")
    await again(stage, reply, "Grey drums all night.")
    _, other = await asked(stage, "now write a poem about snow", "Snow on the roof.")
    kept = ("Grey drums all night.", "Rain on the roof.")
    await learned(stage, who, kept)
    await rewrite(stage, other, WORDS)
    await learned(stage, who, kept, (WORDS, "Snow on the roof."))


@pytest.mark.parametrize("agreed", ["nothing", "memory alone"])
async def test_without_consent_nothing_is_kept(stage: Stage, agreed: str) -> None:
    if agreed == "memory alone":
        await stage.guest.slash(stage.channel, "memory on")
    _, reply = await asked(stage, "write a poem about rain", "Rain on the roof.")
    await press(stage, stage.guest, reply, "👎")
    await again(stage, reply, "Grey drums all night.")
    told = await press(stage, stage.guest, reply, "👍")
    assert "I keep in mind" not in await stage.tells(told, "Thank you")
    await rewrite(stage, reply, WORDS)
    _, _ = await asked(stage, "now write a poem about snow", "Snow on the roof.")
    assert await pairs(stage, stage.guest) == []


async def test_somebody_else_s_thumb_is_no_choice_of_theirs(stage: Stage) -> None:
    await learner(stage)
    stranger = stage.guild.member("sam")
    await stranger.slash(stage.channel, "memory on")
    await stranger.slash(stage.channel, "memory persona", learn=True)
    _, reply = await asked(stage, "write a poem about rain", "Rain on the roof.")
    await again(stage, reply, "Grey drums all night.")
    await press(stage, stranger, reply, "👍")
    assert await pairs(stage, stranger) == []
    assert await pairs(stage, stage.guest) == []


async def test_what_was_learned_goes_with_the_consent(stage: Stage) -> None:
    who = await learner(stage)
    _, reply = await asked(stage, "write a poem about rain", "Rain on the roof.")
    await rewrite(stage, reply, WORDS)
    await learned(stage, who, (WORDS, "Rain on the roof."))
    asked_for = await who.slash(stage.channel, "memory off")
    sure = asked_for.followups[-1] if asked_for.followups else asked_for.original
    assert sure is not None
    await who.click(sure, "memory-sure")
    await stage.discord.world.until(lambda: "Done." in sure.content, "done")
    assert await pairs(stage, who) == []
