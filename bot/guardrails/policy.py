"""The table: category × who speaks × route × channel → what is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.guardrails.context import GuardContext
from bot.guardrails.matching.rules import Hit, Role
from bot.guardrails.taxonomy import Measure, Severity
from bot.guardrails.verdict import Action
from bot.routing.route import Route

M = Measure

ASKED: dict[str, Measure] = {
    "csae": M.BLOCK, "mass_harm": M.BLOCK, "threat": M.BLOCK, "doxx": M.BLOCK, "hate": M.BLOCK,
    "ncii": M.BLOCK, "illicit": M.REFUSE, "harassment": M.REFUSE, "sexual": M.GATE,
    "gore": M.GATE, "sh_crisis": M.CRISIS, "sh_support": M.SUPPORT, "sh_promo": M.BLOCK,
    "distress": M.ALLOW, "human_claim": M.DISCLOSE, "sentience": M.NUDGE, "delusion": M.NUDGE,
    "dependency": M.NUDGE, "leak": M.DEFLECT, "jailbreak": M.DEFLECT, "memory_poison": M.DEFLECT,
    "impersonation": M.REFUSE, "pii": M.REDACT, "mention": M.SANITIZE, "spam": M.ALLOW,
    "advice": M.ALLOW, "minor": M.ALLOW,
}  # fmt: skip
"""What is done when a person's message is of the category."""

DRAFTED: dict[str, Measure] = {
    **dict.fromkeys(("csae", "mass_harm", "threat", "doxx", "hate", "ncii", "illicit"), M.BLOCK),
    **dict.fromkeys(("harassment", "sh_crisis", "sh_promo", "impersonation"), M.BLOCK),
    **dict.fromkeys(("sexual", "gore"), M.GATE),
    **dict.fromkeys(("sh_support", "human_claim", "sentience", "delusion"), M.REWRITE),
    **dict.fromkeys(("dependency", "leak", "jailbreak", "memory_poison", "advice"), M.REWRITE),
    "pii": M.REDACT, "mention": M.SANITIZE, "distress": M.ALLOW, "spam": M.ALLOW,
    "minor": M.ALLOW,
}  # fmt: skip
"""What is done when a draft of ours is of the category."""

GATED = frozenset({"sexual", "gore"})
GENERAL = frozenset({"jailbreak"})
"""What gives way, where as much is done about both, to what says more closely what was tried."""

ACTIONS: dict[Measure, Action] = {
    M.ALLOW: Action.ALLOW, M.SANITIZE: Action.ALLOW, M.REDACT: Action.ALLOW,
    M.NUDGE: Action.STEER, M.DISCLOSE: Action.STEER, M.DEFLECT: Action.STEER,
    M.REWRITE: Action.REFUSE, M.SUPPORT: Action.SUPPORT, M.GATE: Action.REFUSE,
    M.REFUSE: Action.REFUSE, M.BLOCK: Action.REFUSE, M.CRISIS: Action.SUPPORT,
}  # fmt: skip

WEIGHTS: dict[Severity, float] = {
    Severity.IMMINENT: 1.0, Severity.METHOD: 1.0, Severity.ACTIVE: 0.9, Severity.INJURY: 0.6,
    Severity.ABUSE: 0.6, Severity.PASSIVE: 0.55, Severity.URGE: 0.55, Severity.PLAIN: 0.5,
    Severity.THIRD_PARTY: 0.2, Severity.MILD: 0.15,
}  # fmt: skip
"""How much a finding weighs in the risk trend (guardrails reference, "Conversation risk")."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a text, and because of what."""

    measure: Measure = Measure.ALLOW
    category: str | None = None
    severity: Severity = Severity.PLAIN
    rule: str | None = None
    score: float = 0.0


ALLOWED = Decision()


def decide(
    hits: Sequence[Hit], role: Role, context: GuardContext, *, minor: bool = False
) -> Decision:
    """Return the strictest measure that any finding calls for."""
    best = ALLOWED
    for hit in hits:
        measure = measure_for(hit, role, context, minor=minor)
        found = Decision(measure, hit.category, hit.severity, hit.rule, WEIGHTS[hit.severity])
        closer = measure is best.measure and best.category in GENERAL
        graver = measure.rank > best.measure.rank
        if graver or closer or (best is ALLOWED and measure is Measure.ALLOW):
            best = found
    return best


def measure_for(hit: Hit, role: Role, context: GuardContext, *, minor: bool = False) -> Measure:
    """Return what one finding calls for."""
    if hit.severity is Severity.MILD and role == "user":
        return Measure.ALLOW  # noted for the trend
    if hit.fiction_ok and context.route is Route.CREATIVE:
        return Measure.ALLOW
    if hit.category in GATED:
        if minor and hit.category == "sexual":
            return Measure.BLOCK
        if context.place.age_restricted and context.adult_card:
            return Measure.ALLOW
    if role == "assistant":
        return DRAFTED[hit.category]
    if hit.category == "sh_promo" and hit.severity is Severity.URGE:
        return Measure.REFUSE  # tips for an eating disorder: not aimed at anybody
    return ASKED[hit.category]
