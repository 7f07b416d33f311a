"""Several personas in one place: who answers, who joins in, and that it ends."""

from __future__ import annotations

import asyncio

from bot.adapters.redis import open_redis
from bot.chat.place import ChannelId, GuildId, Place
from tests.integration.discord.commands.cards import json_card
from tests.integration.discord.commands.conftest import Stage
from tests.integration.discord.commands.test_import import accepts


async def scene(stage: Stage, *, talkative: float = 0.0) -> None:
    """Wren and Robin share the channel; neither speaks up unasked."""
    for name in ("Wren", "Robin"):
        quiet = {"talkativeness": talkative}
        await accepts(stage, json_card(name, first_mes="", extensions=quiet), f"{name}.json")
        joined = await stage.admin.slash(stage.channel, "channel scene add", persona=name)
        assert "is in the scene" in joined.text


def speakers(stage: Stage) -> list[str]:
    return [message.author.name for message in stage.channel.from_bot if not message.ephemeral]


async def at_rest(stage: Stage, count: int) -> list[str]:
    """Return who spoke, once `count` have and nobody follows."""
    await stage.discord.world.until(lambda: len(speakers(stage)) >= count or None, "replies")
    await asyncio.sleep(0.6)
    return speakers(stage)


async def test_a_persona_is_addressed_by_its_name(stage: Stage) -> None:
    await scene(stage)
    stage.ollama.reply_with("Here.")
    await stage.channel.says(stage.guest, "Robin, are you there?", mention_bot=True)
    assert await at_rest(stage, 1) == ["Robin"]
    await stage.channel.says(stage.guest, "and Wren?")  # the name is enough
    assert await at_rest(stage, 2) == ["Robin", "Wren"]


async def test_a_persona_is_addressed_by_a_reply(stage: Stage) -> None:
    await scene(stage)
    stage.ollama.reply_with("Here.")
    await stage.channel.says(stage.guest, "Robin?", mention_bot=True)
    await at_rest(stage, 1)
    robin = stage.channel.from_bot[-1]
    await stage.channel.says(stage.guest, "what do you see", reply_to=robin)
    assert await at_rest(stage, 2) == ["Robin", "Robin"]


async def test_a_persona_that_is_named_joins_in_and_it_ends_there(stage: Stage) -> None:
    await scene(stage)
    stage.ollama.reply_with("What do you say, Wren? And you, Robin?")
    await stage.channel.says(stage.guest, "Robin?", mention_bot=True)
    assert await at_rest(stage, 2) == ["Robin", "Wren"]
    prompts = [chat.messages for chat in stage.ollama.chats]
    assert len(prompts) == 2
    assert "Robin: What do you say" in str(prompts[1])
    assert "It is Wren's turn" in str(prompts[1][-1])


async def test_two_that_are_both_called_both_answer(stage: Stage) -> None:
    await scene(stage)
    stage.ollama.reply_with("Here.")
    await stage.channel.says(stage.guest, "Wren and Robin, sing!", mention_bot=True)
    assert await at_rest(stage, 2) == ["Wren", "Robin"]


async def test_who_speaks_before_a_persona_that_joins_in_is_answered_in_its_place(
    stage: Stage,
) -> None:
    await scene(stage)
    stage.ollama.fail_next("slow", contains="It is Wren's turn")
    stage.ollama.reply_next("What do you say, Wren?")
    stage.ollama.reply_with("Here.")
    first = await stage.channel.says(stage.guest, "Robin?", mention_bot=True)
    await stage.ollama.until(lambda: len(stage.ollama.chats) == 2)
    asked = await stage.channel.says(stage.guest, "never mind, Robin")
    assert await at_rest(stage, 2) == ["Robin", "Robin"]
    place = Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))
    stored = await stage.troupe.stores.conversations.load(place)
    assert [exchange.turn for exchange in stored.exchanges] == [str(first.id), str(asked.id)]
    assert await unsettled(stage) == 0


async def unsettled(stage: Stage) -> int:
    """Return how many messages a successor would take up."""
    redis = await open_redis(stage.redis_url)
    try:
        return sum([await redis.xlen(key) for key in await redis.keys("troupe:*:turns")])
    finally:
        await redis.aclose()


async def test_all_of_it_is_remembered_and_goes_with_its_question(stage: Stage) -> None:
    await scene(stage)
    stage.ollama.reply_with("Here.")
    asked = await stage.channel.says(stage.guest, "Wren and Robin, sing!", mention_bot=True)
    await at_rest(stage, 2)
    store = stage.troupe.stores.conversations
    place = Place(ChannelId(stage.channel.id), GuildId(stage.guild.id))
    exchanges = (await store.load(place)).exchanges
    assert [e.reply.persona for e in exchanges if e.reply] == ["wren", "robin"]
    assert [len(e.said) for e in exchanges] == [1, 0]
    await stage.channel.delete(asked)
    for _ in range(200):
        if not (await store.load(place)).exchanges:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a reply outlived its question")


async def test_scene_commands_say_who_is_there(stage: Stage) -> None:
    alone = await stage.guest.slash(stage.channel, "persona show")
    assert "share this place" not in alone.text
    first = await stage.admin.slash(stage.channel, "channel scene add", persona="maud")
    assert "needs two" in first.text
    await stage.admin.slash(stage.channel, "channel scene add", persona="bram")
    listed = await stage.admin.slash(stage.channel, "channel scene list")
    assert "talkative" in listed.text
    assert "share this place" in (await stage.guest.slash(stage.channel, "persona show")).text
    gone = await stage.admin.slash(stage.channel, "channel scene remove", persona="bram")
    assert "the cast answers" in gone.text
    absent = await stage.admin.slash(stage.channel, "channel scene remove", persona="bram")
    assert "not in the scene" in absent.text


async def test_switching_to_one_persona_ends_the_scene(stage: Stage) -> None:
    await scene(stage)
    await stage.admin.slash(stage.channel, "persona switch", name="wren")
    stage.ollama.reply_with("Here.")
    await stage.channel.says(stage.guest, "Robin?", mention_bot=True)
    assert await at_rest(stage, 1) == ["Wren"]
