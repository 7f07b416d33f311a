"""What people did with replies, how true to character these were, and what became of them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.observability.labels import Vocabulary
from bot.observability.scales import ROUTES


class ReplyMetrics:
    """Votes and wishes; character and its judge; what was cut, and what Discord did not take."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._route = Vocabulary(*ROUTES, limit=0)
        self._wish = Vocabulary("regenerate", "continue", "show", "edit", "delete", limit=0)
        self._votes = Counter(
            "troupe_reply_votes", "Thumbs under replies.", ["route", "vote"], registry=registry
        )
        self._wishes = Counter(
            "troupe_reply_wishes",
            "Buttons and menus that change a reply, by what was wanted.",
            ["wish"],
            registry=registry,
        )
        self._declare_character(registry)
        self._declare_losses(registry)

    def _declare_character(self, registry: CollectorRegistry) -> None:
        self._outcome = Vocabulary(
            "answered", "busy", "open", "deadline", "backend", "unreadable", limit=0
        )
        self._reason = Vocabulary(
            "character", "name", "language", "speaker", "empty", "judge", limit=0
        )
        self._score = Histogram(
            "troupe_in_character_ratio",
            "How much a persona was itself: 1 entirely, 0 not at all.",
            ["route"],
            buckets=(0.1, 0.3, 0.5, 0.7, 0.9, 1.0),
            registry=registry,
        )
        self._drift = Counter(
            "troupe_drifts",
            "Replies out of character, by reason; noted, or written again unseen.",
            ["reason", "action"],
            registry=registry,
        )
        self._judged = Counter(
            "troupe_character_judgements",
            "Replies for the judge of character: answered, or why there is no opinion.",
            ["outcome"],
            registry=registry,
        )

    def _declare_losses(self, registry: CollectorRegistry) -> None:
        self._what = Vocabulary("foreign_line", "label", "echo", "loop", limit=0)
        self._why = Vocabulary("permission", "closed", "gone", "refused", limit=0)
        self._cuts = Counter(
            "troupe_reply_cuts",
            "What was cut from replies: other people's lines, labels, echoes, loops.",
            ["what"],
            registry=registry,
        )
        self._undelivered = Counter(
            "troupe_replies_undelivered",
            "Replies that Discord did not take, by why: a permission is missing, the thread is "
            "closed, channel or message are gone, or anything else.",
            ["why"],
            registry=registry,
        )

    def scored(self, route: str, score: float) -> None:
        """Observe how much a persona was itself."""
        self._score.labels(self._route.word(route)).observe(score)

    def drifted(self, reason: str, action: str) -> None:
        """Count a reply out of character; `action` is `noted` or `regenerated`."""
        self._drift.labels(self._reason.word(reason), action).inc()

    def judged(self, outcome: str) -> None:
        """Count a reply that the judge of character was to read."""
        self._judged.labels(self._outcome.word(outcome)).inc()

    def undelivered(self, why: str) -> None:
        """Count a reply that Discord did not take."""
        self._undelivered.labels(self._why.word(why)).inc()

    def cut(self, what: str) -> None:
        """Count what was cut from a reply."""
        self._cuts.labels(self._what.word(what)).inc()

    def voted(self, route: str, up: bool) -> None:
        """Count a thumb."""
        self._votes.labels(self._route.word(route), "up" if up else "down").inc()

    def wished(self, wish: str) -> None:
        """Count a wish that was taken."""
        self._wishes.labels(self._wish.word(wish)).inc()
