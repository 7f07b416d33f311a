"""The three routes, and the decision for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Route(StrEnum):
    """What a message asks for."""

    FACTUAL = "factual"
    CREATIVE = "creative"
    COMPANION = "companion"


@dataclass(frozen=True, slots=True)
class RouteDecision:
    """A route with its reasons, shown by `/why`, the playground and the metrics."""

    route: Route
    probabilities: Mapping[Route, float]
    """Sum to 1 over the three routes."""
    uncertain: bool
    source: str
    """What decided: `table`, `accurate`, `model`, `pin`, `safety`, `default`, `correction`."""
    continuation: float = 0.0
    """Probability that the message only continues the previous turn."""
    reasons: tuple[str, ...] = field(default=())
    held: bool = False
    """The message by itself speaks for another route; the one of the talk is kept. A doubt."""

    @property
    def confidence(self) -> float:
        return self.probabilities.get(self.route, 0.0)
