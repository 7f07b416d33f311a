"""What the verdict on a message means for its route: in need, the companion answers."""

from __future__ import annotations

from dataclasses import replace

from bot.guardrails.verdict import Verdict
from bot.routing.dispatch import Ask
from bot.routing.route import Route, RouteDecision

_SELF_HARM = "sh_"
"""What the categories of self-harm begin with in the taxonomy."""


def needs_care(verdict: Verdict) -> bool:
    """Whether a verdict is about self-harm."""
    return (verdict.category or "").startswith(_SELF_HARM)


def asked_with_care(ask: Ask, decision: RouteDecision, verdict: Verdict) -> Ask | None:
    """Return how to ask for the route anew after a verdict; None where the decision stands."""
    if needs_care(verdict):
        return replace(ask, distress=True)
    if verdict.plain_voice and decision.route is Route.CREATIVE:
        return replace(ask, care=True)
    return None
