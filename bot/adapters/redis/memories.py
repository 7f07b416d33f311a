"""Memories in Redis: `bot.memory.store.MemoryStore`, and subject access.

Each person's records are sealed with a key of their own, which lies beside them, sealed with the
operator's. Without it the records, also those in a backup, are noise: forgetting shreds it.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.memory_noes import Noes
from bot.adapters.redis.memory_origins import MemoryOrigins
from bot.adapters.redis.memory_records import read_rows, values_of, without_guild, write
from bot.adapters.redis.rewriting import write_anew
from bot.adapters.redis.scripts import Argument, Script, pairs
from bot.adapters.redis.shelf_cache import ShelfCache
from bot.chat.place import ChannelId, GuildId, MessageId, UserId
from bot.errors import ConsentRequired, RecordCorrupt
from bot.memory.arrays import ready
from bot.memory.export import exported
from bot.memory.item import CAPS, NEVER_EVICTED, Kind, retention
from bot.memory.rows import Rows, packed, unpacked
from bot.memory.shelf import Shelf
from bot.memory.store import Changes, Consent, Written
from bot.recent import Recent
from bot.settings.values import KEY_BYTES

LIFETIME_S: Final = 365 * 86_400
"""Seconds without any use after which a memory is gone."""
LEARNED_A_DAY: Final = 20
CACHE_BYTES: Final = 96_000_000
CHANGES_KEPT: Final = 1_000
PACKED_FROM: Final = 200
"""Items from which on a memory is packed: a smaller one is read as fast without."""

LOAD: Final = Script("memory", "memory_load")
CONSENT: Final = Script("memory", "memory_consent")
APPLY: Final = Script("memory", "memory_apply")
FORGET: Final = Script("memory", "memory_forget")
PACK: Final = Script("memory", "memory_pack")
DUE: Final = Script("memory_due")
DONE: Final = Script("memory_done")

log = structlog.get_logger(__name__)


class RedisMemories:
    """People's memories. What was just read is held, decrypted, while its version stands."""

    def __init__(
        self,
        redis: Client,
        sealer: Sealer,
        *,
        space: str = "",
        lifetime_s: float = LIFETIME_S,
        cache_bytes: int = CACHE_BYTES,
        private: bool = False,
    ) -> None:
        """`space` is `model@dimensions` of the vectors in use; `move_to` changes it. A `private`
        server is nobody else's: what is forgotten leaves its file, too."""
        self._private = private
        self._redis = redis
        self._sealer = sealer
        self._space = space
        self._lifetime = max(1, int(lifetime_s))
        self._held = ShelfCache(cache_bytes)
        self._noes = Noes(sealer)
        self._origins = MemoryOrigins(redis, self._lifetime)
        self._changes = count(1)
        self._last_change = Recent[UserId, int](CHANGES_KEPT)

    def move_to(self, space: str) -> None:
        """Use vectors of this space from now on; others are as good as absent."""
        if space != self._space:
            self._space = space
            self._held.clear()

    async def expect(self) -> None:
        """Make ready what opening a memory takes, if anybody has one; see the port."""
        with store_errors(self._redis):
            async for _ in self._redis.scan_iter(keys.EVERY_MEMORY, count=1_000):
                await ready()
                break

    def last_change(self, person: UserId) -> int:
        """Return the number of the last change of a person's memory; see the port."""
        return self._last_change.get(person, 0)

    @contextmanager
    def _changing(self, person: UserId) -> Iterator[None]:
        try:
            yield
        finally:  # a change whose answer was lost may have been done
            self._last_change[person] = next(self._changes)

    async def load(self, person: UserId) -> Shelf | None:
        """Return a person's memory, paused or not; None without consent."""
        return await self._load(person)

    async def _load(self, person: UserId, *, pack: bool = True) -> Shelf | None:
        held = self._held.get(person)
        known = held.version if held else b""
        answer = await LOAD.run(self._redis, keys.memory(person), [known, int(pack)])
        if not answer[1]:
            self._held.drop(person)
            return None
        if len(answer) == 2 and held is not None:
            return held
        await ready()
        meta = pairs(answer[2])
        own, renewed = self._own_sealer(person, meta)
        if renewed is not None:
            with store_errors(self._redis):
                await self._redis.hset(keys.memory(person)[0], "dek", renewed)
        whole = isinstance(answer[3], bytes)
        if whole:
            rows = self._unpacked(own, person, answer)
        else:
            rows = self._read(own, person, pairs(answer[3]))
        if rows is None:
            self._held.drop(person)
            return await self._load(person, pack=False)
        shelf = Shelf(
            version=meta.get(b"ver", b""),
            epoch=meta.get(b"epoch", b""),
            paused=meta.get(b"state") == b"paused",
            rows=rows,
            values=values_of(meta),
            space=self._space if rows.vectors is not None else "",
        )
        self._held.hold(person, shelf)
        if not whole:
            await self._pack(person, own, shelf)
        return shelf

    def _unpacked(self, own: Sealer, person: UserId, answer: Sequence[Any]) -> Rows | None:
        """Return the rows of a pack; None if it holds other vectors, or can't be opened."""
        try:
            plain = own.open(answer[3], keys.memory(person)[-1], answer[1].decode())
            rows, space = unpacked(plain)
        except RecordCorrupt:
            log.warning("memory pack unreadable")
            return None
        if space == self._space:
            return rows
        return None if self._space else replace(rows, vectors=None)

    def _read(self, own: Sealer, person: UserId, records: Mapping[bytes, bytes]) -> Rows:
        """Return the rows of records. What can't be opened is left out, and logged by number."""
        plains = own.open_hash(records, keys.memory(person)[1])
        rows, unreadable = read_rows(plains, self._space)
        unreadable += len(records) - len(plains)
        if unreadable:
            log.warning("memories unreadable", records=unreadable)
        return rows

    async def pack(self, person: UserId) -> None:
        """Keep a large memory as one record as well; see the port."""
        shelf = await self.load(person)
        with store_errors(self._redis):
            there: Any = await self._redis.exists(keys.memory(person)[-1])
            key: Any = await self._redis.hget(keys.memory(person)[0], "dek")
        if shelf is not None and key is not None and not there:
            await self._pack(person, self._own_sealer(person, {b"dek": key})[0], shelf)

    async def _pack(self, person: UserId, own: Sealer, shelf: Shelf) -> None:
        if len(shelf.rows) < PACKED_FROM:
            return
        version, name = shelf.version, keys.memory(person)[-1]
        sealed = own.seal(packed(shelf.rows, shelf.space), name, version.decode())
        await PACK.run(self._redis, keys.memory(person), [version, self._lifetime, sealed])

    async def consent(self, person: UserId) -> Consent:
        """Return what the person decided."""
        with store_errors(self._redis):
            state: Any = await self._redis.hget(keys.memory(person)[0], "state")
        if state:
            return Consent(state.decode())
        with store_errors(self._redis):
            no: Any = await self._redis.exists(*self._noes.keys(person))
        return Consent.DECLINED if no else Consent.UNDECIDED

    async def agree(self, person: UserId, at: float) -> None:
        """Note the person's yes; see the port."""
        meta = keys.memory(person)[0]
        key = self._sealer.seal(os.urandom(KEY_BYTES), meta, "dek")
        await self._decide(person, Consent.ON, at, secrets.token_hex(8), key)
        await self._forget_no(person)

    async def pause(self, person: UserId, paused: bool) -> None:
        """Stop using and adding, or go on. Without a memory nothing changes."""
        if paused:
            await self._decide(person, Consent.PAUSED, time.time())
        elif await self.consent(person) is Consent.PAUSED:
            await self._decide(person, Consent.ON, time.time())

    async def decline(self, person: UserId) -> None:
        """Forget everything, and remember only the no: under a name that tells nobody whose."""
        with store_errors(self._redis):
            await self._redis.set(self._noes.keys(person)[0], "1")
        await self.forget_all(person)

    async def _forget_no(self, person: UserId) -> None:
        with store_errors(self._redis):
            await self._redis.delete(*self._noes.keys(person))

    async def offer_once(self, person: UserId) -> bool:
        """Whether a memory was never offered to this undecided person; from now on it was."""
        if await self.consent(person) is not Consent.UNDECIDED:
            return False
        name = keys.person(person, "memory:offered")
        with store_errors(self._redis):
            return bool(await self._redis.set(name, "1", ex=self._lifetime, nx=True))

    async def _decide(
        self, person: UserId, state: Consent, at: float, epoch: str = "", key: bytes = b""
    ) -> None:
        self._held.drop(person)
        args: list[Argument] = [self._lifetime, state.value, at, epoch, key]
        with self._changing(person):
            await CONSENT.run(self._redis, keys.memory(person), args)

    async def apply(
        self,
        person: UserId,
        shelf: Shelf,
        changes: Changes,
        *,
        by_person: bool = False,
        if_unchanged: bool = False,
    ) -> Written:
        """Write atomically; see the port."""
        with store_errors(self._redis):
            key: Any = await self._redis.hget(keys.memory(person)[0], "dek")
        if key is None:
            raise ConsentRequired("the person wants no memory")
        own, _ = self._own_sealer(person, {b"dek": key})
        day = time.strftime("%Y-%m-%d", time.gmtime())
        must = shelf.version if if_unchanged else b""
        args: list[Argument] = [shelf.epoch, must, int(by_person), self._lifetime, day]
        args.append(LEARNED_A_DAY)
        args += [-CAPS[kind] if kind in NEVER_EVICTED else CAPS[kind] for kind in Kind]
        args += self._operations(own, person, changes)
        items = [put.item for put in changes.put]
        # Before the memory itself: a deletion must never miss what came from a message.
        await self._origins.note(person, items)
        with self._changing(person):
            answer = await APPLY.run(self._redis, keys.memory(person), args)
        if answer[0] == b"off":
            self._held.drop(person)
            await self._origins.forget(person, items)
            raise ConsentRequired("the person wants no memory")
        if answer[0] == b"stale":
            return Written(stale=True)
        names = [each.decode() for each in answer[2:]]
        middle = names.index("")
        written = Written(tuple(names[:middle]), tuple(names[middle + 1 :]))
        self._held.advance(person, answer[0], answer[1], changes, written)
        return written

    def _operations(self, own: Sealer, person: UserId, changes: Changes) -> list[Argument]:
        args: list[Argument] = []
        items = keys.memory(person)[1]
        # Removals first: they make room, and what is replaced must not evict its successor.
        for ident in changes.remove:
            args += ["del", ident]
        for put in changes.put:
            item = put.item
            sealed = own.seal(write(item, put.vector, put.space), items, item.id)
            score = retention(item, put.used or item.at)
            counted = int(put.counted)
            args += ["put", item.id, score, counted, " ".join(put.only_if), sealed]
            for channel in {channel for channel, _ in item.sources}:
                args += ["place", f"{item.guild}:{channel}"]
        for ident, score in changes.used:
            args += ["use", ident, score]
        for name, value in changes.values:
            args += ["set", name, value]
        return args

    async def forget_all(self, person: UserId) -> int:
        """Leave no key of the person's memory, nor a mention of them in any index.

        Nothing is opened for it: a lost key must not keep anybody from being forgotten.
        """
        self._held.drop(person)
        # The memory first: writers under way are refused from here on.
        with self._changing(person):
            forgotten, *places = await FORGET.run(self._redis, keys.memory(person), [])
        with store_errors(self._redis):
            await self._redis.unlink(keys.person(person, "memory:offered"))
            await self._redis.zrem(keys.MEMORY_DUE, str(person))
        await self._origins.forget_person(person, places)
        self._held.drop(person)
        if self._private:
            await write_anew(self._redis)
        return int(forgotten)

    # ── indexes and queue ───────────────────────────────────────────────────────────────────

    async def owners(
        self, channel: ChannelId, messages: Sequence[MessageId]
    ) -> dict[MessageId, UserId]:
        """Return whose memories came from these messages."""
        return await self._origins.owners(channel, messages)

    async def members(self, guild: GuildId) -> Sequence[UserId]:
        """Return the people with memories learned in a guild."""
        return await self._origins.members(guild)

    async def schedule(self, person: UserId, due: float) -> None:
        """Set when the person's new messages are to be read."""
        with store_errors(self._redis):
            await self._redis.zadd(keys.MEMORY_DUE, {str(person): due})

    async def take_due(self, now: float, lease: float) -> UserId | None:
        """Return a person who is due, and put them off by `lease` seconds."""
        found = await DUE.run(self._redis, [keys.MEMORY_DUE], [now, now + lease])
        return UserId(int(found)) if found else None

    async def done(self, person: UserId, leased_until: float) -> None:
        """Take the person out of the queue, unless scheduled anew."""
        await DONE.run(self._redis, [keys.MEMORY_DUE], [str(person), leased_until])

    # ── subject access ──────────────────────────────────────────────────────────────────────

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return everything that is remembered of a person; `memory.export` says in which form."""
        consent = await self.consent(person)
        shelf = await self.load(person)
        return {"memory": exported(shelf.items if shelf else (), consent)}

    async def delete_person(self, person: UserId) -> int:
        """Forget a person; that they want no memory stays known, or they would be asked again."""
        return await self.forget_all(person)

    async def delete_strictly(self, person: UserId) -> int:
        """Forget a person, and their no."""
        await self._forget_no(person)
        return await self.forget_all(person)

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove what people told in a guild, and what they shared with it.

        A memory whose key is lost is noise already, and keeps nobody else's from being cleared.
        """
        removed = 0
        for person in await self.members(guild):
            try:
                shelf = await self.load(person)
            except RecordCorrupt as error:
                log.warning("memory unreadable", reason=str(error))
                continue
            if shelf is None:
                continue
            gone = [item for item in shelf.items if item.guild == guild]
            shared = [item for item in shelf.items if guild in item.shared and item not in gone]
            if gone or shared:
                changes = without_guild(gone, shared, guild)
                try:
                    await self.apply(person, shelf, changes, by_person=True)
                except ConsentRequired:
                    continue  # forgotten meanwhile
                removed += len(gone)
        await self._origins.forget_guild(guild)
        return removed

    # ── inside ──────────────────────────────────────────────────────────────────────────────

    def _own_sealer(
        self, person: UserId, meta: Mapping[bytes, bytes]
    ) -> tuple[Sealer, bytes | None]:
        """Return the sealer of a person's records and, after a rotation, their key sealed anew."""
        place = keys.memory(person)[0]
        wrapped = meta.get(b"dek", b"")
        key = self._sealer.open(wrapped, place, "dek")
        anew = self._sealer.seal(key, place, "dek")
        same = wrapped[: 2 + wrapped[1]] == anew[: 2 + anew[1]]
        return Sealer([("own", key)]), None if same else anew
