"""What a guard model's opinion comes to, on a person's message and on a draft."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.guardrails.context import GuardContext
from bot.guardrails.guard_model.opinion import GuardOpinion
from bot.guardrails.judge import Judgement
from bot.guardrails.matching.rules import Hit
from bot.guardrails.policy import ALLOWED, Decision, decide
from bot.guardrails.taxonomy import Measure, Severity

UNSAFE = 0.5
"""Probability from which a guard model's opinion counts as unsafe."""
AWAY: Final = "guard.away"
"""The rule of a decision that was made because the guard model did not answer."""
SELF_HARM = "sh_promo"
"""What guard models call self-harm: content that urges it (Llama Guard 3 model card, S11)."""
NEED = Decision(Measure.SUPPORT, "sh_support", Severity.PASSIVE, "guard.sh_support")
UNNAMED = "illicit"
"""What an opinion counts as that names no category."""


def of_message(opinion: GuardOpinion, judgement: Judgement, context: GuardContext) -> Decision:
    """Return what an opinion on a person's message comes to.

    In need nobody is refused for how their pain sounds to a guard model: the answer is judged as
    well. And what it takes for self-harm is, from a person, a cry for help before anything else; so
    is what it can't name where the heads or a rule heard need.
    """
    if opinion.unsafe < UNSAFE or context.in_need:
        return ALLOWED
    unnamed = SELF_HARM if judgement.sounds_of_need else UNNAMED
    category = opinion.categories[0] if opinion.categories else unnamed
    if category == SELF_HARM:
        return replace(NEED, score=opinion.unsafe)
    return replace(decide([_hit(category)], "user", context), score=opinion.unsafe)


def of_draft(opinion: GuardOpinion, context: GuardContext) -> Decision:
    """Return what an opinion on a draft comes to."""
    if opinion.unsafe < UNSAFE:
        return ALLOWED
    category = opinion.categories[0] if opinion.categories else UNNAMED
    return replace(decide([_hit(category)], "assistant", context), score=opinion.unsafe)


def _hit(category: str) -> Hit:
    return Hit(f"guard.{category}", category, Severity.PLAIN)
