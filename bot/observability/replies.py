"""What people did with replies, and what had to be mended in them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from bot.observability.labels import Vocabulary
from bot.observability.scales import ROUTES


class ReplyMetrics:
    """Votes and wishes, by route."""

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

    def voted(self, route: str, up: bool) -> None:  # one of two
        """Count a thumb."""
        self._votes.labels(self._route.word(route), "up" if up else "down").inc()

    def wished(self, wish: str) -> None:
        """Count a wish that was taken."""
        self._wishes.labels(self._wish.word(wish)).inc()
