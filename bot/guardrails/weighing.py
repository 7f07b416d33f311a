"""One message weighed with the person's trend; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.guardrails.caring.risk import (
    CARD_WINDOW,
    DEPENDENCY_LIMIT,
    MINOR_FOR,
    PLAIN_FOR,
    Level,
    RiskState,
    advance,
)
from bot.guardrails.context import GuardContext
from bot.guardrails.judge import Judgement
from bot.guardrails.policy import ALLOWED, WEIGHTS, Decision
from bot.guardrails.taxonomy import CARE, Measure, Severity
from bot.guardrails.triage.heads import CARE_RULE, DANGER
from bot.guardrails.triage.leaning import (
    CALM,
    CRYING_OUT,
    SAID_PLAINLY,
    SOMETHING,
    TAKEN_BACK,
    bar,
    evidence,
    faded,
)
from bot.routing.route import Route

SAID_LIGHTLY = frozenset({Severity.ACTIVE, Severity.PASSIVE})
"""What people say of an exam, too: that they want to die, and not how."""


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
    begun = state.in_session(now)
    if not context.heard_before:
        state = _leant(judgement, state, context)
    leans = _leans(judgement, state, context, begun=begun)
    unmeant = _figure_of_speech(judgement, state, context)
    if unmeant or (not leans and _unsure(judgement, state, context, begun=begun)):
        judgement = replace(judgement, decision=ALLOWED, weight=WEIGHTS[Severity.MILD])
    weight = judgement.weight if judgement.weight >= 0.8 else judgement.weight * out_of_story
    if not context.heard_before:
        state = advance(state, now, weight=weight, dependency=judgement.dependency)
    if judgement.has("minor"):
        state = replace(state, minor_until=now + MINOR_FOR)
    decision = _with_trend(
        judgement, state, weight, leans=leans and (begun or _only_sorrow(judgement, context))
    )
    card_due = now - state.card_at >= CARD_WINDOW
    resource_due = state.resource_due(now)
    if decision.measure is Measure.CRISIS:
        state = replace(state, plain_until=now + PLAIN_FOR)
    if decision.measure is Measure.CRISIS and card_due:
        state = replace(state, card_at=now, resource_at=now)
    elif decision.measure is Measure.SUPPORT and resource_due:
        state = replace(state, resource_at=now)
    return Weighed(decision, state, card_due, resource_due)


def _leant(judgement: Judgement, state: RiskState, context: GuardContext) -> RiskState:
    """Return the state with what the message tells of the talk: how it leans, amid what."""
    now, around = context.now, judgement.around
    if around.past:
        state = replace(state, past_at=now)
    if around.strain:
        state = replace(state, strain_at=now)
    before = faded(state.leaning, now - state.last_at)
    if not state.in_session(now):
        before = max(0.0, before)  # yesterday's calm says nothing of today
    heard = _evidence(judgement, state, context)
    return replace(state, leaning=max(CALM, before + heard), heard=heard)


def _evidence(judgement: Judgement, state: RiskState, context: GuardContext) -> float:
    """Return the log odds that a message adds."""
    around, decision = judgement.around, judgement.decision
    signs = _by_signs(judgement)
    if _figure_of_speech(judgement, state, context):
        return evidence(judgement.care, gone_well=around.gone_well)
    by_rule = any(
        hit.category in CARE and not hit.rule.startswith("head.") for hit in judgement.hits
    )
    asked = decision.category in CARE and decision.measure.rank >= Measure.SUPPORT.rank
    if by_rule and asked and not signs:
        return SAID_PLAINLY
    if around.half_meant or (around.taken_back and state.heard > SOMETHING):
        return TAKEN_BACK
    odds = max(judgement.care, judgement.acute if signs else 0.0, 1.0 if by_rule else 0.0)
    added = evidence(odds, gone_well=around.gone_well)
    # What is told in a story says nothing of how calm the person is.
    return max(0.0, added) if _in_story(judgement, context) else added


def _by_signs(judgement: Judgement) -> bool:
    """Whether what asks for care is a rule of everyday words that a head confirmed."""
    decided = (hit for hit in judgement.hits if hit.rule == judgement.decision.rule)
    return any(hit.category in CARE and hit.needs is not None for hit in decided)


def _only_sorrow(judgement: Judgement, context: GuardContext) -> bool:
    """Whether nothing but sorrow was found in a message: no rule spoke of more, and was doubted;
    and it is not a story's, whose people may be sad."""
    alone = all(hit.category == "distress" for hit in judgement.hits)
    return alone and not _in_story(judgement, context)


def _leans(judgement: Judgement, state: RiskState, context: GuardContext, *, begun: bool) -> bool:
    """Whether the talk, with this message, leans so far that it is to be acted upon."""
    least = bar(
        begun=begun,
        strained=state.strained(context.now) and judgement.care < CRYING_OUT,
        looking_back=_in_look_back(judgement, state, context),
        in_story=_in_story(judgement, context),
    )
    return state.heard > 0 and state.leaning >= least


def _unsure(judgement: Judgement, state: RiskState, context: GuardContext, *, begun: bool) -> bool:
    """Whether only a head asks for care, of which the rest of the talk has to say more.

    Of danger that a head heard in a first message nothing more is asked.
    """
    rule = judgement.decision.rule
    amid = state.strained(context.now) or _in_look_back(judgement, state, context)
    amid = amid or judgement.around.gone_well
    grave = _by_signs(judgement) or (rule == DANGER.rule and amid)
    return rule == CARE_RULE or (begun and grave)


def _figure_of_speech(judgement: Judgement, state: RiskState, context: GuardContext) -> bool:
    """Whether somebody who is at a game or an exam only says that they want to die: a wide rule
    heard it, and neither head of need did."""
    heard = max(judgement.care, judgement.acute) >= 1.0
    if heard or judgement.around.aside or not state.strained(context.now):
        return False
    found = [
        hit for hit in judgement.hits if hit.category in CARE and hit.severity is not Severity.MILD
    ]
    decided = [hit for hit in found if hit.rule == judgement.decision.rule]
    lightly = all(hit.severity in SAID_LIGHTLY for hit in found)  # and no wound or abuse is told
    return lightly and any(hit.wide for hit in decided)


def _in_look_back(judgement: Judgement, state: RiskState, context: GuardContext) -> bool:
    return state.looking_back(context.now) and not judgement.around.now


def _in_story(judgement: Judgement, context: GuardContext) -> bool:
    return context.route is Route.CREATIVE and not judgement.around.aside


def _with_trend(judgement: Judgement, state: RiskState, weight: float, *, leans: bool) -> Decision:
    """Raise a mild decision where the trend asks for it."""
    decision = judgement.decision
    if decision.measure.rank >= Measure.SUPPORT.rank:
        return decision
    if leans or (weight > 0 and state.level >= Level.ELEVATED):
        return Decision(Measure.SUPPORT, "sh_support", Severity.PASSIVE, "trend", state.trend)
    bound = judgement.dependency > 0 and state.dependency >= DEPENDENCY_LIMIT
    if bound and decision.measure.rank < Measure.NUDGE.rank:
        return Decision(Measure.NUDGE, "dependency", Severity.PLAIN, "trend", state.dependency)
    return decision
