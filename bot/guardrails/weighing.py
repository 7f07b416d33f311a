"""One message weighed with the person's trend; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.guardrails.context import GuardContext
from bot.guardrails.heads import CARE_RULES, DANGER, HINT
from bot.guardrails.judge import Judgement
from bot.guardrails.policy import ALLOWED, WEIGHTS, Decision
from bot.guardrails.risk import (
    CARD_WINDOW,
    MINOR_FOR,
    PLAIN_FOR,
    RESOURCE_WINDOW,
    Level,
    RiskState,
    advance,
)
from bot.guardrails.taxonomy import Measure, Severity
from bot.routing.route import Route

DOUBTED = 0.35
"""Weight of an alarm of the care head amid everyday strain."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A decision with the trend weighed in, the new state, and what may be shown again."""

    decision: Decision
    state: RiskState
    card_due: bool
    resource_due: bool


def weigh(judgement: Judgement, state: RiskState, context: GuardContext) -> Weighed:
    """Weigh a message with what came before it."""
    now = context.now
    out_of_story = 0.5 if context.route is Route.CREATIVE else 1.0
    if judgement.past:
        state = replace(state, past_at=now)
    elif state.looking_back(now) and not judgement.now:
        judgement = _recalled(judgement)
    if judgement.strain:
        state = replace(state, strain_at=now)
    if state.strained(now):
        judgement = _doubted(judgement)
    elif judgement.decision.rule == HINT and state.calm_talk(now):
        judgement = replace(judgement, decision=ALLOWED)
    weight = judgement.weight if judgement.weight >= 0.8 else judgement.weight * out_of_story
    state = advance(state, now, weight=weight, dependency=judgement.dependency)
    if judgement.has("minor"):
        state = replace(state, minor_until=now + MINOR_FOR)
    decision = _with_trend(judgement, state, weight)
    card_due = now - state.card_at >= CARD_WINDOW
    resource_due = now - state.resource_at >= RESOURCE_WINDOW
    if decision.measure is Measure.CRISIS and decision.rule != DANGER.rule:
        state = replace(state, plain_until=now + PLAIN_FOR)
    if decision.measure is Measure.CRISIS and card_due:
        state = replace(state, card_at=now, resource_at=now)
    elif decision.measure is Measure.SUPPORT and resource_due:
        state = replace(state, resource_at=now)
    return Weighed(decision, state, card_due, resource_due)


def _recalled(judgement: Judgement) -> Judgement:
    """Return what a head alone heard in a look back as a faint sorrow: the trend hears of it."""
    if judgement.decision.rule not in {*CARE_RULES, DANGER.rule}:
        return judgement
    return replace(judgement, decision=ALLOWED, weight=WEIGHTS[Severity.MILD])


def _doubted(judgement: Judgement) -> Judgement:
    """Return what the care head alone heard amid tests and small children as one to be counted:
    the third within hours is acted upon."""
    if judgement.decision.rule not in CARE_RULES:
        return judgement
    return replace(judgement, decision=ALLOWED, weight=DOUBTED)


def _with_trend(judgement: Judgement, state: RiskState, weight: float) -> Decision:
    """Raise a mild decision where the trend asks for it."""
    decision = judgement.decision
    if decision.measure.rank >= Measure.SUPPORT.rank:
        return decision
    if weight > 0 and state.level >= Level.ELEVATED:
        return Decision(Measure.SUPPORT, "sh_support", Severity.PASSIVE, "trend", state.trend)
    if decision.measure.rank < Measure.NUDGE.rank and judgement.dependency > 0:
        from_bond = state.dependency >= 1.0
        if from_bond:
            return Decision(Measure.NUDGE, "dependency", Severity.PLAIN, "trend", state.dependency)
    return decision
