"""What was decided: the route of each message, and the verdicts of the guardrails."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.observability.labels import Vocabulary
from bot.observability.scales import FAST, ROUTES, SHARES, SLOW


class RoutingMetrics:
    """Which route was chosen, by what, and how surely; and what people thought of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._route = Vocabulary(*ROUTES, limit=0)
        self._stage = Vocabulary(limit=12)
        self._source = Vocabulary(limit=16)
        self._reason = Vocabulary("no_table", "held", "margin", "threshold", limit=4)
        self._outcome = Vocabulary(limit=12)
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
        self._gate = Histogram(
            "troupe_route_gate_ratio",
            "Probability that a message only continues the turn before, where there was one.",
            buckets=SHARES,
            registry=registry,
        )
        self._uncertain = Counter(
            "troupe_route_uncertain", "Decisions that were uncertain.", registry=registry
        )
        self._declare_doubts(registry)

    def _declare_doubts(self, registry: CollectorRegistry) -> None:
        self._abstained = Counter(
            "troupe_route_abstentions",
            "Decisions of which the router was not sure, by reason.",
            ["reason"],
            registry=registry,
        )
        self._flips = Counter(
            "troupe_route_flips",
            "Decisions for another route than the person's turn before.",
            registry=registry,
        )
        self._corrections = Counter(
            "troupe_route_corrections",
            "Routes that people corrected.",
            ["instead_of", "label"],
            registry=registry,
        )
        self._model_seconds = Histogram(
            "troupe_route_model_seconds",
            "Seconds that the model stage took, by what came of it.",
            ["outcome"],
            buckets=FAST,
            registry=registry,
        )
        self._encoder_seconds = Histogram(
            "troupe_route_encoder_seconds",
            "Seconds that the accurate stage took, by what came of it.",
            ["outcome"],
            buckets=FAST,
            registry=registry,
        )
        self._reloads = Counter(
            "troupe_route_reloads",
            "New route tables, loaded or refused.",
            ["outcome"],
            registry=registry,
        )
        self._model = Gauge(
            "troupe_route_model",
            "1 for the route table in service; its version is that of schema and features.",
            ["sha256", "version"],
            registry=registry,
        )

    def decided(
        self,
        route: str,
        *,
        stage: str,
        source: str,
        confidence: float,
        uncertain: bool,
        gate: float | None = None,
        abstained: str | None = None,
        flipped: bool = False,
    ) -> None:
        """Count a decision; `gate` is None without a turn before, `abstained` when sure."""
        name = self._route.word(route)
        self._decisions.labels(name, self._stage.word(stage), self._source.word(source)).inc()
        self._confidence.labels(name).observe(confidence)
        if gate is not None:
            self._gate.observe(gate)
        if uncertain:
            self._uncertain.inc()
        if abstained is not None:
            self._abstained.labels(self._reason.word(abstained)).inc()
        if flipped:
            self._flips.inc()

    def corrected(self, instead_of: str, label: str) -> None:
        """Count a correction."""
        self._corrections.labels(self._route.word(instead_of), self._route.word(label)).inc()

    def asked_model(self, seconds: float, outcome: str) -> None:
        """Note the model stage: `answered`, or why there was no opinion."""
        self._model_seconds.labels(self._outcome.word(outcome)).observe(seconds)

    def asked_encoder(self, seconds: float, outcome: str) -> None:
        """Note the accurate stage: `answered`, or why there was no opinion."""
        self._encoder_seconds.labels(self._outcome.word(outcome)).observe(seconds)

    def reloaded(self, outcome: str) -> None:
        """Count a new table: `loaded` or `refused`."""
        self._reloads.labels(self._outcome.word(outcome)).inc()

    def model(self, digest: str, version: str) -> None:
        """Note the checksum of the table in service, and of which version it is."""
        self._model.clear()
        self._model.labels(digest[:12] or "none", version or "none").set(1)


class GuardMetrics:
    """What the guardrails said, never about what."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._stage = Vocabulary("input", "review", "output", limit=8)
        self._category = Vocabulary(limit=48)
        self._action = Vocabulary("allow", "steer", "support", "refuse", limit=0)
        self._measure = Vocabulary(limit=16)
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
        self._declare_model(registry)
        self._declare_care(registry)

    def _declare_model(self, registry: CollectorRegistry) -> None:
        self._failure = Vocabulary(limit=16)
        self._model_seconds = Histogram(
            "troupe_guard_model_seconds",
            "Seconds that an opinion of the guard model took.",
            buckets=SLOW,
            registry=registry,
        )
        self._failures = Counter(
            "troupe_guard_failures",
            "Opinions that the guard model did not give, by kind.",
            ["kind"],
            registry=registry,
        )
        self._degradations = Counter(
            "troupe_guard_degradations",
            "Turns decided without the guard model, by route and what was done.",
            ["route", "action"],
            registry=registry,
        )
        self._holdback = Histogram(
            "troupe_guard_holdback_seconds",
            "Seconds from a reply's first token to its first shown text.",
            buckets=SLOW,
            registry=registry,
        )
        self._retractions = Counter(
            "troupe_guard_late_retractions",
            "Replies of which something was visible before they were blocked.",
            registry=registry,
        )

    def _declare_care(self, registry: CollectorRegistry) -> None:
        self._reason = Vocabulary("first", "legal", "break", "asked", limit=0)
        self._tier = Vocabulary(limit=12)
        self._disclosures = Counter(
            "troupe_ai_disclosures",
            "Times a person was told that this is an AI, by reason.",
            ["reason"],
            registry=registry,
        )
        self._referrals = Counter(
            "troupe_crisis_referrals",
            "Crisis cards shown, by severity (counted yearly under California SB 243).",
            ["tier"],
            registry=registry,
        )
        self._mistakes = Counter(
            "troupe_guard_false_positive_reports",
            "Refusals that somebody called a mistake, by category.",
            ["category"],
            registry=registry,
        )
        self._reports = Counter(
            "troupe_guard_reports", "Replies reported by people.", registry=registry
        )
        self._reloads = Counter(
            "troupe_guard_reloads",
            "Times the files of the guardrails were read anew, by result.",
            ["result"],
            registry=registry,
        )

    def opinion(self, seconds: float, failure: str | None = None) -> None:
        """Observe an opinion of the guard model, or why there was none."""
        self._model_seconds.observe(seconds)
        if failure is not None:
            self._failures.labels(self._failure.word(failure)).inc()

    def degraded(self, route: str, action: str) -> None:
        """Count a turn that the guard model was not there for."""
        self._degradations.labels(self._route.word(route), self._measure.word(action)).inc()

    def held_back(self, seconds: float) -> None:
        """Observe how long written text waited for its verdict."""
        self._holdback.observe(seconds)

    def retracted(self) -> None:
        """Count a reply that was blocked when something of it was visible already."""
        self._retractions.inc()

    def disclosed(self, reason: str) -> None:
        """Count a disclosure: `first`, `legal`, `break` or `asked`."""
        self._disclosures.labels(self._reason.word(reason)).inc()

    def referred(self, tier: str | None) -> None:
        """Count a crisis card that was shown."""
        self._referrals.labels(self._tier.word(tier)).inc()

    def mistaken(self, category: str) -> None:
        """Count a refusal that somebody called a mistake."""
        self._mistakes.labels(self._category.word(category)).inc()

    def reported(self) -> None:
        """Count a report of a reply."""
        self._reports.inc()

    def reloaded(self, *, ok: bool) -> None:
        """Count a reading of changed files."""
        self._reloads.labels("taken" if ok else "rejected").inc()

    def judged(
        self,
        stage: str,
        action: str,
        *,
        category: str | None = None,
        route: str | None = None,
    ) -> None:
        """Count a verdict; `category` is an id of the taxonomy."""
        self._decisions.labels(
            self._stage.word(stage),
            self._category.word(category),
            self._action.word(action),
            self._route.word(route),
        ).inc()

    def took(self, stage: str, seconds: float) -> None:
        """Observe how long a verdict took, whatever it was."""
        self._seconds.labels(self._stage.word(stage)).observe(seconds)
