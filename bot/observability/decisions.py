"""What was decided: the route of each message, and the verdicts of the guardrails."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.observability.labels import Vocabulary
from bot.observability.scales import FAST, ROUTES, SHARES


class RoutingMetrics:
    """Which route was chosen, by what, and how surely."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._route = Vocabulary(*ROUTES, limit=0)
        self._stage = Vocabulary(limit=12)
        self._source = Vocabulary(limit=16)
        self._decisions = Counter(
            "troupe_route_decisions",
            "Route decisions by route, stage and source.",
            ["route", "stage", "source"],
            registry=registry,
        )
        self._confidence = Histogram(
            "troupe_route_confidence_ratio",
            "Probability of the chosen route.",
            ["route"],
            buckets=SHARES,
            registry=registry,
        )
        self._uncertain = Counter(
            "troupe_route_uncertain", "Decisions that were uncertain.", registry=registry
        )

    def decided(
        self, route: str, *, stage: str, source: str, confidence: float, uncertain: bool
    ) -> None:
        """Count a decision."""
        name = self._route.word(route)
        self._decisions.labels(name, self._stage.word(stage), self._source.word(source)).inc()
        self._confidence.labels(name).observe(confidence)
        if uncertain:
            self._uncertain.inc()


class GuardMetrics:
    """What the guardrails said, never about what."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stage = Vocabulary("input", "review", "output", limit=8)
        self._category = Vocabulary(limit=48)
        self._action = Vocabulary("allow", "steer", "support", "refuse", limit=0)
        self._route = Vocabulary(*ROUTES, limit=0)
        self._decisions = Counter(
            "troupe_guard_decisions",
            "Verdicts by stage, category, action and route.",
            ["stage", "category", "action", "route"],
            registry=registry,
        )
        self._seconds = Histogram(
            "troupe_guard_seconds",
            "Seconds that a verdict took.",
            ["stage"],
            buckets=FAST,
            registry=registry,
        )

    def judged(
        self,
        stage: str,
        action: str,
        *,
        category: str | None = None,
        route: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """Count a verdict; `category` is an id of the taxonomy."""
        name = self._stage.word(stage)
        self._decisions.labels(
            name, self._category.word(category), self._action.word(action), self._route.word(route)
        ).inc()
        if seconds is not None:
            self._seconds.labels(name).observe(seconds)
