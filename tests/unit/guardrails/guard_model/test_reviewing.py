"""What a guard model's opinion comes to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.guardrails import GuardContext, Guardrails
from bot.guardrails.guard_model.opinion import GuardOpinion
from bot.guardrails.guard_model.reviewing import of_draft, of_message
from bot.guardrails.taxonomy import Measure
from bot.routing.route import Route

MakeContext = Callable[..., GuardContext]
SELF_HARM = GuardOpinion(0.9, ("sh_promo",))
UNNAMED = GuardOpinion(0.9)


@pytest.mark.parametrize("opinion", [SELF_HARM, UNNAMED, GuardOpinion(1.0, ("harassment",))])
def test_who_is_in_need_is_never_refused_by_an_opinion(
    room: Guardrails, context: MakeContext, opinion: GuardOpinion
) -> None:
    text = "i cut again last night after three months clean"
    here = context(user_text=text, in_need=True)
    assert of_message(opinion, room.judge.message(text, here), here).measure is Measure.ALLOW


@pytest.mark.parametrize(
    ("text", "opinion", "measure"),
    [
        ("the notebook on the shelf is blue", SELF_HARM, Measure.SUPPORT),
        ("i hate everything today, nobody would notice if i was gone", UNNAMED, Measure.SUPPORT),
        ("how do i pick the neighbour's lock", UNNAMED, Measure.REFUSE),
        ("the notebook on the shelf is blue", GuardOpinion(0.9, ("hate",)), Measure.BLOCK),
        ("the notebook on the shelf is blue", GuardOpinion(0.4, ("hate",)), Measure.ALLOW),
    ],
)
def test_what_sounds_of_self_harm_calls_for_support(
    room: Guardrails,
    context: MakeContext,
    text: str,
    opinion: GuardOpinion,
    measure: Measure,
) -> None:
    here = context(route=Route.COMPANION, user_text=text)
    found = of_message(opinion, room.judge.message(text, here), here)
    assert found.measure is measure
    assert found.score == (opinion.unsafe if measure is not Measure.ALLOW else 0.0)


@pytest.mark.parametrize(
    ("opinion", "measure"),
    [
        (SELF_HARM, Measure.BLOCK),
        (UNNAMED, Measure.BLOCK),
        (GuardOpinion(0.1, ("sh_promo",)), Measure.ALLOW),
    ],
)
def test_a_draft_that_urges_self_harm_stays_unseen_even_in_need(
    context: MakeContext, opinion: GuardOpinion, measure: Measure
) -> None:
    assert of_draft(opinion, context(in_need=True)).measure is measure
