"""Route profiles: how a route is spoken. Data of the operator, in `personas/routes.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.routing.route import Route


class MemoryPolicy(StrEnum):
    """Which memories of a person a route may use."""

    CONSTRAINTS = "constraints"
    PREFERENCES = "preferences"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class RouteProfile:
    """What a route changes: the late block and the sampling, never the system message."""

    route: Route
    instruction: str
    """Said late, in the last user message."""
    options: Mapping[str, float | int] = field(default_factory=dict)
    """Sampling options by Ollama's names, `num_predict` among them."""
    memory: MemoryPolicy = MemoryPolicy.CONSTRAINTS
    model: str | None = None
    guard: str = "normal"
    """Strictness of the guardrails: `normal` or `strict`."""
