"""Accepted messages in Redis: `bot.ports.TurnJournal`.

Accepting claims the message and writes it down in one script. Each process holds a lease, renewed
every few seconds; entries of a process whose lease is gone are taken over by exactly one other
that serves their shard. A process that was frozen so long that it may have lost its entries does
not `hold` them until it has asked by `progress`, before it shows anything more.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.crypto import Sealer
from bot.adapters.redis.records import entry_of, entry_record, progress_of, progress_record
from bot.adapters.redis.scripts import Argument, Script
from bot.chat.place import GuildId, MessageId, UserId
from bot.chat.turn import Message, Trigger
from bot.errors import OwnershipLost, RecordCorrupt, StoreError
from bot.ports import JournalEntry, Outcome, Progress

CLAIM_S: Final = 86_400
LEASE_S: Final = 10.0
RENEWALS: Final = 3
"""Renewals within one lease: two may fail."""
TAKEN_AT_ONCE: Final = 200
"""Entries of one partition that one call takes up at most."""
PAGE: Final = 100

ACCEPT: Final = Script("journal", "accept")
PROGRESS: Final = Script("journal", "progress")
SETTLE: Final = Script("journal", "settle")
RENEW: Final = Script("journal", "renew")
TAKE_UP: Final = Script("journal", "take_up")

log = structlog.get_logger(__name__)


class RedisJournal:
    """The journal of one process. `start` it before use; `close` gives the lease up at once."""

    def __init__(
        self,
        redis: Client,
        sealer: Sealer,
        *,
        process_id: str,
        shards: Sequence[int],
        shard_count: int,
        lease_s: float = LEASE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Journal for the shards that this process serves.

        `process_id` is for people to read; what counts is a random part that each start adds, so
        that a restarted process never takes its predecessor's entries for its own.
        """
        self._redis = redis
        self._sealer = sealer
        serves = f"{shard_count}/{'.'.join(map(str, shards))}"
        self._process = f"{process_id}:{serves}:{secrets.token_hex(6)}"
        self._shards = tuple(shards)
        self._shard_count = shard_count
        self.shared = True
        """Until the first renewal nobody knows."""
        self._lease_s = lease_s
        self._now = now
        self._mine: set[MessageId] = set()
        self._doubtful: set[MessageId] = set()
        """What may be another process's by now."""
        self._renewed = time.monotonic()
        self._taking = asyncio.Lock()
        self._renewal: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the lease, and renew it until `close`.

        Raises:
            StoreError: Redis is away.
        """
        await self._renew(self._lease_s)
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._keep_lease(), name="journal-lease")

    async def close(self) -> None:
        """Give the lease up: what is unsettled is another process's from now on."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)
            self._renewal = None
        try:
            await self._renew(0)
        except StoreError as error:
            log.warning("journal lease not released", reason=str(error))

    async def accept(self, message: Message, trigger: Trigger) -> bool:
        """Claim the message and write it down; False when it is claimed already.

        When this raises, the message may have been written down all the same; `take_up` finds it.
        """
        if message.id in self._mine:
            return False
        partition = keys.partition_of(message.id)
        turns = keys.journal(partition, "turns")
        entry = self._sealer.seal(
            entry_record(message, trigger, self._now()), turns, str(message.id)
        )
        names = [
            keys.claim(message.id),
            turns,
            keys.journal(partition, "open"),
            keys.journal(partition, "leases"),
        ]
        args: list[Argument] = [
            secrets.token_hex(8),
            CLAIM_S,
            self._process,
            self._lease_ms,
            str(message.id),
            (message.place.guild or 0) >> 22,
            entry,
        ]
        self._mine.add(message.id)  # before the answer: `take_up` may run meanwhile
        accepted = False
        try:
            accepted = bool(await ACCEPT.run(self._redis, names, args))
        finally:
            if not accepted:
                self._mine.discard(message.id)
        return accepted

    async def progress(self, message: MessageId, progress: Progress) -> None:
        """Note what of the reply is visible; see the port."""
        partition = keys.partition_of(message)
        names = [keys.journal(partition, part) for part in ("turns", "open", "progress")]
        args: list[Argument] = [self._process, str(message), progress_record(progress)]
        noted = await PROGRESS.run(self._redis, [*names, keys.claim(message)], args)
        if noted < 0:
            self._mine.discard(message)
            raise OwnershipLost("another process has taken this turn over")
        self._doubtful.discard(message)

    def holds(self, message: MessageId) -> bool:
        """Whether the lease has not run out since `progress` last answered; see the port."""
        self._doubt()
        return message not in self._doubtful

    def _doubt(self) -> None:
        """Doubt all that is ours once the lease has run out. The clock goes on while frozen."""
        if time.monotonic() - self._renewed >= self._lease_s:
            self._doubtful |= self._mine

    async def is_open(self, message: MessageId) -> bool:
        """Whether a message was accepted, by any process, and is not settled yet."""
        name = keys.journal(keys.partition_of(message), "open")
        with store_errors(self._redis):
            return bool(await self._redis.hexists(name, str(message)))

    async def settle(self, messages: Sequence[MessageId], outcome: Outcome) -> None:
        """Remove the turn's messages. One round trip, for a burst one a partition."""
        await self._remove(messages, outcome.value)
        self._mine.difference_update(messages)
        self._doubtful.difference_update(messages)

    async def take_up(self) -> Sequence[JournalEntry]:
        """Return unsettled entries of processes that are gone, oldest first.

        Call it at start and every few seconds: a killed process's lease runs out only after a
        while. Each entry is returned once, to one process.
        """
        entries: list[JournalEntry] = []
        async with self._taking:
            try:
                await self._each(lambda partition: self._take_from(partition, entries))
            except StoreError:
                if not entries:  # what was read is ours by now, and must reach the caller
                    raise
        return sorted(entries, key=lambda entry: entry.accepted_at)

    # ── subject access ──────────────────────────────────────────────────────────────────────

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return the person's messages that are still to be answered."""
        entries = await self._select(lambda message: message.speaker.id == person)
        return {
            "accepted": [{"id": str(m.id), "at": m.at, "text": m.text} for m in entries],
        }

    async def delete_person(self, person: UserId) -> int:
        """Remove the person's messages; they won't be answered after a restart."""
        return await self._forget(lambda message: message.speaker.id == person)

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove a guild's messages."""
        return await self._forget(lambda message: message.place.guild == guild)

    # ── inside ──────────────────────────────────────────────────────────────────────────────

    @property
    def _lease_ms(self) -> int:
        return int(self._lease_s * 1000)

    async def _renew(self, seconds: float) -> None:
        async def renew(partition: int) -> Sequence[bytes]:
            args: list[Argument] = [self._process, int(seconds * 1000)]
            names = [keys.journal(partition, "leases")]
            living: Sequence[bytes] = await RENEW.run(self._redis, names, args)
            return living

        asked = time.monotonic()
        living = {name for names in await self._each(renew) for name in names}
        self.shared = any(self._serves_too(name.decode()) for name in living)
        self._doubt()
        self._renewed = asked

    def _serves_too(self, process: str) -> bool:
        """Whether a process may hear of messages that we hear of, by what its name says."""
        count, _, shards = process.split(":")[-2].partition("/")
        if process == self._process or count != str(self._shard_count):
            return process != self._process
        return not set(shards.split(".")).isdisjoint(map(str, self._shards))

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / RENEWALS)
            try:
                await self._renew(self._lease_s)
            except StoreError as error:
                log.warning("journal lease not renewed", reason=str(error))

    async def _each(
        self,
        work: Callable[[int], Awaitable[Any]],
        partitions: Iterable[int] = range(keys.JOURNAL_PARTITIONS),
    ) -> list[Any]:
        """Do the same in partitions at once; all have ended when this returns or raises."""
        done = await asyncio.gather(*map(work, partitions), return_exceptions=True)
        for answer in done:
            if isinstance(answer, BaseException):
                raise answer
        return done

    async def _take_from(self, partition: int, entries: list[JournalEntry]) -> None:
        names = [keys.journal(partition, p) for p in ("turns", "open", "progress", "leases")]
        args: list[Argument] = [self._process, self._lease_ms, TAKEN_AT_ONCE]
        args += [self._shard_count, *self._shards]
        ours = await TAKE_UP.run(self._redis, names, args)
        for name, stream_id, attempts in ours:
            message = MessageId(int(name))
            if message in self._mine:
                continue
            entry = await self._read(partition, message, stream_id, int(attempts))
            self._mine.add(message)
            if entry is not None:
                entries.append(entry)

    async def _read(
        self, partition: int, message: MessageId, stream_id: bytes, attempts: int
    ) -> JournalEntry | None:
        """Return an entry of ours. One that can't be opened stays, for when its key is back."""
        with store_errors(self._redis):
            pipe = self._redis.pipeline(transaction=False)
            pipe.xrange(keys.journal(partition, "turns"), stream_id, stream_id)
            pipe.hget(keys.journal(partition, "progress"), str(message))
            found, noted = await pipe.execute()
        if not found:
            return None
        try:
            opened, trigger, accepted_at = self._open(partition, found[0][1])
            return JournalEntry(opened, trigger, accepted_at, progress_of(noted), attempts)
        except RecordCorrupt as error:
            log.error("journal entry unreadable", message=message, reason=str(error))  # noqa: TRY400  # its trace tells nothing
            return None

    def _open(self, partition: int, fields: Mapping[Any, Any]) -> tuple[Message, Trigger, float]:
        name, sealed = fields.get(b"m", b""), fields.get(b"d", b"")
        plain = self._sealer.open(
            sealed, keys.journal(partition, "turns"), name.decode("ascii", "replace")
        )
        return entry_of(plain)

    async def _remove(self, messages: Sequence[MessageId], outcome: str) -> int:
        parts: dict[int, list[MessageId]] = {}
        for message in messages:
            parts.setdefault(keys.partition_of(message), []).append(message)

        async def settle(partition: int) -> int:
            part = parts[partition]
            names = [keys.journal(partition, name) for name in ("turns", "open", "progress")]
            names += [keys.claim(message) for message in part]
            args = [outcome, *(str(message) for message in part)]
            return int(await SETTLE.run(self._redis, names, args))

        if len(parts) == 1:  # as most have: no task for it
            return sum([await settle(each) for each in parts])
        return sum(await self._each(settle, parts))

    async def _select(self, wanted: Callable[[Message], bool]) -> list[Message]:
        found = await self._each(lambda partition: self._select_from(partition, wanted))
        return [message for part in found for message in part]

    async def _select_from(
        self, partition: int, wanted: Callable[[Message], bool]
    ) -> list[Message]:
        messages: list[Message] = []
        start = "-"
        while True:
            with store_errors(self._redis):
                page: Any = await self._redis.xrange(
                    keys.journal(partition, "turns"), start, "+", count=PAGE
                )
            for _, fields in page:
                try:
                    message = self._open(partition, fields)[0]
                except RecordCorrupt:
                    continue
                if wanted(message):
                    messages.append(message)
            if len(page) < PAGE:
                return messages
            start = "(" + page[-1][0].decode("ascii")

    async def _forget(self, wanted: Callable[[Message], bool]) -> int:
        messages = [message.id for message in await self._select(wanted)]
        removed = await self._remove(messages, Outcome.CANCELLED.value)
        self._mine.difference_update(messages)
        self._doubtful.difference_update(messages)
        return removed
