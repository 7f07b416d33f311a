"""A message weighed with what came before it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.guardrails import GuardContext, Guardrails
from bot.guardrails.caring.risk import SESSION_GAP, RiskState
from bot.guardrails.judge import Judge
from bot.guardrails.taxonomy import Measure
from bot.guardrails.weighing import weigh
from bot.routing.route import Route
from tests.unit.guardrails.conftest import NOW
from tests.unit.guardrails.test_judge import SIGNS, heads

SOBER = "three years sober today"
ECHO = "remembering the kitchen floor and mum's face"
UNSURE = 0.6
"""A chance just above the head's threshold."""


@pytest.fixture
def measures(
    room: Guardrails, context: Callable[..., GuardContext]
) -> Callable[..., list[Measure]]:
    """Return what is done about messages with a head that hears sorrow in each of them."""

    def weighed(
        *texts: str, apart: float = 60.0, care: float = 0.9, begun: bool = False
    ) -> list[Measure]:
        judge = Judge(room.judge.asked, room.judge.drafted, heads(care=care))
        state, found = RiskState(last_at=NOW - 60.0 if begun else 0.0), []
        for at, text in enumerate(texts):
            where = context(now=NOW + at * apart)
            step = weigh(judge.message(text, where), state, where)
            state = step.state
            found.append(step.decision.measure)
        return found

    return weighed


def test_a_head_alone_asks_for_support(measures: Callable[..., list[Measure]]) -> None:
    assert measures(ECHO) == [Measure.SUPPORT]


def test_a_sure_head_alone_has_lines_named_and_only_a_rule_the_card_and_a_day_of_rest(
    room: Guardrails, context: Callable[..., GuardContext]
) -> None:
    judge = Judge(room.judge.asked, room.judge.drafted, heads(acute=0.9))
    by_head = weigh(judge.message(ECHO, context()), RiskState(), context())
    by_rule = weigh(judge.message("I want to kill myself", context()), RiskState(), context())
    assert by_head.decision.measure is Measure.SUPPORT
    assert by_head.resource_due
    assert by_rule.decision.measure is Measure.CRISIS
    assert by_head.state.plain_until <= NOW < by_rule.state.plain_until


def test_in_a_look_back_at_a_danger_that_is_over_it_does_not(
    measures: Callable[..., list[Measure]],
) -> None:
    assert measures(SOBER, ECHO, ECHO, care=UNSURE) == [Measure.ALLOW] * 3


@pytest.mark.parametrize("today", ["it is back tonight", "and now again the kitchen floor"])
def test_unless_it_is_so_today(measures: Callable[..., list[Measure]], today: str) -> None:
    assert measures(SOBER, today)[-1] is Measure.SUPPORT


def test_a_rule_is_heard_in_a_look_back(measures: Callable[..., list[Measure]]) -> None:
    assert measures(SOBER, "I want to kill myself")[-1] is Measure.CRISIS


def test_a_look_back_ends_with_the_session(measures: Callable[..., list[Measure]]) -> None:
    assert measures(SOBER, ECHO, apart=SESSION_GAP + 1)[-1] is Measure.SUPPORT


def test_a_look_back_that_stays_dark_is_noticed(measures: Callable[..., list[Measure]]) -> None:
    assert measures(SOBER, *[ECHO] * 12)[-1] is Measure.SUPPORT


def test_amid_everyday_strain_a_head_alone_has_to_be_heard_again_and_again(
    measures: Callable[..., list[Measure]],
) -> None:
    strain = "my anatomy exam is tomorrow"
    assert measures(strain, ECHO, care=UNSURE) == [Measure.ALLOW] * 2
    assert measures(strain, *[ECHO] * 4, care=UNSURE)[-1] is Measure.SUPPORT
    assert measures(strain, ECHO, care=UNSURE, apart=SESSION_GAP + 1)[-1] is Measure.SUPPORT


def test_who_dies_of_an_exam_is_believed_where_a_head_hears_need(
    measures: Callable[..., list[Measure]],
) -> None:
    exam = "my anatomy exam is tomorrow"
    assert measures(exam, "ugh I want to die", care=0.3)[-1] is Measure.ALLOW
    assert measures("I want to die", care=0.3)[-1] is Measure.CRISIS
    assert measures(exam, "ugh I want to die", care=0.9)[-1] is Measure.CRISIS
    assert measures(exam, "I tied the rope to hang myself", care=0.3)[-1] is Measure.CRISIS


def test_a_rule_is_heard_amid_everyday_strain(measures: Callable[..., list[Measure]]) -> None:
    assert measures("my anatomy exam is tomorrow", "I want to kill myself")[-1] is Measure.CRISIS


def test_a_head_that_is_not_sure_is_heard_at_the_beginning(
    measures: Callable[..., list[Measure]],
) -> None:
    assert measures(ECHO, care=UNSURE) == [Measure.SUPPORT]


def test_amid_a_calm_talk_it_waits_for_the_next(measures: Callable[..., list[Measure]]) -> None:
    talk = ("hi", "ok", ECHO, ECHO)  # too short for a head to hear anything in the first two
    assert measures(*talk, care=UNSURE)[2:] == [Measure.ALLOW, Measure.SUPPORT]
    assert measures(*talk)[2:] == [Measure.SUPPORT] * 2


def test_a_talk_of_yesterday_makes_nothing_calm(measures: Callable[..., list[Measure]]) -> None:
    assert measures("hi", "ok", ECHO, care=UNSURE, apart=SESSION_GAP + 1)[2] is Measure.SUPPORT


FAINT = 0.3
"""A chance below the threshold, at which the head hears something."""


def test_faint_sorrow_adds_up(measures: Callable[..., list[Measure]]) -> None:
    assert measures(ECHO, ECHO, care=FAINT, begun=True) == [Measure.ALLOW] * 2
    assert measures(*[ECHO] * 25, care=FAINT, begun=True)[-1] is Measure.SUPPORT


def test_of_a_first_message_less_is_asked(measures: Callable[..., list[Measure]]) -> None:
    assert measures(ECHO, care=FAINT) == [Measure.SUPPORT]
    assert measures(ECHO, care=FAINT - 0.05) == [Measure.ALLOW]


def test_but_not_where_a_rule_heard_more_and_was_doubted(
    measures: Callable[..., list[Measure]],
) -> None:
    assert measures("i want to die, i called my teacher mum", care=FAINT) == [Measure.ALLOW]


@pytest.mark.parametrize(
    "hidden", ["please don't tell anyone", "なんでもない、忘れて", "egal, vergiss es", "olvídalo"]
)
def test_what_is_taken_back_or_kept_secret_was_meant(
    measures: Callable[..., list[Measure]], hidden: str
) -> None:
    found = measures(ECHO, hidden, care=FAINT, begun=True)
    assert found == [Measure.ALLOW, Measure.SUPPORT]


def test_who_takes_back_nothing_is_left_alone(measures: Callable[..., list[Measure]]) -> None:
    found = measures("how do I sort a list", "never mind, found it", care=0.01)
    assert found == [Measure.ALLOW] * 2


def test_a_jest_that_is_half_meant_is_noticed(measures: Callable[..., list[Measure]]) -> None:
    assert measures("great day", "kidding. mostly", care=0.01)[-1] is Measure.SUPPORT


def test_good_news_outweigh_a_faint_sorrow(measures: Callable[..., list[Measure]]) -> None:
    found = measures(ECHO, "we won!!!", ECHO, care=FAINT, begun=True)
    assert found == [Measure.ALLOW] * 3
    assert measures(ECHO, "thanks for listening", care=0.99)[-1] is Measure.SUPPORT


def test_a_story_is_left_alone_until_the_sorrow_is_great(
    room: Guardrails, context: Callable[..., GuardContext]
) -> None:
    told = context(route=Route.CREATIVE)

    def second(text: str, care: float) -> Measure:
        judge = Judge(room.judge.asked, room.judge.drafted, heads(care=care))
        state = weigh(judge.message("let us go on", told), RiskState(), told).state
        return weigh(judge.message(text, told), state, told).decision.measure

    assert second("nobody comes to the tower", UNSURE) is Measure.ALLOW
    assert second("nobody comes to my door", 0.99) is Measure.SUPPORT
    assert second("*nobody comes to the tower*", 0.99) is Measure.ALLOW


def test_amid_a_calm_talk_everyday_words_need_more_than_a_head_that_is_not_sure(
    room: Guardrails, context: Callable[..., GuardContext]
) -> None:
    def second(acute: float) -> Measure:
        judge = Judge(room.judge.asked, room.judge.drafted, heads(acute=acute))
        state = weigh(judge.message("hello there my friend", context()), RiskState(), context())
        found = weigh(judge.message(SIGNS, context()), state.state, context())
        return found.decision.measure

    assert second(0.55) is Measure.ALLOW
    assert second(0.85) is Measure.CRISIS
