"""The audit trail: what was decided, never what was said."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.chat.place import GuildId
from bot.guardrails.policy import Decision

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One decision. `digest` is an HMAC of the text: equal texts show, none can be read."""

    stage: str
    """`input`, `review`, `output`, `revision`, `reminder` or `degraded`."""
    measure: str
    category: str | None
    rule: str | None
    score: float
    route: str
    digest: str
    seconds: float
    tier: str | None = None
    """Severity of a crisis finding; feeds the yearly count of referrals."""
    guild: GuildId | None = None
    """Whose moderators may see it; None for a direct message."""


AuditSink = Callable[[AuditEntry], None]


class Audit:
    """Makes entries and hands them on. Without a key it makes one that lasts for the process."""

    def __init__(self, sink: AuditSink | None = None, key: bytes | None = None) -> None:
        self._sink = sink or logged
        self._key = key or secrets.token_bytes(32)

    def digest(self, text: str) -> str:
        """Return the name of a text: equal texts have equal ones, and none can be read."""
        mac = hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256)
        return mac.hexdigest()[:32]

    def note(
        self,
        stage: str,
        decision: Decision,
        *,
        route: str,
        text: str,
        seconds: float = 0.0,
        guild: GuildId | None = None,
    ) -> None:
        """Record a decision."""
        tier = decision.severity.value if decision.category == "sh_crisis" else None
        self._sink(
            AuditEntry(
                stage,
                decision.measure.value,
                decision.category,
                decision.rule,
                round(decision.score, 3),
                route,
                self.digest(text),
                round(seconds, 6),
                tier,
                guild,
            )
        )


def logged(entry: AuditEntry) -> None:
    """Write an entry to the log, as the trail of a process without another sink."""
    log.info(
        "guardrail",
        stage=entry.stage,
        measure=entry.measure,
        category=entry.category,
        rule=entry.rule,
        score=entry.score,
        route=entry.route,
        digest=entry.digest,
        tier=entry.tier,
    )
