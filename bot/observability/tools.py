"""What the creative tools were asked for, and how much their ideas differ."""

from __future__ import annotations

from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram

from bot.observability.labels import Vocabulary


class Variety(Protocol):
    """How ideas came out."""

    @property
    def distinct_2(self) -> float: ...

    @property
    def dropped(self) -> int: ...

    @property
    def asked_again(self) -> int: ...


class ToolMetrics:
    """Orders, and the variety of ideas, by tool."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tool = Vocabulary("write", "rewrite", "describe", "brainstorm", limit=0)
        self._how = Vocabulary("command", "pick", "refine", "more", limit=0)
        self._orders = Counter(
            "troupe_tool_orders",
            "Orders of a creative tool, by command or by a button under ideas.",
            ["tool", "how"],
            registry=registry,
        )
        self._distinct = Histogram(
            "troupe_tool_distinct_2_ratio",
            "Share of different word pairs among the ideas of a reply: 1 is all different.",
            ["tool"],
            buckets=(0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0),
            registry=registry,
        )
        self._alike = Counter(
            "troupe_tool_ideas_alike",
            "Ideas that were dropped because they were nearly another one.",
            ["tool"],
            registry=registry,
        )
        self._again = Counter(
            "troupe_tool_asked_again",
            "Generations that replaced ideas which were too alike, or lacking.",
            ["tool"],
            registry=registry,
        )

    def ordered(self, tool: str, how: str) -> None:
        """Count an order that was taken."""
        self._orders.labels(self._tool.word(tool), self._how.word(how)).inc()

    def varied(self, tool: str, variety: Variety) -> None:
        """Count how ideas came out."""
        label = self._tool.word(tool)
        self._distinct.labels(label).observe(variety.distinct_2)
        self._alike.labels(label).inc(variety.dropped)
        self._again.labels(label).inc(variety.asked_again)
