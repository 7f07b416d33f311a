"""What the verdict on a message means for its route: in need, the companion answers."""

from __future__ import annotations

from dataclasses import replace

from bot.guardrails.verdict import Action, Verdict
from bot.routing.dispatch import Ask
from bot.routing.reasons import IN_SCENE
from bot.routing.route import Route, RouteDecision

_SELF_HARM = "sh_"
"""What the categories of self-harm begin with in the taxonomy."""


def needs_care(verdict: Verdict) -> bool:
    """Whether a verdict is about self-harm."""
    return (verdict.category or "").startswith(_SELF_HARM)


def heard_as(ask: Ask, decision: RouteDecision) -> Route:
    """Return the route as which a message is judged: who plays on soon after signs of distress is
    heard as in a talk, not as in a story."""
    if ask.watched and IN_SCENE in decision.reasons:
        return Route.COMPANION
    return decision.route


def asked_with_care(ask: Ask, decision: RouteDecision, verdict: Verdict) -> Ask | None:
    """Return how to ask for the route anew after a verdict; None where the decision stands.

    A faint sign, of which the guardrails make nothing but a note in the trend, is the character's
    where a scene is open and the message does not step out of it; not soon after a real one.
    """
    if needs_care(verdict):
        played = decision.route is Route.CREATIVE and IN_SCENE in decision.reasons
        if played and verdict.action is Action.ALLOW and not ask.watched:
            return None
        return replace(ask, distress=True)
    if verdict.plain_voice and decision.route is Route.CREATIVE:
        return replace(ask, care=True)
    return None
