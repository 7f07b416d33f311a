"""What the memory does: never whose, never what."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.observability.labels import Vocabulary
from bot.observability.scales import FAST


class MemoryMetrics:
    """Retrievals, what is stored and evicted, extractions and why they were refused."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._word = Vocabulary(limit=64)
        self._seconds = Histogram(
            "troupe_memory_retrieval_seconds",
            "Seconds that a retrieval took, the embedding of the question included.",
            ["outcome"],
            buckets=FAST,
            registry=registry,
        )
        self._stored = _counter(registry, "items", "Items written, by kind.", "kind")
        self._evicted = _counter(registry, "evictions", "Items over a cap, by kind.", "kind")
        self._extracted = _counter(registry, "extractions", "Extractions by outcome.", "outcome")
        self._refused = _counter(
            registry, "refusals", "Proposed items that were not kept, by reason.", "reason"
        )
        self._fallbacks = _counter(
            registry, "embedding_fallbacks", "Retrievals by words alone, by reason.", "reason"
        )
        self._denied = Counter(
            "troupe_memory_scope_denials",
            "Items that could not be used where they were asked for.",
            registry=registry,
        )

    def recalled(self, seconds: float, *, outcome: str) -> None:
        """Observe a retrieval."""
        self._seconds.labels(self._word.word(outcome)).observe(seconds)

    def stored(self, kind: str, count: int = 1) -> None:
        """Count items written."""
        self._stored.labels(self._word.word(kind)).inc(count)

    def evicted(self, kind: str, count: int = 1) -> None:
        """Count items that made room."""
        self._evicted.labels(self._word.word(kind)).inc(count)

    def extracted(self, outcome: str) -> None:
        """Count an extraction."""
        self._extracted.labels(self._word.word(outcome)).inc()

    def refused(self, reason: str) -> None:
        """Count a proposed item that was not kept."""
        self._refused.labels(self._word.word(reason)).inc()

    def denied(self, count: int) -> None:
        """Count items kept back by their scope."""
        self._denied.inc(count)

    def embedding_fallback(self, reason: str) -> None:
        """Count a retrieval without vectors."""
        self._fallbacks.labels(self._word.word(reason)).inc()


def _counter(registry: CollectorRegistry, name: str, help_text: str, label: str) -> Counter:
    return Counter(f"troupe_memory_{name}", help_text, [label], registry=registry)
