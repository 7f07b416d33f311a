"""What the moderators of a server choose, are told, and decide about."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId
from bot.errors import StoreError

FRESH = 5.0
"""Seconds that a choice is taken from memory."""
GUILDS = 5000
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
    """Replies are judged sentence by sentence, and whole where a guard model is configured: then
    none goes on while it is away. Without one the rules judge alone."""


@dataclass(frozen=True, slots=True)
class GuildPolicy:
    """What a server chose."""

    strictness: Strictness | None = None
    modlog: ChannelId | None = None
    """Where moderators are told of findings and reports."""
    crisis_notices: bool = False
    """Whether they are told, without a quote, that somebody was shown the crisis card."""
    language: str = ""
    """The server's language when the channel was chosen, in which moderators are told."""

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


class Policies:
    """Choices of servers on the hot path: from memory, asked for anew every few seconds."""

    def __init__(
        self, store: ModerationStore, least: Strictness, monotonic: Callable[[], float]
    ) -> None:
        """`least` is the operator's bound."""
        self.least = least
        self._store = store
        self._monotonic = monotonic
        self._held: OrderedDict[GuildId, tuple[float, GuildPolicy]] = OrderedDict()

    async def of(self, guild: GuildId | None) -> GuildPolicy:
        """Return what a server chose, at most `FRESH` seconds old; a DM has chosen nothing.

        Raises:
            StoreError: the store is away and nothing is held.
        """
        if guild is None:
            return GuildPolicy()
        held = self._held.get(guild)
        if held is not None and self._monotonic() - held[0] < FRESH:
            return held[1]
        try:
            policy = await self._store.policy(guild)
        except StoreError:
            if held is None:
                raise
            return held[1]
        self._hold(guild, policy)
        return policy

    async def strict(self, place: Place) -> bool:
        """Whether replies in a place are judged strictly; so they are while nobody can tell."""
        try:
            policy = await self.of(place.guild)
        except StoreError:
            return True
        return policy.in_force(self.least) is Strictness.STRICT

    async def choose(self, guild: GuildId, policy: GuildPolicy) -> None:
        """Change what a server chose.

        Raises:
            StoreError: the store is away; nothing changed.
        """
        await self._store.choose(guild, policy)
        self._hold(guild, policy)

    def _hold(self, guild: GuildId, policy: GuildPolicy) -> None:
        self._held[guild] = (self._monotonic(), policy)
        self._held.move_to_end(guild)
        while len(self._held) > GUILDS:
            self._held.popitem(last=False)
