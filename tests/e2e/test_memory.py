"""A person is remembered as they agreed to, where it is right, and forgotten completely."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from bot.adapters.redis import keys, open_sealer
from bot.adapters.redis.memories import RedisMemories
from bot.chat.place import UserId
from bot.memory import Item, Kind
from tests.e2e.troupe import Scene, run, until
from tests.fakes import PATIENCE
from tests.fakes.discord.handles import Person, Place, Server
from tests.fakes.discord.state import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOLD = (
    "I love hiking with my sister",
    "my dog is called Poppy",
    "I work as a carpenter",
    "I play the cello in a small orchestra",
    "I drive a green van called Olga",
    "my sister lives in Lisbon",
    "I grow tomatoes on my balcony",
    "I am learning to bake bread",
)
"""Enough to be read at once."""


def notebook(body: Mapping[str, Any]) -> str:
    """Note every new message as it stands, as a model would that notes too much."""
    told = json.loads(body["messages"][-1]["content"])
    items = [
        {
            "kind": "preference" if "love" in text else "fact",
            "slot": "other",
            "text": f"noted: {text}",
            "quote": text,
            "about": "self",
            "durable": True,
            "replaces": [],
        }
        for text in told.get("new", ())
    ]
    return json.dumps({"items": items[:6]})


async def remembered(scene: Scene, person: Person) -> tuple[Item, ...]:
    """Return what lies in the database."""
    sealer = open_sealer(None, scene.troupe.folder / "data")
    async with scene.troupe.database() as redis:
        shelf = await RedisMemories(redis, sealer).load(UserId(person.id))
        return shelf.items if shelf is not None else ()


async def traces(scene: Scene, person: Person) -> list[str]:
    """Return every key of the memory that is the person's, or holds their id. By SCAN."""
    found = []
    async with scene.troupe.database() as redis:
        async for key in redis.scan_iter():
            name = key.decode()
            if ":memory" in name and f"{{u:{person.id}}}" in name:
                found.append(name)
            if name.endswith((":sources", ":memory", "{memory}:due")):
                kind = (await redis.type(key)).decode()
                held: Any = {
                    "hash": redis.hvals,
                    "set": redis.smembers,
                    "zset": lambda key: redis.zrange(key, 0, -1),
                }[kind]
                if str(person.id).encode() in await held(key):
                    found.append(name)
    return sorted(found)


async def companion(scene: Scene, *, agreed: bool = True) -> tuple[Place, Person]:
    """Return a channel and somebody whose messages go to the companion."""
    stage, person = scene.channel(), scene.person()
    await person.slash(stage, "route pin", route="companion")
    if agreed:
        await person.slash(stage, "memory on")
    return stage, person


async def tell(scene: Scene, stage: Place, person: Person, *texts: str) -> list[Message]:
    """Say things, and wait until they were read."""
    scene.ollama.reply_with(notebook, kind="json")
    read = len(readings(scene))
    said = [(await scene.exchange(stage, person, text, "I see."))[0] for text in texts]
    if len(texts) >= len(TOLD):
        await until(lambda: len(readings(scene)) > read, "a reading of the new messages")
    return said


def readings(scene: Scene) -> list[Any]:
    return [chat for chat in scene.ollama.chats if '"new":' in chat.messages[-1]["content"]]


async def forget_all(stage: Place, person: Person) -> None:
    asked = await person.slash(stage, "memory forget-all")
    page = asked.original
    assert page is not None
    await person.click(page, "memory-sure")
    await until(lambda: page.content.startswith("Everything is forgotten"), "the end of it")


async def asked(scene: Scene, stage: Place, person: Person, text: str) -> str:
    """Ask, and return the last message of the prompt that this made."""
    await scene.exchange(stage, person, text, "Let me think.")
    return str(scene.asked(text)[-1].messages[-1]["content"])


async def test_nobody_is_asked_after_a_failure_or_for_a_question(scene: Scene) -> None:
    stage, alice = await companion(scene, agreed=False)
    ben = scene.person()
    await ben.slash(stage, "route pin", route="companion")

    def offered() -> set[str]:
        return {who for who in (str(alice.id), str(ben.id)) if who in everything()}

    def everything() -> str:
        return json.dumps([m.components for m in stage.messages if "memory:offer" in str(m)])

    await scene.exchange(stage, ben, "what is my dog called?", "You never said.")
    scene.ollama.fail_next("error", status=404, message="model not found")
    asked = await stage.says(alice, "my dog is called Poppy", mention_bot=True)
    assert await scene.troupe.over(asked) == "failed"
    await scene.exchange(stage, alice, "my dog is called Poppy, I said", "A fine name.")
    await scene.exchange(stage, ben, "my cat is called Moth", "A fine name.")
    await until(offered, "an offer")
    assert offered() == {str(ben.id)}


async def test_a_memory_is_offered_once_and_a_yes_is_all_it_takes(scene: Scene) -> None:
    stage, alice = await companion(scene, agreed=False)
    ben = scene.person()

    def offers() -> list[Message]:
        ours = f"memory:offer:{alice.id}"
        return [m for m in stage.messages if ours in json.dumps(m.components)]

    await scene.exchange(stage, alice, "my dog is called Poppy", "A fine name.")
    offer = await until(lambda: next(iter(offers()), None), "the offer")
    assert not offer.pings
    refused = await ben.click(offer, f"memory:offer:{alice.id}:yes")
    assert "not for you" in refused.text
    await scene.troupe.terminate()
    await scene.troupe.start()  # the buttons outlive a restart
    await scene.troupe.up(lambda: scene.discord.gateway.connected, "a connection to Discord")
    await alice.click(offer, f"memory:offer:{alice.id}:yes")
    await until(lambda: not offers(), "the answered offer to go")
    await tell(scene, stage, alice, "my dog is called Poppy, you know")
    assert not offers(), "never again"
    assert "Poppy" in await asked(scene, scene.channel(), alice, "what is my dog called?")


async def test_facts_are_used_elsewhere_answers_stay_plain_and_deletions_hold(
    scene: Scene,
) -> None:
    stage, alice = await companion(scene)
    said = await tell(scene, stage, alice, "remember that I am allergic to nuts", *TOLD)
    await until_kept(scene, alice, "noted: my dog is called Poppy")
    other = scene.channel()
    told = await asked(scene, other, alice, "what is my dog called?")
    assert "Poppy" in told
    assert "noted: I love hiking" in told
    await alice.slash(other, "route pin", route="factual")
    plain = await asked(scene, other, alice, "how tall is K2?")
    assert "allergic to nuts" in plain, "a constraint holds whatever is asked"
    assert "hiking" not in plain
    assert "Poppy" not in plain
    elsewhere = scene.discord.guild("elsewhere", channels=["general"])
    stranger = await asked(scene, room(elsewhere), alice, "what is my dog called?")
    assert "Poppy" not in stranger
    assert "nuts" not in stranger
    await stage.delete(next(message for message in said if "Poppy" in message.content))
    await alice.slash(other, "route pin", route="companion")
    await scene.exchange(stage, alice, "good evening", "Good evening.")
    assert "is called Poppy" not in await asked(scene, scene.channel(), alice, "my dog's name?")
    items = await remembered(scene, alice)
    assert "Poppy" not in json.dumps([tuple(item) for item in items])
    assert any("Olga" in item.text for item in items), "the rest is still there"


async def until_kept(scene: Scene, person: Person, text: str) -> None:
    """Wait until an item lies in the database."""
    async with asyncio.timeout(PATIENCE):
        while text not in {item.text for item in await remembered(scene, person)}:
            await asyncio.sleep(0.1)


def room(server: Server) -> Place:
    return server.channel("talk")


async def test_forgetting_all_leaves_no_key_and_nobody_else_is_touched(scene: Scene) -> None:
    stage, alice = await companion(scene)
    ben = scene.person()
    await ben.slash(stage, "memory on")
    await tell(scene, stage, ben, "remember that I like tea")
    await tell(scene, stage, alice, *TOLD)
    await until_kept(scene, alice, "noted: my dog is called Poppy")
    assert await traces(scene, alice)
    before = await traces(scene, ben)
    await forget_all(stage, alice)
    assert await traces(scene, alice) == []
    assert await traces(scene, ben) == before
    ended = await run(scene.troupe.folder, "data", "export", "--user", str(ben.id))
    assert ended.code == 0
    assert "I like tea" in ended.out
    ended = await run(
        scene.troupe.folder, "data", "delete", "--user", str(ben.id), "--yes",
        "--requester", "user_strict",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert await traces(scene, ben) == []
    async with scene.troupe.database() as redis:
        assert [key async for key in redis.scan_iter(f"*{{u:{ben.id}}}*")] == []


async def test_a_wish_is_told_in_small_print_and_can_be_undone(scene: Scene) -> None:
    stage, alice = await companion(scene)
    ben = scene.person()

    def notes(word: str) -> list[Message]:
        return [m for m in stage.messages if m.content.startswith(f"-# {word}")]

    await tell(scene, stage, alice, "remember that I like tea")
    told = await until(lambda: next(iter(notes("Remembered.")), None), "the note")
    assert not told.pings
    assert "tea" not in told.content
    [button] = re.findall(rf"memory:undo:{alice.id}:[0-9a-f]+", json.dumps(told.components))
    refused = await ben.click(told, button)
    assert "not for you" in refused.text
    assert "Undone" in (await alice.click(told, button)).text
    assert await remembered(scene, alice) == ()
    await tell(scene, stage, alice, "remember that my password is hunter2")
    refusal = await until(lambda: next(iter(notes("Not remembered")), None), "the refusal")
    assert "never store" in refusal.content


async def test_a_server_that_removes_the_bot_takes_its_memories_along(scene: Scene) -> None:
    stage, alice = await companion(scene)
    server = scene.discord.guild("brief", channels=["general"])
    there = room(server)
    await tell(scene, there, alice, "remember that I like tea")
    await tell(scene, stage, alice, "remember that I like coffee")
    server.removes_bot()
    async with asyncio.timeout(PATIENCE):
        while any("tea" in item.text for item in await remembered(scene, alice)):
            await asyncio.sleep(0.1)
    assert [item.text for item in await remembered(scene, alice)] == ["I like coffee"]


async def test_a_kill_while_messages_are_read_leaves_no_orphan(scene: Scene) -> None:
    stage, alice = await companion(scene)
    scene.ollama.reply_with(notebook, kind="json")
    for text in TOLD[:-1]:
        await scene.exchange(stage, alice, text, "I see.")
    scene.ollama.set_pace(rate=None, first_token=1.0)
    last = await stage.says(alice, TOLD[-1], mention_bot=True)
    await scene.answer(stage, last)
    await until(lambda: readings(scene), "a reading of the new messages")
    await scene.troupe.kill()
    items = await remembered(scene, alice)
    episodes = {source for item in items if item.kind is Kind.EPISODE for source in item.sources}
    assert len(episodes) == len(TOLD)
    assert all(set(item.sources) <= episodes for item in items)
    async with scene.troupe.database() as redis:
        assert await redis.zscore(keys.MEMORY_DUE, str(alice.id)), "it will be read by another"
    scene.forget()
    await scene.troupe.start()
    await scene.troupe.up(lambda: scene.discord.gateway.connected, "a connection to Discord")
    await forget_all(stage, alice)
    assert await traces(scene, alice) == []
