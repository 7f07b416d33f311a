"""Imported cards in Redis: `bot.ports.CardStore`.

Files are kept as they came, so that an export loses nothing. Cards belong to their guild; of the
person who imported one only the id is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.fields import Fields, dump, ident, read
from bot.adapters.redis.followed import CHANGED, CHANGES, CHANGES_SINCE
from bot.adapters.redis.scripts import Script
from bot.chat.place import GuildId, UserId
from bot.errors import InvalidChoice, RecordCorrupt, StoreError
from bot.personas.imported import MAX_CARD
from bot.ports import CardEntry, StoredCard

MAX_CARDS: Final = 50
"""Cards of one guild."""
DRAFT_S: Final = 3600
"""Seconds for which a card waits for its importer's decision."""
INLINE: Final = 64 * 1024
"""Bytes up to which sealing is quicker than handing over to a thread."""

PUT: Final = Script("card_put")
REMOVE: Final = Script("card_remove")

log = structlog.get_logger(__name__)


class RedisCards:
    """Cards, drafts of cards, and whose scripts may run, by guild."""

    def __init__(self, redis: Client, sealer: Sealer) -> None:
        self._redis = redis
        self._sealer = sealer

    # ── cards ───────────────────────────────────────────────────────────────────────────────

    async def entries(self, guild: GuildId) -> tuple[CardEntry, ...]:
        """Return what is known about a guild's cards, ordered by id. One that can't be read is
        left out, and logged."""
        name = keys.guild(guild, "cards")
        with store_errors(self._redis):
            stored: Any = await self._redis.hgetall(name)
        found = []
        for field, sealed in stored.items():
            card = field.decode(errors="replace")
            try:
                found.append(_entry_of(card, self._sealer.open(sealed, name, card)))
            except RecordCorrupt as error:
                log.warning("card unreadable", guild=guild, card=card, reason=str(error))
        return tuple(sorted(found, key=lambda each: each.id))

    async def get(self, guild: GuildId, id: str) -> StoredCard | None:
        """Return a card with its file.

        Raises:
            RecordCorrupt: it does not open.
            StoreError: Redis is away.
        """
        name, file = keys.guild(guild, "cards"), _file(guild, id)
        with store_errors(self._redis):
            about: Any = await self._redis.hget(name, id)
            sealed: Any = await self._redis.get(file)
        if about is None or sealed is None:
            return None
        entry = _entry_of(id, self._sealer.open(about, name, id))
        return StoredCard(entry, await self._open(sealed, file))

    async def put(self, guild: GuildId, card: StoredCard) -> None:
        """Insert or replace a card; see the port."""
        _check_size(card)
        name, file, entry = keys.guild(guild, "cards"), _file(guild, card.entry.id), card.entry
        about = self._sealer.seal(_entry_record(entry), name, entry.id)
        sealed = await self._seal(card.data, file)
        await self._index(guild, entry.id, entry.by)
        if not await PUT.run(self._redis, [name, file], [entry.id, about, sealed, MAX_CARDS]):
            raise InvalidChoice(
                "A server can have {most} imported cards. Remove one first: `/persona remove`.",
                most=MAX_CARDS,
            )
        await self._announce(guild)

    async def remove(self, guild: GuildId, id: str) -> bool:
        """Remove a card, its file and its scripts' permission. False when there is none."""
        names = [keys.guild(guild, "cards"), _file(guild, id), keys.guild(guild, "scripts")]
        removed = bool(await REMOVE.run(self._redis, names, [id]))
        await self._announce(guild)
        return removed

    # ── drafts ──────────────────────────────────────────────────────────────────────────────

    async def put_draft(self, guild: GuildId, card: StoredCard) -> None:
        """Keep a card for `DRAFT_S` seconds in place of the person's last draft here."""
        _check_size(card)
        name = _draft(guild, card.entry.by)
        record = _entry_record(card.entry)
        head = len(record).to_bytes(4, "big") + record
        sealed = await self._seal(head + card.data, name)
        await self._index(guild, "", card.entry.by)
        with store_errors(self._redis):
            await self._redis.set(name, sealed, ex=DRAFT_S)

    async def draft(self, guild: GuildId, by: UserId) -> StoredCard | None:
        """Return the person's draft here.

        Raises:
            RecordCorrupt: it does not open.
            StoreError: Redis is away.
        """
        name = _draft(guild, by)
        with store_errors(self._redis):
            sealed: Any = await self._redis.get(name)
        if sealed is None:
            return None
        plain = await self._open(sealed, name)
        end = 4 + int.from_bytes(plain[:4], "big")
        return StoredCard(_entry_of(None, plain[4:end]), plain[end:])

    async def drop_draft(self, guild: GuildId, by: UserId) -> None:
        """Forget the person's draft here."""
        with store_errors(self._redis):
            await self._redis.delete(_draft(guild, by))

    # ── scripts ─────────────────────────────────────────────────────────────────────────────

    async def allow_scripts(self, guild: GuildId, id: str, allowed: bool) -> None:
        """Let, or no longer let, a persona's regex scripts run in a guild."""
        name = keys.guild(guild, "scripts")
        with store_errors(self._redis):
            if allowed:
                await self._redis.sadd(name, id)
            else:
                await self._redis.srem(name, id)
        await self._announce(guild)

    async def scripts_allowed(self, guild: GuildId) -> frozenset[str]:
        """Return the ids of the personas whose scripts may run."""
        with store_errors(self._redis):
            members: Any = await self._redis.smembers(keys.guild(guild, "scripts"))
        return frozenset(member.decode(errors="replace") for member in members)

    # ── changes ─────────────────────────────────────────────────────────────────────────────

    async def changes(self, since: int) -> tuple[int, frozenset[GuildId] | None]:
        """Return the number of the last change, and the guilds that changed since `since`."""
        names = [keys.CARD_SEQUENCE, keys.CARD_CHANGES]
        answer = await CHANGES_SINCE.run(self._redis, names, [since, CHANGES])
        number, guilds = int(answer[0]), answer[1:]
        if number < since or len(guilds) > CHANGES:  # another database, or far behind
            return number, None
        return number, frozenset(GuildId(int(guild)) for guild in guilds)

    async def _announce(self, guild: GuildId) -> None:
        names = [keys.CARD_SEQUENCE, keys.CARD_CHANGES]
        await CHANGED.run(self._redis, names, [str(guild)])

    # ── subject access ──────────────────────────────────────────────────────────────────────

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return which cards the person imported, where and when."""
        found = []
        for guild, card in await self._of(person):
            for entry in await self.entries(guild):
                if entry.id == card and entry.by == person:
                    about = {"guild": str(guild), "card": entry.id, "file": entry.filename}
                    found.append({**about, "at": entry.at})
        return {"cards": found} if found else {}

    async def delete_person(self, person: UserId) -> int:
        """Forget who imported the person's cards, and their drafts. The cards stay: they are
        the guild's."""
        changed = 0
        for guild, card in await self._of(person):
            if not card:
                with store_errors(self._redis):
                    changed += int(await self._redis.delete(_draft(guild, person)))
                continue
            for entry in await self.entries(guild):
                if entry.id == card and entry.by == person:
                    await self._forget_importer(guild, entry)
                    changed += 1
        with store_errors(self._redis):
            await self._redis.delete(keys.person(person, "cards"))
        return changed

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove a guild's cards. Return how many there were."""
        name = keys.guild(guild, "cards")
        with store_errors(self._redis):
            stored: Any = await self._redis.hkeys(name)
            cards = [field.decode(errors="replace") for field in stored]
            files = [_file(guild, card) for card in cards]
            await self._redis.delete(name, keys.guild(guild, "scripts"), *files)
        await self._announce(guild)
        return len(cards)

    async def _forget_importer(self, guild: GuildId, entry: CardEntry) -> None:
        name = keys.guild(guild, "cards")
        record = _entry_record(replace(entry, by=UserId(0)))
        with store_errors(self._redis):
            await self._redis.hset(name, entry.id, self._sealer.seal(record, name, entry.id))

    async def _index(self, guild: GuildId, card: str, by: UserId) -> None:
        """Note whose a card is, before it is there: never a reference too few."""
        if by:
            with store_errors(self._redis):
                await self._redis.sadd(keys.person(by, "cards"), f"{guild}:{card}")

    async def _of(self, person: UserId) -> list[tuple[GuildId, str]]:
        with store_errors(self._redis):
            members: Any = await self._redis.smembers(keys.person(person, "cards"))
        pairs = (member.decode(errors="replace").partition(":") for member in sorted(members))
        return [(GuildId(int(guild)), card) for guild, _, card in pairs]

    # ── sealing ─────────────────────────────────────────────────────────────────────────────

    async def _seal(self, data: bytes, key: str) -> bytes:
        if len(data) <= INLINE:
            return self._sealer.seal(data, key)
        return await asyncio.to_thread(self._sealer.seal, data, key)

    async def _open(self, sealed: bytes, key: str) -> bytes:
        if len(sealed) <= INLINE:
            return self._sealer.open(sealed, key)
        return await asyncio.to_thread(self._sealer.open, sealed, key)


def _file(guild: GuildId, card: str) -> str:
    return keys.guild(guild, f"card:{card}")


def _draft(guild: GuildId, by: UserId) -> str:
    return keys.guild(guild, f"draft:{by}")


def _check_size(card: StoredCard) -> None:
    if len(card.data) > MAX_CARD:
        raise InvalidChoice("A card may have at most {size} MB.", size=MAX_CARD // 2**20)


def _entry_record(entry: CardEntry) -> bytes:
    if len(entry.id) > 100 or len(entry.filename) > 300:
        raise StoreError("a card's id or file name is too long to be stored")
    return dump(
        {
            "i": entry.id,
            "f": entry.filename,
            "u": entry.by,
            "at": entry.at,
            "s": entry.size,
            "d": entry.digest,
        }
    )


def _entry_of(card: str | None, data: bytes) -> CardEntry:
    """Read an entry; `card` is the id under which it was found."""
    fields = Fields(read(data))
    if card is not None and fields.text("i") != card:
        raise RecordCorrupt("a stored card is under another card's id")
    return CardEntry(
        id=fields.text("i"),
        filename=fields.text("f"),
        by=UserId(fields.ident("u")),
        at=fields.seconds("at"),
        size=ident(fields.ident("s")),
        digest=fields.text("d"),
    )
