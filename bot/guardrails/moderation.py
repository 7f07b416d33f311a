"""What the moderators of a server choose, are told, and decide about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.chat.place import ChannelId, GuildId, MessageId, UserId

MAX_REASON = 500
"""Characters of a report's reason."""
PRIVATE = "sh_crisis"
"""The one category that says something about a person's health: told only where a server wants
it (guardrails reference, "operator-opt-in mod ping")."""
NOTIFIED = frozenset(
    {"csae", "mass_harm", "threat", "doxx", "hate", "ncii", "sh_promo", "impersonation", PRIVATE}
)
"""Categories whose findings in a person's message moderators are told of, never with a quote."""


class Strictness(StrEnum):
    """How careful replies in a server are."""

    NORMAL = "normal"
    STRICT = "strict"
    """Replies are judged sentence by sentence, and whole where a guard model is configured; none
    goes on without it."""


@dataclass(frozen=True, slots=True)
class GuildPolicy:
    """What a server chose."""

    strictness: Strictness | None = None
    modlog: ChannelId | None = None
    """Where moderators are told of findings and reports."""
    crisis_notices: bool = False
    """Whether they are told, without a quote, that somebody was shown the crisis card."""

    def in_force(self, least: Strictness) -> Strictness:
        """Return the strictness within the operator's bound: never milder than `least`."""
        if least is Strictness.STRICT:
            return least
        return self.strictness or Strictness.NORMAL


@dataclass(frozen=True, slots=True)
class Report:
    """A person's complaint about a reply. `at` is unix seconds."""

    reporter: UserId
    channel: ChannelId
    message: MessageId
    reason: str
    at: float


class ModerationStore(Protocol):
    """Choices, reports and counts by server. Every method raises `StoreError`."""

    async def policy(self, guild: GuildId) -> GuildPolicy: ...

    async def choose(self, guild: GuildId, policy: GuildPolicy) -> None: ...

    async def report(self, guild: GuildId | None, report: Report) -> None:
        """Write a report down, sealed; None is a direct message."""
        ...

    async def reports(self, guild: GuildId | None, count: int) -> tuple[Report, ...]:
        """Return the latest reports, newest first."""
        ...

    async def mistaken(self, guild: GuildId | None, digest: str) -> bool:
        """Note that a refusal was called a mistake. False when it was before."""
        ...

    async def decisions(self, guild: GuildId, since: float) -> Mapping[str, int]:
        """Return how often each measure was taken since a unix time."""
        ...
