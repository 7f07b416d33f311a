"""All personas: those of a folder, read again when it changes, and those imported at run time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from bot.chat.place import GuildId
from bot.errors import CardRejected, NotFound
from bot.personas.lorebook import Lorebook
from bot.personas.persona import Persona, make_persona, slug
from bot.personas.reading import MAX_FILE, read_card, read_lorebook

CARD_ENDINGS = frozenset({".json", ".png", ".apng", ".charx"})
MAX_CARDS = 2_000
MAX_LISTED = 20_000
LOREBOOKS = "lorebooks"
"""The subfolder of standalone lorebooks, which cards name in `extensions.world`."""
WATCH_EVERY = 2.0
"""Seconds between two looks at the folder."""

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]
"""Of a file: time of change in nanoseconds, size and inode."""
_Book = tuple[_Stamp, Lorebook | None, str | None]
"""A lorebook file: its stamp, its last good content, and what is wrong with it."""
_Books = Mapping[Path, _Book]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The outcome of reading one file, good or bad."""

    stamp: _Stamp
    persona: Persona | None
    world: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _State:
    """Everything that one load made; replaced as a whole, so that readers never see a mixture."""

    personas: Mapping[str, Persona]
    files: Mapping[Path, _Loaded]
    books: _Books
    problems: tuple[str, ...]


_EMPTY = _State(MappingProxyType({}), {}, {}, ())


class PersonaLibrary:
    """Personas by id. Reading is a dictionary look-up; `load` may be called from any thread.

    A file that can't be read any more keeps its last good version in service, and `problems`
    says so. The id of a persona is its file's name.
    """

    def __init__(
        self, directory: Path, *, prepare: Callable[[Persona], None] = lambda _: None
    ) -> None:
        """`prepare` does, in the thread that read a card, what its first turn would wait for."""
        self._directory = directory
        self.prepare = prepare
        self._state = _EMPTY
        self._imported: dict[GuildId, Mapping[str, Persona]] = {}
        self._loading = threading.Lock()
        self._importing = threading.Lock()

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the folder, one line for each file."""
        return self._state.problems

    def get(self, id: str, guild: GuildId | None = None) -> Persona:
        """Return a persona of this guild, else of the folder.

        Raises:
            NotFound: there is none; the text names those that come close.
        """
        found = self._own(guild).get(id) or self._state.personas.get(id)
        if found is None:
            raise _unknown(id, self.all(guild))
        return found

    def all(self, guild: GuildId | None = None) -> tuple[Persona, ...]:
        """Return the personas of the folder and of this guild, ordered by name."""
        personas = {**self._state.personas, **self._own(guild)}
        return tuple(sorted(personas.values(), key=lambda each: (each.name.casefold(), each.id)))

    def add(self, persona: Persona, guild: GuildId) -> None:
        """Put an imported persona into service for one guild, in place of one with its id."""
        with self._importing:
            self._imported[guild] = {**self._own(guild), persona.id: persona}

    def remove(self, id: str, guild: GuildId) -> bool:
        """Take an imported persona out of service. False when the guild has none of this id."""
        with self._importing:
            own = self._own(guild)
            kept = {key: each for key, each in own.items() if key != id}
            if kept:
                self._imported[guild] = kept
            else:
                self._imported.pop(guild, None)
        return len(kept) < len(own)

    def _own(self, guild: GuildId | None) -> Mapping[str, Persona]:
        """Return what was imported into a guild. It is replaced as a whole, never changed."""
        return {} if guild is None else self._imported.get(guild, {})

    def world(self, name: str) -> Lorebook | None:
        """Return a standalone lorebook by its name or its file's name, in any case."""
        return _find_book(self._state.books, name)

    def load(self) -> bool:
        """Read what changed in the folder. True when anything did. Blocks on the disk."""
        with self._loading:
            old = self._state
            problems: list[str] = []
            try:
                books = self._load_books(old, problems)
                files = self._load_files(old, problems)
            except OSError as error:
                # A folder that is away for a moment (a remount) must not empty the stage.
                problem = f"{self._directory}: {error.strerror or error}; nothing was changed"
                self._state = replace(old, problems=(problem,))
                return False
            personas: dict[str, Persona] = {}
            for path, loaded in files.items():
                if loaded.problem:
                    problems.append(loaded.problem)
                if loaded.persona is None:
                    continue
                if loaded.persona.id in personas:
                    problems.append(f"{path.name}: another file makes the id {loaded.persona.id}")
                    continue
                personas[loaded.persona.id] = _with_world(loaded.persona, loaded.world, books)
            new = _State(MappingProxyType(personas), files, books, tuple(problems))
            if old is not _EMPTY and (files, books) == (old.files, old.books):
                # A folder that was away for a moment is back: nothing is wrong with it any more.
                self._state = replace(old, problems=new.problems)
                return False
            for id, persona in personas.items():
                if _books_of(persona) != _books_of(old.personas.get(id)):
                    self.prepare(persona)
            self._state = new
            return True

    async def watch(self) -> None:
        """Look at the folder every few seconds, for ever, and load what changed."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            if await asyncio.to_thread(self.load):
                log.info("personas loaded again: %d in service", len(self._state.personas))
                for problem in self.problems:
                    log.warning("persona: %s", problem)

    def _load_files(self, old: _State, problems: list[str]) -> dict[Path, _Loaded]:
        paths = _candidates(self._directory, CARD_ENDINGS)
        if len(paths) > MAX_CARDS:
            problems.append(
                f"{self._directory}: more than {MAX_CARDS:,} cards, the rest is left out"
            )
        files = {}
        for path in paths[:MAX_CARDS]:
            stamp, last = _stamp(path), old.files.get(path)
            if stamp is None:
                continue
            files[path] = last if last and last.stamp == stamp else _load_card(path, stamp, last)
        return files

    def _load_books(self, old: _State, problems: list[str]) -> dict[Path, _Book]:
        folder = self._directory / LOREBOOKS
        if not folder.is_dir():
            return {}
        books = {}
        for path in _candidates(folder, frozenset({".json"}))[:MAX_CARDS]:
            stamp, last = _stamp(path), old.books.get(path)
            if stamp is None:
                continue
            books[path] = last if last and last[0] == stamp else _load_book(path, stamp, last)
            if books[path][2]:
                problems.append(str(books[path][2]))
        return books


def _candidates(folder: Path, endings: frozenset[str]) -> list[Path]:
    """Return the visible files with these endings, ordered by name."""
    listed = islice(folder.iterdir(), MAX_LISTED)
    return sorted(
        path
        for path in listed
        if path.suffix.lower() in endings and not path.name.startswith(".") and path.is_file()
    )


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _read(path: Path, stamp: _Stamp) -> bytes:
    if stamp[1] > MAX_FILE:
        raise CardRejected("The file is larger than {size} MB.", size=MAX_FILE // 2**20)
    with path.open("rb") as file:
        return file.read(MAX_FILE + 1)


def _load_card(path: Path, stamp: _Stamp, last: _Loaded | None) -> _Loaded:
    try:
        read = read_card(_read(path, stamp), path.name)
        return _Loaded(stamp, make_persona(read, slug(path.stem)), read.card.world)
    except (CardRejected, OSError) as error:
        kept = last.persona if last else None
        note = " (its last good version stays in service)" if kept else ""
        return _Loaded(stamp, kept, last.world if last else "", f"{path.name}: {error}{note}")


def _load_book(path: Path, stamp: _Stamp, last: _Book | None) -> _Book:
    try:
        return stamp, read_lorebook(_read(path, stamp), path.name).book, None
    except (CardRejected, OSError) as error:
        kept = last[1] if last else None
        note = " (its last good version stays in service)" if kept else ""
        return stamp, kept, f"{LOREBOOKS}/{path.name}: {error}{note}"


def _with_world(persona: Persona, world: str, books: _Books) -> Persona:
    book = _find_book(books, world) if world else None
    return replace(persona, world=book) if book and persona.lorebook is None else persona


def _books_of(persona: Persona | None) -> list[int]:
    """Return which books a persona has; a file that was not read again has the very same."""
    books = (persona.lorebook, persona.world) if persona is not None else ()
    return [id(book) for book in books if book is not None]


def _find_book(books: _Books, name: str) -> Lorebook | None:
    wanted = name.strip().casefold()
    for path, (_, book, _) in books.items():
        if book is not None and wanted in (path.stem.casefold(), book.name.strip().casefold()):
            return book
    return None


def _unknown(id: str, personas: Iterable[Persona]) -> NotFound:
    names = {name for each in personas for name in (each.id, each.name)}
    close = get_close_matches(id[:64], sorted(names), n=3, cutoff=0.5)
    if not close:
        return NotFound("There is no persona {name} here. See `/persona list`.", name=repr(id[:64]))
    return NotFound(
        "There is no persona {name} here. Did you mean {close}?",
        name=repr(id[:64]),
        close=", ".join(close),
    )
