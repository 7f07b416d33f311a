"""Cards imported at run time: kept by guild in a store, in service in the library.

A guild's cards are read when it is first heard of, and again after they changed, in this process
or another. Guilds that were quiet longest leave memory first.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from bot.chat.place import GuildId, UserId
from bot.errors import Busy, CardRejected, InvalidChoice, NotFound, RecordCorrupt, StoreError
from bot.personas.card import V2, V3
from bot.personas.editing import edit_card
from bot.personas.export import Container, Exported, export_card
from bot.personas.library import PersonaLibrary
from bot.personas.persona import Persona, make_persona, slug
from bot.personas.reading import ReadCard, read_card
from bot.ports import CardEntry, CardStore, StoredCard

MAX_CARD = 8 * 2**20
"""Bytes of an imported card's file."""
POLL_EVERY = 1.5
"""Seconds between two looks for what other processes changed."""
FRESH = 300.0
"""Seconds after which a guild is looked at anew, should a change have missed its number."""
HELD_BYTES = 256 * 2**20
"""Bytes of card files, and characters of what unpacked from them, that are held in memory."""
LOAD_TIMEOUT = 20.0
READ_TIMEOUT = 10.0
READERS = 2
"""Cards read at once, each in a thread."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """A card that was read but is not in service. `token` changes with its file."""

    read: ReadCard
    persona: Persona
    token: str
    replaces: Persona | None
    """The imported persona of the same id, which this one would replace."""


@dataclass(slots=True)
class _Held:
    """One guild's cards in service."""

    entries: dict[str, CardEntry] = field(default_factory=dict)
    scripts: frozenset[str] = frozenset()
    read_at: float = float("-inf")
    """On the monotonic clock."""
    sizes: dict[str, int] = field(default_factory=dict)
    """What each card takes: its file, and the text that may be packed in it."""


class ImportedCards:
    """Imports, edits and removes a guild's cards, and keeps the library in line with them."""

    def __init__(
        self, store: CardStore, library: PersonaLibrary, *, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._library = library
        self._now = now
        self._held: OrderedDict[GuildId, _Held] = OrderedDict()
        self._loading: dict[GuildId, asyncio.Lock] = {}
        self._readers = asyncio.Semaphore(READERS)
        self._reading: set[asyncio.Task[ReadCard]] = set()
        self._seen = 0
        self._epoch = 0

    # ── in service ──────────────────────────────────────────────────────────────────────────

    async def ready(self, guild: GuildId | None) -> None:
        """Make sure that a guild's cards are in service as they are now.

        Raises:
            StoreError: they were never read, and can't be.
        """
        if guild is None or self._is_fresh(guild):
            return
        lock = self._loading.setdefault(guild, asyncio.Lock())
        try:
            async with asyncio.timeout(LOAD_TIMEOUT), lock:
                if not self._is_fresh(guild):
                    await self._load(guild)
        except (StoreError, Busy, TimeoutError) as error:
            if guild not in self._held:
                raise StoreError("the imported cards can't be read") from error
            log.warning("imported cards not refreshed", reason=str(error))
        finally:
            if not lock.locked():
                self._loading.pop(guild, None)

    async def follow(self) -> None:
        """Notice changes of other processes, for ever."""
        while True:
            try:
                self._seen, guilds = await self._store.changes(self._seen)
            except StoreError as error:
                log.info("card changes unknown", reason=str(error))
            else:
                for guild in self._held if guilds is None else guilds:
                    self._stale(guild)
            await asyncio.sleep(POLL_EVERY)

    def is_imported(self, guild: GuildId, id: str) -> bool:
        """Whether a persona was imported into a guild. True only after `ready`."""
        held = self._held.get(guild)
        return held is not None and id in held.entries

    def scripts_allowed(self, guild: GuildId | None, id: str) -> bool:
        """Whether a persona's regex scripts may run in a guild."""
        held = None if guild is None else self._held.get(guild)
        return held is not None and id in held.scripts

    # ── importing ───────────────────────────────────────────────────────────────────────────

    async def propose(self, guild: GuildId, by: UserId, data: bytes, filename: str) -> Draft:
        """Read a file and keep it until its importer decides.

        Raises:
            CardRejected: it is no card, or a hostile one.
            StoreError: it could not be kept.
        """
        read = await self._read(data, filename)
        await self.ready(guild)
        draft = await self._draft(guild, read, data)
        entry = self._entry(draft.persona.id, by, data, filename)
        await self._store.put_draft(guild, StoredCard(entry, data))
        return draft

    async def accept(self, guild: GuildId, by: UserId, token: str) -> Persona:
        """Put the person's draft into service.

        Raises:
            NotFound: it is too old, or another file took its place.
            InvalidChoice: the guild has as many cards as it may have.
        """
        stored = await self._store.draft(guild, by)
        if stored is None or stored.entry.digest != token:
            raise NotFound("This preview is too old. Please import the file again.")
        await self.ready(guild)
        read = await self._read(stored.data, stored.entry.filename)
        draft = await self._draft(guild, read, stored.data)
        entry = self._entry(draft.persona.id, by, stored.data, stored.entry.filename)
        if draft.replaces is not None and draft.replaces.version != draft.persona.version:
            await self._store.allow_scripts(guild, draft.persona.id, False)
        await self._keep(guild, StoredCard(entry, stored.data), draft.persona)
        await self._store.drop_draft(guild, by)
        return draft.persona

    async def reject(self, guild: GuildId, by: UserId) -> None:
        """Forget the person's draft."""
        await self._store.drop_draft(guild, by)

    # ── changing ────────────────────────────────────────────────────────────────────────────

    async def edit(
        self, guild: GuildId, by: UserId, persona: Persona, changes: Mapping[str, str]
    ) -> Persona:
        """Change texts of a card and keep the result in the guild, under the same id.

        A persona of the folder is copied: the folder's file stays as it is.

        Raises:
            InvalidChoice: a text is too long, or the guild has too many cards.
        """
        read, stored = await self.card(guild, persona)
        kind = _kind(stored)
        spec = V2 if read.spec == V2 and kind is not Container.CHARX else V3
        changed = await asyncio.to_thread(edit_card, read, changes)
        exported = await asyncio.to_thread(export_card, changed, kind, spec=spec, now=self._now())
        filename = stored.entry.filename if stored else f"{persona.id}.{kind}"
        # Read again, so that what is kept and what is in service can't differ.
        fresh = await self._made(await self._read(exported.data, filename), persona.id)
        entry = self._entry(persona.id, by, exported.data, filename)
        await self._keep(guild, StoredCard(entry, exported.data), fresh)
        return fresh

    async def remove(self, guild: GuildId, id: str) -> StoredCard | None:
        """Take a card out of service and return its file, for who regrets it.

        Raises:
            NotFound: none of this id was imported.
        """
        await self.ready(guild)
        try:
            stored = await self._store.get(guild, id)
        except RecordCorrupt:
            stored = None  # what can't be read can be removed all the same
        if not await self._store.remove(guild, id) and stored is None:
            raise NotFound("{id} was not imported here, so it can't be removed.", id=repr(id))
        self._library.remove(id, guild)
        held = self._held.get(guild)
        if held is not None:
            held.entries.pop(id, None)
            held.sizes.pop(id, None)
        return stored

    async def allow_scripts(self, guild: GuildId, id: str, allowed: bool) -> None:
        """Let, or no longer let, a persona's regex scripts run in a guild."""
        await self._store.allow_scripts(guild, id, allowed)
        held = self._held.get(guild)
        if held is not None:
            held.scripts = held.scripts | {id} if allowed else held.scripts - {id}

    # ── files ───────────────────────────────────────────────────────────────────────────────

    async def card(self, guild: GuildId, persona: Persona) -> tuple[ReadCard, StoredCard | None]:
        """Return a persona's card as it was read, and its file if it was imported here."""
        await self.ready(guild)
        if self.is_imported(guild, persona.id):
            stored = await self._store.get(guild, persona.id)
            if stored is not None:
                return await self._read(stored.data, stored.entry.filename), stored
        return ReadCard(persona.card, persona.avatar, (), persona.card.spec), None

    async def export(
        self, guild: GuildId, persona: Persona, container: Container, spec: str
    ) -> Exported:
        """Write a persona's card as a file.

        Raises:
            InvalidChoice: the container can't hold this version.
        """
        read, _ = await self.card(guild, persona)
        return await asyncio.to_thread(export_card, read, container, spec=spec, now=self._now())

    # ── inside ──────────────────────────────────────────────────────────────────────────────

    def _is_fresh(self, guild: GuildId) -> bool:
        held = self._held.get(guild)
        if held is None or time.monotonic() - held.read_at >= FRESH:
            return False
        self._held.move_to_end(guild)
        return True

    def _stale(self, guild: GuildId) -> None:
        self._epoch += 1
        held = self._held.get(guild)
        if held is not None:
            held.read_at = float("-inf")

    async def _load(self, guild: GuildId) -> None:
        """Bring what is in service in line with the store; only what changed is read."""
        began, epoch = time.monotonic(), self._epoch
        entries = {entry.id: entry for entry in await self._store.entries(guild)}
        scripts = await self._store.scripts_allowed(guild)
        held = self._held.get(guild) or _Held()
        sizes = {id: size for id, size in held.sizes.items() if id in entries}
        for id in held.entries.keys() - entries.keys():
            self._library.remove(id, guild)
        for id, entry in entries.items():
            known = held.entries.get(id)
            if known is None or known.digest != entry.digest:
                sizes[id] = await self._bring(guild, entry)
        # A change that came meanwhile may be missing from what was read: look again next time.
        read_at = began if epoch == self._epoch else float("-inf")
        self._held[guild] = _Held(entries, scripts, read_at, sizes)
        self._held.move_to_end(guild)
        self._make_room()

    async def _bring(self, guild: GuildId, entry: CardEntry) -> int:
        """Put one stored card into service, and return its size; one that can't be read is logged
        and left out."""
        try:
            stored = await self._store.get(guild, entry.id)
            if stored is not None:
                read = await self._read(stored.data, entry.filename)
                persona = await self._made(read, entry.id)
                self._library.add(persona, guild)
                return entry.size + persona.size
        except (RecordCorrupt, CardRejected) as error:
            log.warning("imported card unreadable", guild=guild, card=entry.id, error=error)
        return 0

    def _make_room(self) -> None:
        """Let the guilds go that were quiet longest; they are read again when they speak."""
        total = sum(sum(held.sizes.values()) for held in self._held.values())
        while total > HELD_BYTES and len(self._held) > 1:
            guild, held = self._held.popitem(last=False)
            total -= sum(held.sizes.values())
            for id in held.entries:
                self._library.remove(id, guild)

    async def _keep(self, guild: GuildId, card: StoredCard, persona: Persona) -> None:
        await self._store.put(guild, card)
        self._library.add(persona, guild)
        held = self._held.setdefault(guild, _Held())
        held.entries[card.entry.id] = card.entry
        held.sizes[card.entry.id] = card.entry.size + persona.size
        # The change has a number: the next look at the store finds whatever else it brought.
        self._stale(guild)

    async def _draft(self, guild: GuildId, read: ReadCard, data: bytes) -> Draft:
        id = self._free_id(guild, slug(read.card.nickname or read.card.name))
        replaces = self._library.get(id, guild) if self.is_imported(guild, id) else None
        return Draft(read, await self._made(read, id), _digest(data), replaces)

    async def _made(self, read: ReadCard, id: str) -> Persona:
        """Make a persona and what its first turn needs, off the loop: books can be large."""

        def make() -> Persona:
            world = self._library.world(read.card.world) if read.card.book is None else None
            persona = make_persona(read, id, world)
            self._library.prepare(persona)
            return persona

        return await asyncio.to_thread(make)

    def _free_id(self, guild: GuildId, wanted: str) -> str:
        """Return the id for a new card: one imported before keeps its place, one of the folder
        is left alone."""
        for number in range(1, 100):
            id = wanted if number == 1 else f"{wanted[:61]}-{number}"
            if self.is_imported(guild, id):
                return id
            try:
                self._library.get(id)
            except NotFound:
                return id
        raise InvalidChoice("There are too many personas of this name.")

    def _entry(
        self,
        id: str,
        by: UserId,
        data: bytes,
        filename: str,
    ) -> CardEntry:
        return CardEntry(id, filename[-200:], by, self._now(), len(data), _digest(data))

    async def _read(self, data: bytes, filename: str) -> ReadCard:
        try:
            async with asyncio.timeout(LOAD_TIMEOUT):
                await self._readers.acquire()
        except TimeoutError as error:
            raise Busy("Other cards are being read. Please try again in a moment.") from error
        reading = asyncio.create_task(asyncio.to_thread(read_card, data, filename))
        self._reading.add(reading)
        reading.add_done_callback(self._was_read)
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                return await asyncio.shield(reading)
        except TimeoutError as error:
            raise CardRejected("The card takes too long to read.") from error

    def _was_read(self, reading: asyncio.Task[ReadCard]) -> None:
        """Make room for the next card. A thread can't be stopped: who gave up waiting for one
        still has it."""
        self._reading.discard(reading)
        self._readers.release()
        if not reading.cancelled():
            reading.exception()  # else it is logged as never looked at


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _kind(stored: StoredCard | None) -> Container:
    """Return the container of a file, so that an edited card stays what it was."""
    if stored is None or stored.data.startswith(b"\x89PNG"):
        return Container.PNG
    text = stored.data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    return Container.JSON if text else Container.CHARX
