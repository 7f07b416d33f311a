"""The audit trail of each server in Redis: what was decided, never what was said.

An entry is noted without waiting and written within a second, many in one round trip; after a
quiet second at once, for a process that is killed takes with it what it had not written. While
Redis is away the newest entries wait; what does not fit is counted and said in the log.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.write_behind import WriteBehind
from bot.chat.place import GuildId
from bot.errors import StoreError
from bot.guardrails.audit import AuditEntry

log = structlog.get_logger(__name__)

AUDIT: Final = "audit"
KEPT: Final = 10_000
"""Entries a server; the oldest go first."""
LIFETIME: Final = 30 * 86_400
WAITING: Final = 5000
WRITE_EVERY: Final = 1.0
FIRST_WRITE: Final = 0.02
"""Seconds from the first entry after a quiet time until it is written, with those beside it."""
BATCH: Final = 500


class RedisAudit:
    """An audit sink. Entries of direct messages lie under server 0."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._waiting: deque[AuditEntry] = deque(maxlen=WAITING)
        self._lost = 0
        self._writing = WriteBehind(AUDIT, self.flush, every=WRITE_EVERY, first=FIRST_WRITE)

    def __call__(self, entry: AuditEntry) -> None:
        """Take an entry; never waits."""
        self._lost += len(self._waiting) == WAITING
        self._waiting.append(entry)
        self._writing.soon()

    async def flush(self) -> None:
        """Write what waits.

        Raises:
            StoreError: Redis is away; the entries go on waiting.
        """
        while self._waiting:
            entries = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._write(entries)
            except StoreError:
                room = WAITING - len(self._waiting)
                self._lost += max(0, len(entries) - room)
                self._waiting.extendleft(reversed(entries[-room:] if room else []))
                raise
        if self._lost:
            log.warning("audit entries lost", count=self._lost)
            self._lost = 0

    async def close(self) -> None:
        """Write the rest; what can't be written is counted in the log."""
        await self._writing.close()
        if self._waiting:
            log.warning("audit entries not written", count=len(self._waiting))

    async def _write(self, entries: list[AuditEntry]) -> None:
        names = set()
        with store_errors(self._redis):
            batch = self._redis.pipeline(transaction=False)
            for entry in entries:
                name = keys.guild(entry.guild or GuildId(0), AUDIT)
                names.add(name)
                batch.xadd(name, _fields(entry), maxlen=KEPT, approximate=True)
            for name in names:
                batch.expire(name, LIFETIME)
            await batch.execute()


def _fields(entry: AuditEntry) -> dict[Any, Any]:
    fields = {
        "stage": entry.stage,
        "measure": entry.measure,
        "category": entry.category or "",
        "rule": entry.rule or "",
        "score": f"{entry.score:g}",
        "route": entry.route,
        "digest": entry.digest,
        "seconds": f"{entry.seconds:.4f}",
        "tier": entry.tier or "",
    }
    return {name: value for name, value in fields.items() if value}
