"""What is said in several quick messages, heard as the one sentence that it is.

To a quick model "I will kill" is answered before "myself" comes, so that either is judged alone.
The person's own lines of the last minute are therefore judged together with the newest one, and
what only all of them say counts as said with it. What one of them says alone was met when it came,
and so was what they said together without the newest. Nothing is kept for this: the lines are those
of the stored conversation.
"""

from __future__ import annotations

from dataclasses import replace

from bot.chat.turn import Turn
from bot.guardrails.caring.risk import RiskState
from bot.guardrails.context import GuardContext
from bot.guardrails.judge import Judgement, weight_of
from bot.guardrails.matching.rules import Hit
from bot.guardrails.material import Judges
from bot.guardrails.policy import decide
from bot.guardrails.taxonomy import CARING, Measure

AT_MOST = 400
"""Characters that are judged together; a sentence in pieces is short."""
HEAD = "head."
"""What the ids of what heads heard begin with."""


def with_pieces(
    judgement: Judgement, judge: Judges, turn: Turn, state: RiskState, context: GuardContext
) -> Judgement:
    """Return the judgement of a message together with the lines that came just before it.

    Only rules are asked: heads, which hear a mood, heard each line.
    """
    before = _pieces(judge, turn, state, context)
    if not before:
        return judgement
    whole = judge.message("\n".join((*before, turn.text)), context)
    told = {hit.rule for text in (*before, turn.text) for hit in judge.message(text, context).hits}
    fresh = tuple(hit for hit in whole.hits if _by_rule(hit) and hit.rule not in told)
    if fresh:
        over = {hit.rule for hit in judge.message("\n".join(before), context).hits}
        fresh = tuple(hit for hit in fresh if hit.rule not in over)
    decision = decide(fresh, "user", context)
    least = max(judgement.decision.measure.rank, Measure.REDACT.rank)
    if decision.measure.rank <= least:
        return judgement
    return replace(
        judgement,
        decision=decision,
        hits=(*judgement.hits, *fresh),
        weight=max(judgement.weight, weight_of(fresh)),
        care=whole.care,
        acute=whole.acute,
        around=whole.around,
    )


def _pieces(judge: Judges, turn: Turn, state: RiskState, context: GuardContext) -> tuple[str, ...]:
    """Return the lines that may belong to a message: short, and none answered with care."""
    cared_at = max(state.card_at, state.resource_at)
    came_at, left = turn.messages[0].at, AT_MOST - len(turn.text)
    found: list[str] = []
    for line in reversed(context.just_said):
        left -= len(line.text) + 1
        answered = line.at <= cared_at <= came_at
        if left < 0 or answered or _called_for_care(judge.message(line.text, context)):
            break
        found.append(line.text)
    return tuple(reversed(found))


def _called_for_care(judgement: Judgement) -> bool:
    """Whether a line was met with care for what a rule found in it; of what heads hear in a first
    line the rest of the talk has to say more."""
    decision = judgement.decision
    by_head = (decision.rule or "").startswith(HEAD)
    return decision.measure in CARING and not by_head


def _by_rule(hit: Hit) -> bool:
    """Whether a rule found it that needs no head to confirm it."""
    return hit.needs is None and not hit.rule.startswith(HEAD)
