"""Moderation in Redis: `bot.guardrails.moderation.ModerationStore`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import structlog

from bot.adapters.redis import keys
from bot.adapters.redis.audit import AUDIT
from bot.adapters.redis.connect import Client, store_errors
from bot.adapters.redis.crypto import Sealer
from bot.chat.place import ChannelId, GuildId, MessageId, UserId
from bot.errors import RecordCorrupt
from bot.guardrails.moderation import MAX_REASON, GuildPolicy, Report, Strictness

log = structlog.get_logger(__name__)

POLICY: Final = "guard"
REPORTS: Final = "reports"
MISTAKES: Final = "mistakes"
DIRECT: Final = GuildId(0)
"""Stands for direct messages, which have no server."""
LOCALE: Final = 10
"""Characters of a locale of Discord's, such as `pt-BR`, at most."""
REPORTS_KEPT: Final = 1000
REPORTS_LIFETIME: Final = 90 * 86_400
MISTAKES_LIFETIME: Final = 30 * 86_400
COUNTED: Final = 5000
"""Audit entries that a count looks at."""


class RedisModeration:
    """A server's choices (plain), its reports (sealed), and which refusals were called wrong."""

    def __init__(self, redis: Client, sealer: Sealer) -> None:
        self._redis = redis
        self._sealer = sealer

    async def policy(self, guild: GuildId) -> GuildPolicy:
        """Return what the server chose; a value that can't be read counts as not chosen.

        Raises:
            StoreError: Redis is away.
        """
        with store_errors(self._redis):
            stored: Any = await self._redis.hgetall(keys.guild(guild, POLICY))
        values = {name.decode(): value.decode("ascii", "replace") for name, value in stored.items()}
        strictness, modlog = values.get("strictness", ""), values.get("modlog", "")
        return GuildPolicy(
            strictness=Strictness(strictness) if strictness in set(Strictness) else None,
            modlog=ChannelId(int(modlog)) if modlog.isdecimal() else None,
            crisis_notices=values.get("crisis_notices") == "1",
            language=values.get("language", "")[:LOCALE],
        )

    async def choose(self, guild: GuildId, policy: GuildPolicy) -> None:
        """Replace the server's choices.

        Raises:
            StoreError: Redis is away.
        """
        chosen: dict[Any, Any] = {
            "strictness": policy.strictness.value if policy.strictness else "",
            "modlog": str(policy.modlog or ""),
            "crisis_notices": "1" if policy.crisis_notices else "",
            "language": policy.language,
        }
        with store_errors(self._redis):
            await self._redis.hset(keys.guild(guild, POLICY), mapping=chosen)

    async def report(self, guild: GuildId | None, report: Report) -> None:
        """Write a report down, sealed.

        Raises:
            StoreError: Redis is away.
        """
        name = keys.guild(guild or DIRECT, REPORTS)
        record = json.dumps({**asdict(report), "reason": report.reason[:MAX_REASON]})
        sealed = self._sealer.seal(record.encode(), name)
        with store_errors(self._redis):
            ident: Any = await self._redis.xadd(
                name, {"d": sealed}, maxlen=REPORTS_KEPT, approximate=False
            )
            await self._redis.expire(name, REPORTS_LIFETIME)
            own = keys.person(report.reporter, REPORTS)
            await self._redis.sadd(own, f"{guild or 0}:{ident.decode()}")
            await self._redis.expire(own, REPORTS_LIFETIME)

    async def reports(self, guild: GuildId | None, count: int) -> tuple[Report, ...]:
        """Return the latest reports, newest first.

        Raises:
            StoreError: Redis is away.
        """
        name = keys.guild(guild or DIRECT, REPORTS)
        with store_errors(self._redis):
            rows: Any = await self._redis.xrevrange(name, count=count)
        found = (self._read(name, fields[b"d"]) for _, fields in rows)
        return tuple(report for report in found if report is not None)

    async def mistaken(self, guild: GuildId | None, digest: str) -> bool:
        """Note that a refusal was called a mistake. False when it was before.

        Raises:
            StoreError: Redis is away.
        """
        name = keys.guild(guild or DIRECT, MISTAKES)
        with store_errors(self._redis):
            fresh = await self._redis.sadd(name, digest)
            await self._redis.expire(name, MISTAKES_LIFETIME)
        return bool(fresh)

    async def decisions(self, guild: GuildId, since: float) -> Mapping[str, int]:
        """Return how often each measure was taken since a unix time.

        Raises:
            StoreError: Redis is away.
        """
        with store_errors(self._redis):
            rows: Any = await self._redis.xrevrange(
                keys.guild(guild, AUDIT), min=str(int(since * 1000)), count=COUNTED
            )
        return Counter(fields.get(b"measure", b"").decode("ascii", "replace") for _, fields in rows)

    def _read(self, name: str, sealed: bytes) -> Report | None:
        try:
            record = json.loads(self._sealer.open(sealed, name))
            return Report(
                UserId(int(record["reporter"])),
                ChannelId(int(record["channel"])),
                MessageId(int(record["message"])),
                str(record["reason"]),
                float(record["at"]),
            )
        except (RecordCorrupt, ValueError, TypeError, KeyError) as error:
            log.warning("report unreadable", reason=type(error).__name__)
            return None

    # ── subject access ──────────────────────────────────────────────────────────────────────

    async def export_person(self, person: UserId) -> Mapping[str, Any]:
        """Return the reports that the person made."""
        made = [asdict(report) for _, _, report in await self._made(person) if report]
        return {"reports": made} if made else {}

    async def delete_person(self, person: UserId) -> int:
        """Remove the reports that the person made."""
        made = await self._made(person)
        with store_errors(self._redis):
            for name, ident, _ in made:
                await self._redis.xdel(name, ident)
            await self._redis.unlink(keys.person(person, REPORTS))
        return len(made)

    async def delete_guild(self, guild: GuildId) -> int:
        """Remove the server's choices, reports and audit trail."""
        parts = (POLICY, REPORTS, MISTAKES, AUDIT)
        with store_errors(self._redis):
            return int(await self._redis.unlink(*(keys.guild(guild, part) for part in parts)))

    async def _made(self, person: UserId) -> list[tuple[str, str, Report | None]]:
        with store_errors(self._redis):
            members: Any = await self._redis.smembers(keys.person(person, REPORTS))
            found: list[tuple[str, str, Report | None]] = []
            for member in members:
                guild, _, ident = member.decode().partition(":")
                name = keys.guild(GuildId(int(guild)), REPORTS)
                rows: Any = await self._redis.xrange(name, min=ident, max=ident)
                found += [(name, ident, self._read(name, fields[b"d"])) for _, fields in rows]
        return found
