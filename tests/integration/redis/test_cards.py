"""Imported cards: kept as they came, seen by other processes within seconds, forgotten whole."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.redis import Client, RedisCards, Sealer, keys
from bot.adapters.redis.cards import MAX_CARDS
from bot.chat.place import GuildId, UserId
from bot.errors import Busy, CardRejected, InvalidChoice, NotFound, RecordCorrupt
from bot.personas import PersonaLibrary, ReadCard, read_card
from bot.personas import imported as imported_room
from bot.personas.export import Container, export_card
from bot.personas.imported import MAX_CARD, ImportedCards
from bot.ports import CardEntry, StoredCard
from tests.fakes import PATIENCE

HOME, AWAY = GuildId(7), GuildId(8)
ANNA, BEN = UserId(1), UserId(2)


def card(name: str = "Wren", **fields: object) -> bytes:
    data = {"name": name, "description": "A bird.", "first_mes": "Chirp.", **fields}
    return json.dumps({"spec": "chara_card_v2", "spec_version": "2.0", "data": data}).encode()


def stored(data: bytes, id: str = "wren", by: UserId = ANNA) -> StoredCard:
    return StoredCard(CardEntry(id, "wren.json", by, 1_700_000_000.5, len(data), "ab12"), data)


@pytest.fixture
def store(redis: Client, sealer: Sealer) -> RedisCards:
    return RedisCards(redis, sealer)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "maud.json").write_bytes(card("Maud"))
    return tmp_path


class Process:
    """One process's library and imports."""

    def __init__(self, store: RedisCards, folder: Path) -> None:
        self.library = PersonaLibrary(folder)
        self.library.load()
        self.cards = ImportedCards(store, self.library)

    async def adds(self, data: bytes, by: UserId = ANNA, guild: GuildId = HOME) -> str:
        draft = await self.cards.propose(guild, by, data, "a.json")
        return (await self.cards.accept(guild, by, draft.token)).id


@pytest.fixture
async def here(
    store: RedisCards, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Process]:
    monkeypatch.setattr(imported_room, "POLL_EVERY", 0.02)
    process = Process(store, folder)
    following = asyncio.create_task(process.cards.follow())
    yield process
    following.cancel()


@pytest.fixture
async def elsewhere(
    store: RedisCards, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Process]:
    monkeypatch.setattr(imported_room, "POLL_EVERY", 0.02)
    process = Process(store, folder)
    following = asyncio.create_task(process.cards.follow())
    yield process
    following.cancel()


# ── the store ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [b"", b"{}", bytes(range(256)) * 1024])
async def test_a_card_comes_back_to_the_byte(store: RedisCards, data: bytes) -> None:
    await store.put(HOME, stored(data))
    assert await store.get(HOME, "wren") == stored(data)
    assert await store.entries(HOME) == (stored(data).entry,)
    assert await store.get(AWAY, "wren") is None


async def test_nothing_of_a_card_can_be_read_in_the_database(
    store: RedisCards, redis: Client
) -> None:
    await store.put(HOME, stored(b"a secret garden"))
    await store.put_draft(HOME, stored(b"a secret draft"))
    for name in await redis.keys("*"):
        kind = await redis.type(name)
        held = await (redis.hgetall(name) if kind == b"hash" else redis.dump(name))
        assert b"secret" not in repr(held).encode()
        assert b"wren.json" not in repr(held).encode()


async def test_a_card_of_one_guild_does_not_open_in_another(
    store: RedisCards, redis: Client
) -> None:
    await store.put(HOME, stored(b"{}"))
    for part in ("cards", "card:wren"):
        await redis.copy(keys.guild(HOME, part), keys.guild(AWAY, part))
    assert await store.entries(AWAY) == ()
    with pytest.raises(RecordCorrupt):
        await store.get(AWAY, "wren")


async def test_too_large_a_card_is_refused(store: RedisCards) -> None:
    for put in (store.put, store.put_draft):
        with pytest.raises(InvalidChoice, match="8 MB"):
            await put(HOME, stored(bytes(MAX_CARD + 1)))
    assert await store.entries(HOME) == ()


async def test_a_full_guild_takes_no_further_card_but_newer_versions(store: RedisCards) -> None:
    for number in range(MAX_CARDS):
        await store.put(HOME, stored(b"{}", f"card-{number}"))
    with pytest.raises(InvalidChoice, match="50"):
        await store.put(HOME, stored(b"{}", "one-more"))
    await store.put(HOME, stored(b"[]", "card-3"))
    assert len(await store.entries(HOME)) == MAX_CARDS
    await store.put(AWAY, stored(b"{}"))


async def test_a_draft_is_one_person_s_and_does_not_stay(store: RedisCards, redis: Client) -> None:
    await store.put_draft(HOME, stored(b"first"))
    await store.put_draft(HOME, stored(b"second"))
    assert await store.draft(HOME, ANNA) == stored(b"second")
    assert await store.draft(HOME, BEN) is None
    assert 0 < await redis.ttl(keys.guild(HOME, f"draft:{ANNA}")) <= 3600
    await store.drop_draft(HOME, ANNA)
    assert await store.draft(HOME, ANNA) is None


async def test_a_person_can_be_told_and_forgotten(store: RedisCards, redis: Client) -> None:
    await store.put(HOME, stored(b"{}"))
    await store.put(HOME, stored(b"{}", "robin", BEN))
    await store.put_draft(AWAY, stored(b"draft"))
    told = await store.export_person(ANNA)
    assert [each["card"] for each in told["cards"]] == ["wren"]
    assert await store.delete_person(ANNA) == 2
    assert await store.draft(AWAY, ANNA) is None
    assert {entry.id: entry.by for entry in await store.entries(HOME)} == {"wren": 0, "robin": BEN}
    assert await store.export_person(ANNA) == {}
    assert (await store.get(HOME, "wren")) is not None  # the card is the guild's


async def test_a_guild_that_leaves_takes_its_cards_along(store: RedisCards, redis: Client) -> None:
    await store.put(HOME, stored(b"{}"))
    await store.allow_scripts(HOME, "wren", True)
    await store.put(AWAY, stored(b"{}"))
    assert await store.delete_guild(HOME) == 1
    assert await store.entries(HOME) == ()
    assert await store.scripts_allowed(HOME) == frozenset()
    assert not await redis.exists(keys.guild(HOME, "card:wren"))
    assert await store.get(AWAY, "wren") is not None


# ── in service ──────────────────────────────────────────────────────────────────────────────


async def test_an_import_is_in_service_once_it_is_accepted(here: Process) -> None:
    draft = await here.cards.propose(HOME, ANNA, card(), "wren.json")
    assert draft.persona.name == "Wren"
    assert [p.id for p in here.library.all(HOME)] == ["maud"]
    persona = await here.cards.accept(HOME, ANNA, draft.token)
    assert here.library.get(persona.id, HOME).card.first_mes == "Chirp."
    assert [p.id for p in here.library.all(AWAY)] == ["maud"]


async def test_an_import_outlives_the_process(
    store: RedisCards, here: Process, folder: Path
) -> None:
    draft = await here.cards.propose(HOME, ANNA, card(), "wren.json")
    successor = Process(store, folder)  # a restart between preview and click
    await successor.cards.accept(HOME, ANNA, draft.token)
    third = Process(store, folder)
    await third.cards.ready(HOME)
    assert third.library.get("wren", HOME).name == "Wren"


async def test_other_processes_see_changes_within_seconds(
    here: Process, elsewhere: Process
) -> None:
    async def sees(*names: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while {p.name for p in elsewhere.library.all(HOME)} != {"Maud", *names}:
                await elsewhere.cards.ready(HOME)
                await asyncio.sleep(0.01)

    await elsewhere.cards.ready(HOME)
    await here.adds(card())
    await sees("Wren")
    await here.cards.edit(HOME, BEN, here.library.get("wren", HOME), {"name": "Robin"})
    await sees("Robin")
    await here.cards.remove(HOME, "wren")
    await sees()


async def test_a_stale_preview_is_refused(here: Process) -> None:
    first = await here.cards.propose(HOME, ANNA, card(), "a.json")
    await here.cards.propose(HOME, ANNA, card(description="Another."), "a.json")
    with pytest.raises(NotFound, match="too old"):
        await here.cards.accept(HOME, ANNA, first.token)
    with pytest.raises(NotFound, match="too old"):
        await here.cards.accept(HOME, BEN, first.token)
    await here.cards.reject(HOME, ANNA)
    with pytest.raises(NotFound, match="too old"):
        await here.cards.accept(HOME, ANNA, first.token)


async def test_ids_are_stable_and_the_folder_s_personas_are_left_alone(here: Process) -> None:
    assert await here.adds(card("Maud", description="Another Maud.")) == "maud-2"
    assert await here.adds(card("Maud", description="Changed.")) == "maud-2"
    assert here.library.get("maud-2", HOME).card.description == "Changed."
    assert here.library.get("maud", HOME).card.description == "A bird."
    assert await here.adds(card("✨")) != ""


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("José", "josé"),
        ("Jose\u0301", "josé"),
        ("Юлия", "юлия"),
        ("桜", "桜"),
        ("Łukasz", "łukasz"),
        ("हिन्दी", "हिन्दी"),
        ("สมชาย", "สมชาย"),
        ("يوسف", "يوسف"),
        ("דָּוִד", "דָּוִד"),
        ("😀😀", "persona-91ad485b"),
        ("\u202eWren", "wren"),
    ],
)
async def test_a_name_of_any_script_is_in_service_over_a_restart_and_can_be_removed(
    store: RedisCards, here: Process, folder: Path, name: str, id: str
) -> None:
    data = card(name, first_mes="Здравствуй.")
    assert await here.adds(data) == id
    await here.cards.allow_scripts(HOME, id, True)
    successor = Process(store, folder)
    await successor.cards.ready(HOME)
    persona = successor.library.get(id, HOME)
    assert (persona.id, persona.card.first_mes) == (id, "Здравствуй.")
    assert successor.cards.scripts_allowed(HOME, id)
    assert await store.export_person(ANNA) != {}
    assert await successor.adds(card(name, first_mes="Ещё раз.")) == id
    assert await store.delete_person(ANNA) == 1
    assert await store.export_person(ANNA) == {}
    removed = await successor.cards.remove(HOME, id)
    assert removed is not None
    assert await store.entries(HOME) == ()
    assert await store.scripts_allowed(HOME) == frozenset()


async def test_a_guild_that_leaves_takes_files_of_any_name_along(
    store: RedisCards, redis: Client
) -> None:
    await store.put(HOME, stored(b"{}", "桜"))
    assert await store.delete_guild(HOME) == 1
    assert await redis.keys(keys.guild(HOME, "*")) == []


async def test_editing_a_persona_of_the_folder_copies_it(here: Process, folder: Path) -> None:
    before = (folder / "maud.json").read_bytes()
    maud = here.library.get("maud")
    changed = await here.cards.edit(HOME, ANNA, maud, {"description": "Older."})
    assert changed.id == "maud"
    assert here.library.get("maud", HOME).card.description == "Older."
    assert here.library.get("maud", HOME).card.first_mes == "Chirp."
    assert here.library.get("maud", AWAY).card.description == "A bird."
    assert (folder / "maud.json").read_bytes() == before
    await here.cards.remove(HOME, "maud")
    assert here.library.get("maud", HOME).card.description == "A bird."
    with pytest.raises(NotFound, match="not imported"):
        await here.cards.remove(HOME, "maud")


async def test_removing_gives_the_file_back(here: Process) -> None:
    odd = card(extensions={"their_app": {"n": 1.10}})
    await here.adds(odd)
    removed = await here.cards.remove(HOME, "wren")
    assert removed is not None
    assert removed.data == odd
    with pytest.raises(NotFound):
        here.library.get("wren", HOME)


async def test_an_export_keeps_what_we_do_not_know(here: Process) -> None:
    await here.adds(card(extensions={"their_app": {"n": 1}}, their_field=["x"]))
    wren = here.library.get("wren", HOME)
    for container in Container:
        exported = await here.cards.export(HOME, wren, container, "chara_card_v3")
        again = await here.cards.propose(HOME, BEN, exported.data, f"wren.{container}")
        assert again.read.card.data["extensions"] == {"their_app": {"n": 1}}
        assert again.read.card.data["their_field"] == ["x"]


async def test_a_card_that_broke_in_the_store_is_left_out_and_can_be_removed(
    here: Process, store: RedisCards, redis: Client, folder: Path
) -> None:
    await here.adds(card())
    await here.adds(card("Robin"))
    await redis.set(keys.guild(HOME, "card:wren"), b"\x01\x04test" + bytes(40))
    successor = Process(store, folder)
    await successor.cards.ready(HOME)
    assert [p.id for p in successor.library.all(HOME)] == ["maud", "robin"]
    await successor.cards.remove(HOME, "wren")
    assert [entry.id for entry in await store.entries(HOME)] == ["robin"]


async def test_scripts_are_allowed_by_guild_and_not_for_another_card_of_the_name(
    here: Process,
) -> None:
    await here.adds(card())
    assert not here.cards.scripts_allowed(HOME, "wren")
    await here.cards.allow_scripts(HOME, "wren", True)
    assert here.cards.scripts_allowed(HOME, "wren")
    assert not here.cards.scripts_allowed(AWAY, "wren")
    await here.cards.edit(HOME, ANNA, here.library.get("wren", HOME), {"scenario": "A tree."})
    await here.cards.ready(HOME)
    assert here.cards.scripts_allowed(HOME, "wren")  # the same card, edited
    await here.adds(card(description="Somebody else."))
    await here.cards.ready(HOME)
    assert not here.cards.scripts_allowed(HOME, "wren")


async def test_guilds_that_were_quiet_longest_make_room(
    here: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imported_room, "HELD_BYTES", 300)
    await here.adds(card(), guild=HOME)
    await here.cards.ready(HOME)
    await here.adds(card(description="x" * 200), guild=AWAY)
    await here.cards.ready(AWAY)
    assert [p.id for p in here.library.all(HOME)] == ["maud"]
    await here.cards.ready(HOME)
    assert here.library.get("wren", HOME).name == "Wren"


async def test_what_a_card_unpacks_to_counts_as_much_as_its_file(
    here: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = await asyncio.to_thread(
        lambda: export_card(read_card(card(description="x" * 50_000), "x.json"), Container.CHARX)
    )
    assert len(small.data) < 2_000
    monkeypatch.setattr(imported_room, "HELD_BYTES", 50_000)
    await here.adds(small.data, guild=HOME)
    await here.cards.ready(HOME)
    await here.adds(card(), guild=AWAY)
    await here.cards.ready(AWAY)
    assert [p.id for p in here.library.all(HOME)] == ["maud"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"{}",
        b"[" * 100_000,
        b'{"name":',
        b"PK\x03\x04nonsense",
        b"\x89PNG\r\n\x1a\n",
    ],
)
async def test_what_is_no_card_is_never_kept(here: Process, store: RedisCards, data: bytes) -> None:
    with pytest.raises(CardRejected):
        await here.cards.propose(HOME, ANNA, data, "a.json")
    assert await store.draft(HOME, ANNA) is None


async def test_a_reader_that_was_given_up_still_holds_its_place(
    here: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads can't be stopped: a third slow card must not get a third thread."""
    at_once, most, go = 0, 0, threading.Event()

    def slowly(data: bytes, filename: str) -> ReadCard:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        go.wait(10)
        at_once -= 1
        return read_card(data, filename)

    monkeypatch.setattr(imported_room, "read_card", slowly)
    monkeypatch.setattr(imported_room, "READ_TIMEOUT", 0.02)
    monkeypatch.setattr(imported_room, "LOAD_TIMEOUT", 0.05)
    for _ in range(imported_room.READERS):
        with pytest.raises(CardRejected, match="too long"):
            await here.cards.propose(HOME, ANNA, card(), "a.json")
    with pytest.raises(Busy):
        await here.cards.propose(HOME, ANNA, card(), "a.json")
    assert most == imported_room.READERS
    go.set()
    monkeypatch.setattr(imported_room, "LOAD_TIMEOUT", 10)
    monkeypatch.setattr(imported_room, "READ_TIMEOUT", 10)
    await here.cards.propose(HOME, ANNA, card(), "a.json")
