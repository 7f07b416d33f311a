"""What is forgotten leaves nothing behind, by command and by a wish in chat."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.adapters.ollama.embedder import OllamaEmbedder
from bot.adapters.redis import Client, RedisConversations, keys
from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.memories import RedisMemories
from bot.chat.conversation import Conversation
from bot.chat.place import GuildId, MessageId, Place
from bot.errors import InvalidChoice, NotFound
from bot.memory import Consent, Kind, Wish
from bot.memory.notebook import MOST_FORGOTTEN, Notebook
from bot.memory.vectors import give_vectors
from bot.ports import Embeddings
from bot.routing.profiles import MemoryPolicy
from bot.routing.route import Route
from tests.fakes import PATIENCE
from tests.integration.memory.conftest import (
    ANNA,
    BEN,
    DM,
    EMBED,
    HERE,
    Company,
    Interrupted,
    noted,
)
from tests.integration.pools import pool_over


async def left(company: Company) -> str:
    return " | ".join(f"{item.text} {item.context}" for item in await company.items(ANNA))


async def test_our_reply_to_what_is_forgotten_goes_with_it_and_comes_back_with_it(
    company: Company,
) -> None:
    await company.agrees()
    await company.says("I have a dog named Poppy", reply="Poppy is a lovely name for a dog!")
    await company.reads(noted("I have a dog named Poppy"))
    await company.says("she likes to run in the park", reply="Good.")
    [fact] = await company.items(ANNA, Kind.FACT)
    before = await company.items(ANNA)
    undo = await company.memory.notebook.forget(ANNA.id, HERE, fact.id)
    assert await left(company) == "she likes to run in the park "
    await company.memory.notebook.undo(ANNA.id, undo)
    assert sorted(await company.items(ANNA)) == sorted(before)


@pytest.mark.parametrize("how", ["one", "in words", "all"])
@pytest.mark.parametrize("place", [HERE, DM])
async def test_what_is_forgotten_leaves_the_conversations_too(
    company: Company, redis: Client, sealer: Sealer, how: str, place: Place
) -> None:
    conversations = RedisConversations(redis, sealer)
    notebook = Notebook(company.store, company.clock, said=conversations)
    await company.agrees()
    await company.says("I like the rain", place)
    await company.says("remember that my cat is called Zorblax", place, reply="Zorblax, noted.")
    await company.says("how was your day?", place, speaker=BEN)
    for exchange in company.conversations[place].exchanges:
        await conversations.record(place, exchange)
    [fact] = await company.items(ANNA, Kind.FACT)
    match how:
        case "one":
            await notebook.forget(ANNA.id, place, fact.id)
        case "in words":
            await notebook.forget_matching(ANNA.id, "Zorblax")
        case _:
            await notebook.forget_all(ANNA.id)
    left = str((await conversations.load(place)).exchanges)
    assert "Zorblax" not in left
    assert "how was your day?" in left
    assert ("I like the rain" in left) is (how != "all")


@pytest.mark.parametrize("change", ["deleted", "edited", "forgotten", "all", "paused"])
async def test_what_was_read_ahead_is_read_again_after_a_change(
    company: Company, change: str
) -> None:
    await company.agrees()
    memory = company.memory
    told = await company.says("remember that my cat is called Zorblax")
    turn = company.turn("what is the name of my cat?")
    await memory.foresee(turn)
    match change:
        case "deleted":
            await memory.source_deleted(HERE, told.message_ids)
        case "edited":
            await memory.source_edited(HERE, told.message_ids[0], "good morning")
        case "forgotten":
            await memory.notebook.forget_matching(ANNA.id, "Zorblax")
        case "all":
            await memory.notebook.forget_all(ANNA.id)
        case _:
            await memory.notebook.set_consent(ANNA.id, Consent.PAUSED)
    found = await memory.recall(turn, MemoryPolicy.ALL, "wren")
    assert "Zorblax" not in str(found)


async def test_what_was_read_ahead_is_let_go_with_its_turn(
    company: Company, redis: Client, sealer: Sealer
) -> None:
    await company.agrees()
    await company.says("remember that my cat is called Zorblax")
    turn = company.turn("what is the name of my cat?")
    await company.memory.foresee(turn)
    company.memory.let_go(turn)
    # Another process changes the memory, which this one can't know.
    await RedisMemories(redis, sealer).forget_all(ANNA.id)
    found = await company.memory.recall(turn, MemoryPolicy.ALL, "wren")
    assert "Zorblax" not in str(found)


async def test_replies_that_speak_of_what_is_to_be_forgotten_go(company: Company) -> None:
    await company.agrees()
    await company.says("I have a dog named Poppy", reply="How sweet.")
    await company.says("yes and she barks a lot", reply="Poppy barks, right.")
    await company.says("most of all at night", reply="I see.")
    await company.says("forget about Poppy")
    assert "Poppy" not in await left(company)
    assert await company.texts(ANNA) == ["yes and she barks a lot", "most of all at night"]


async def test_a_whole_line_of_older_values_goes_with_their_messages(company: Company) -> None:
    await company.agrees()
    for town in ("Berlin", "Lisbon", "Porto"):
        await company.says(f"I live in {town}")
        await company.reads(noted(f"I live in {town}", kind="profile", slot="location"))
    [home] = await company.items(ANNA, Kind.PROFILE)
    assert len(await company.items(ANNA, Kind.SUPERSEDED)) == 2
    await company.memory.notebook.forget(ANNA.id, HERE, home.id)
    assert await company.items(ANNA) == []


async def test_a_memory_whose_key_is_lost_holds_up_no_deletion(
    company: Company, redis: Client
) -> None:
    await company.agrees()
    await company.says("I have a dog named Poppy")
    [said] = await company.items(ANNA)
    await redis.hset(keys.memory(ANNA.id)[0], "dek", b"lost")
    company.store.move_to("another@8")  # nothing is held open
    message = MessageId(said.sources[0][1])
    assert await company.memory.source_edited(HERE, message, "I have a cat") == 0
    assert await company.memory.source_deleted(HERE, [message]) == 0


async def test_another_fact_from_the_same_message_stays(company: Company) -> None:
    await company.agrees()
    await company.says("I have a job in Berlin and a dog called Poppy")
    await company.reads(noted("I have a job in Berlin"), noted("a dog called Poppy"))
    [job] = [item for item in await company.items(ANNA, Kind.FACT) if "job" in item.text]
    await company.memory.notebook.forget(ANNA.id, HERE, job.id)
    assert await company.texts(ANNA) == ["a dog called Poppy"]


async def test_one_goes_back_step_by_step_to_what_was_replaced(company: Company) -> None:
    await company.agrees()
    notebook = company.memory.notebook
    for town in ("Berlin", "Lisbon", "Porto"):
        await company.says(f"I live in {town}")
        await company.reads(noted(f"I live in {town}", kind="profile", slot="location"))
    for now, earlier in (("Porto", "Lisbon"), ("Lisbon", "Berlin")):
        [(item, old)] = await notebook.replaced(ANNA.id, HERE)
        assert (item.text, old.text) == (f"I live in {now}", f"I live in {earlier}")
        _, undo = await notebook.go_back(ANNA.id, HERE, item.id)
    assert await company.texts(ANNA, Kind.PROFILE) == ["I live in Berlin"]
    assert await notebook.replaced(ANNA.id, HERE) == []
    await notebook.undo(ANNA.id, undo)
    assert await company.texts(ANNA, Kind.PROFILE) == ["I live in Lisbon"]


async def test_too_much_at_once_is_refused_and_nothing_is_lost(company: Company) -> None:
    await company.agrees()
    for number in range(MOST_FORGOTTEN + 1):
        await company.says(f"I am number {number} and like the sea")
    with pytest.raises(InvalidChoice, match="11 memories"):
        await company.memory.notebook.forget_matching(ANNA.id, "number and sea")
    assert len(await company.items(ANNA)) == MOST_FORGOTTEN + 1
    with pytest.raises(NotFound, match="nothing like that"):
        await company.memory.notebook.forget_matching(ANNA.id, "the moon")


async def test_what_is_too_long_is_refused_whole(company: Company) -> None:
    await company.agrees()
    await company.says("Remember that " + "I am going to the long long sea " * 8)
    assert await company.items(ANNA) == []


async def test_what_became_of_wishes_is_told(company: Company) -> None:
    await company.agrees()
    memory = company.memory

    async def becomes(text: str) -> list[tuple[Wish, bool, str]]:
        turn = company.turn(text)
        done = await memory.after(turn, Route.COMPANION, "wren", Conversation(HERE))
        return [(d.wish, bool(d.undo), d.refused.text if d.refused else "") for d in done]

    assert await becomes("I like tea") == []
    assert await becomes("remember that I like tea") == [(Wish.REMEMBER, True, "")]
    [(_, _, why)] = await becomes("remember that I have asthma")
    assert "health" in why
    [(_, _, why)] = await becomes("remember that " + "I sail " * 40)
    assert "160" in why
    assert await becomes("forget that I like tea") == [(Wish.FORGET, True, "")]
    [(_, _, why)] = await becomes("forget that I like tea")
    assert "nothing like that" in why
    await memory.notebook.set_consent(ANNA.id, Consent.PAUSED)
    [(_, _, why)] = await becomes("remember that I like tea")
    assert "paused" in why
    await memory.notebook.set_consent(ANNA.id, Consent.DECLINED)
    [(_, _, why)] = await becomes("remember that I like tea")
    assert "/memory on" in why
    await memory.notebook.forget_all(ANNA.id)
    assert await memory.notebook.consent(ANNA.id) is Consent.DECLINED
    assert not await memory.offer_due(company.turn("my dog is Poppy"))


async def test_a_kept_undo_works_once_and_for_its_owner(company: Company) -> None:
    await company.agrees()
    notebook = company.memory.notebook
    await company.says("remember that I like tea")
    undo = await notebook.forget_matching(ANNA.id, "I like tea")
    name = notebook.keep(ANNA.id, undo)
    with pytest.raises(NotFound):
        await notebook.take_back(BEN.id, name)
    await notebook.take_back(ANNA.id, name)
    assert await company.texts(ANNA) == ["I like tea"]
    with pytest.raises(NotFound):
        await notebook.take_back(ANNA.id, name)


async def test_what_is_learned_while_it_is_being_forgotten_is_forgotten_too(
    company: Company, interrupted: Interrupted
) -> None:
    await company.agrees()
    await company.says("I have a dog named Poppy")
    notebook = Notebook(interrupted, company.clock)
    interrupted.meanwhile = lambda: company.reads(noted("I have a dog named Poppy"))
    undo = await notebook.forget_matching(ANNA.id, "Poppy")
    assert await company.items() == []
    assert len(undo.restore) == 2


async def test_what_one_went_back_to_stays_forgotten(
    company: Company, interrupted: Interrupted
) -> None:
    await company.agrees()
    for town in ("Berlin", "Lisbon"):
        await company.says(f"I live in {town}")
        await company.reads(noted(f"I live in {town}", kind="profile", slot="location"))
    [home] = await company.items(ANNA, Kind.PROFILE)
    notebook = Notebook(interrupted, company.clock)
    interrupted.meanwhile = lambda: company.memory.notebook.forget(ANNA.id, HERE, home.id)
    with pytest.raises(NotFound):
        await notebook.go_back(ANNA.id, HERE, home.id)
    assert await company.items() == []


async def test_two_decisions_on_what_is_shared_both_hold(
    company: Company, interrupted: Interrupted
) -> None:
    await company.agrees()
    await company.says("remember that I have a dog named Poppy")
    [fact] = await company.items(ANNA, Kind.FACT)
    one, other = GuildId(801), GuildId(802)
    await company.memory.notebook.share(ANNA.id, fact.id, one)
    notebook = Notebook(interrupted, company.clock)
    interrupted.meanwhile = lambda: company.memory.notebook.share(ANNA.id, fact.id, one, stop=True)
    assert (await notebook.share(ANNA.id, fact.id, other)).shared == (other,)
    [fact] = await company.items(ANNA, Kind.FACT)
    assert fact.shared == (other,)


async def test_what_is_cut_while_vectors_are_made_stays_cut(with_vectors: Company) -> None:
    company = with_vectors
    await company.agrees()
    await company.says("I have a dog named Poppy", reply="Poppy is a lovely name for a dog!")
    await company.says("she likes to run in the park", reply="Good.")
    [dog, _] = await company.items()
    shelf = await company.store.load(ANNA.id)
    assert shelf is not None

    class Slow(OllamaEmbedder):
        async def embed(self, texts: Sequence[str], *, timeout: float) -> Embeddings:
            await company.memory.notebook.forget(ANNA.id, HERE, dog.id)
            return await super().embed(texts, timeout=timeout)

    async with pool_over(company.ollama.url) as pool:
        given = await give_vectors(
            company.store, Slow(pool, EMBED), ANNA.id, shelf, timeout=PATIENCE
        )
    assert given == 1
    assert await left(company) == "she likes to run in the park "
