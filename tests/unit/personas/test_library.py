"""The library: read at once, read again when files change, and never worse than before."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.chat.place import GuildId
from bot.errors import NotFound
from bot.personas import PersonaLibrary, library, make_persona, read_card, slug
from tests.fakes import PATIENCE
from tests.unit.personas.files import as_json, book, entry, packed, png, text_chunk, v2, v3

GUILD, OTHER = GuildId(1), GuildId(2)
_ticks: Iterator[int] = iter(range(1_700_000_000, 1_800_000_000))


def put(path: Path, data: bytes) -> None:
    """Write a file with a time of its own: tests are quicker than some clocks."""
    path.write_bytes(data)
    tick = next(_ticks)
    os.utime(path, (tick, tick))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "sera.json", as_json(v3()))
    put(tmp_path / "Old Bram.png", png(text_chunk("chara", packed(v2(name="Bram")))))
    put(tmp_path / "notes.txt", b"no card")
    put(tmp_path / ".hidden.json", b"no card")
    return tmp_path


@pytest.fixture
def personas(folder: Path) -> PersonaLibrary:
    made = PersonaLibrary(folder)
    made.load()
    return made


def test_ids_are_file_names(personas: PersonaLibrary) -> None:
    assert [persona.id for persona in personas.all()] == ["old-bram", "sera"]
    assert personas.get("sera").name == "Sera"
    assert personas.problems == ()


def test_an_unknown_name_brings_those_that_come_close(personas: PersonaLibrary) -> None:
    with pytest.raises(NotFound, match="Did you mean sera"):
        personas.get("serra")


def test_changes_are_taken_up(personas: PersonaLibrary, folder: Path) -> None:
    before = personas.get("sera")
    assert personas.load() is False
    put(folder / "sera.json", as_json(v3(description="Changed.")))
    put(folder / "new.json", as_json(v3(name="New")))
    (folder / "Old Bram.png").unlink()
    assert personas.load() is True
    assert [persona.id for persona in personas.all()] == ["new", "sera"]
    assert personas.get("sera").version != before.version


def test_unchanged_files_are_not_read_again(personas: PersonaLibrary, folder: Path) -> None:
    before = personas.get("sera")
    put(folder / "new.json", as_json(v3(name="New")))
    personas.load()
    assert personas.get("sera") is before


def test_a_broken_file_keeps_its_last_good_version_and_says_so(
    personas: PersonaLibrary, folder: Path
) -> None:
    before = personas.get("sera")
    put(folder / "sera.json", b"{broken")
    put(folder / "fresh.json", b"{broken")
    assert personas.load() is True
    assert personas.get("sera") is before
    assert len(personas.problems) == 2
    assert any("sera.json" in each and "last good" in each for each in personas.problems)
    put(folder / "sera.json", as_json(v3(description="Mended.")))
    personas.load()
    assert personas.get("sera").card.description == "Mended."
    assert not any("sera.json" in each for each in personas.problems)


def test_a_folder_that_is_away_changes_nothing(personas: PersonaLibrary, folder: Path) -> None:
    moved = folder.rename(folder.with_name("moved"))
    assert personas.load() is False
    assert personas.get("sera")
    assert personas.problems
    moved.rename(folder)
    assert personas.load() is False
    assert personas.problems == ()
    put(folder / "new.json", as_json(v3(name="New")))
    assert personas.load() is True


def test_two_files_of_one_id_are_told(personas: PersonaLibrary, folder: Path) -> None:
    put(folder / "SERA!.json", as_json(v3(name="Twin")))
    personas.load()
    assert len(personas.all()) == 2
    assert any("another file" in each for each in personas.problems)


def test_a_card_gets_the_lorebook_that_it_names(personas: PersonaLibrary, folder: Path) -> None:
    put(folder / "sera.json", as_json(v3(extensions={"world": "Eldoria"})))
    (folder / "lorebooks").mkdir()
    put(
        folder / "lorebooks" / "eldoria.json",
        as_json({"entries": {"0": {"key": ["a"], "content": "x"}}}),
    )
    personas.load()
    world = personas.get("sera").world
    assert world is not None
    assert world.entries[0].content == "x"
    put(
        folder / "sera.json",
        as_json(v3(extensions={"world": "Eldoria"}, character_book=book(entry()))),
    )
    personas.load()
    assert personas.get("sera").world is None


def test_imported_personas_belong_to_their_guild(personas: PersonaLibrary) -> None:
    mine = make_persona(read_card(as_json(v3(name="Mine")), "x"), "mine")
    shadow = make_persona(read_card(as_json(v3(name="Shadow")), "x"), "sera")
    personas.add(mine, GUILD)
    personas.add(shadow, GUILD)
    assert personas.get("mine", GUILD) is mine
    assert personas.get("sera", GUILD) is shadow
    assert personas.get("sera", OTHER).name == "Sera"
    assert "mine" not in {persona.id for persona in personas.all()}
    with pytest.raises(NotFound):
        personas.get("mine", OTHER)
    assert personas.remove("mine", GUILD) is True
    assert personas.remove("mine", GUILD) is False


def test_readers_never_see_a_mixture(personas: PersonaLibrary, folder: Path) -> None:
    """While two files change together again and again, `all` shows one load or another."""
    stop, seen = threading.Event(), set[tuple[str, ...]]()

    def look() -> None:
        while not stop.is_set():
            seen.add(tuple(persona.card.description for persona in personas.all()))

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for number in range(20):
            for name in ("sera.json", "Old Bram.png"):
                put(folder / name, as_json(v3(name=name, description=str(number))))
            personas.load()
    finally:
        stop.set()
        reader.join()
    assert all(len(set(descriptions)) == 1 for descriptions in seen)
    assert len(seen) > 1


async def test_watching_takes_changes_up(
    personas: PersonaLibrary, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "WATCH_EVERY", 0.01)
    watching = asyncio.create_task(personas.watch())
    try:
        put(folder / "new.json", json.dumps(v3(name="New")).encode())
        async with asyncio.timeout(PATIENCE):
            while len(personas.all()) < 3:
                await asyncio.sleep(0.01)
    finally:
        watching.cancel()
    assert personas.get("new").name == "New"


@pytest.mark.parametrize(
    ("text", "made"),
    [("Old Bram", "old-bram"), ("../x", "x"), ("Ünï Cödé", "ünï-cödé"), ("a" * 99, "a" * 64)],
)
def test_slugs(text: str, made: str) -> None:
    assert slug(text) == made


def test_a_slug_of_signs_only_is_still_an_id() -> None:
    assert slug("!!!").startswith("persona-")
    assert slug("!!!") != slug("???")
