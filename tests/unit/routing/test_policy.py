"""How much surer a new route must be before a conversation leaves the one it is in."""

from __future__ import annotations

import pytest

from bot.routing.policy import Circumstances, circumstances, decide
from bot.routing.previous import PreviousRoute
from bot.routing.route import Route
from bot.routing.table import LABELS, Scores


@pytest.mark.parametrize(
    ("before", "new", "lead", "explicit", "asks", "switches"),
    [
        (Route.COMPANION, Route.CREATIVE, 0.65, False, False, False),
        (Route.COMPANION, Route.CREATIVE, 0.72, False, False, True),
        (Route.COMPANION, Route.CREATIVE, 0.05, True, False, True),
        (Route.COMPANION, Route.FACTUAL, 0.65, False, False, False),
        (Route.COMPANION, Route.FACTUAL, 0.72, False, False, True),
        (Route.COMPANION, Route.FACTUAL, 0.35, False, True, False),
        (Route.COMPANION, Route.FACTUAL, 0.45, False, True, True),
        (Route.CREATIVE, Route.COMPANION, 0.12, False, False, True),
        (Route.CREATIVE, Route.COMPANION, 0.05, False, False, False),
        (Route.FACTUAL, Route.CREATIVE, 0.05, True, False, True),
    ],
)
def test_what_is_told_needs_more_to_leave_the_companion_than_what_is_asked(
    before: Route, new: Route, lead: float, explicit: bool, asks: bool, switches: bool
) -> None:
    shares = {before: 0.5 - lead / 2, new: 0.5 + lead / 2}
    one, two, three = (shares.get(label, 0.0) for label in LABELS)
    around = Circumstances(PreviousRoute(before, 0.0), False, explicit, asks, False)
    decision = decide(Scores((one, two, three), 0.0), around, threshold=0.65, source="table")
    assert decision.route is (new if switches else before)


@pytest.mark.parametrize(
    ("message", "explicit"),
    [
        ("write me a haiku", True),
        ("i feel grey today, come up with a royal title for me", True),
        ("we moved in! could you draft the invitation", True),
        ("my friend leaves on monday. help me write a card", True),
        ("she said she would write to me", False),
        ("i write poems sometimes", False),
    ],
)
def test_a_request_is_found_wherever_a_clause_begins(message: str, explicit: bool) -> None:
    around = circumstances(message, PreviousRoute(Route.COMPANION, 0.0), in_scene=False, now=1.0)
    assert around.explicit is explicit


@pytest.mark.parametrize("before", [Route.COMPANION, Route.CREATIVE])
@pytest.mark.parametrize(
    ("gate", "alone", "switches"),
    [
        (0.38, 0.99, True),
        (0.38, 0.80, False),
        (0.54, 0.99, False),
    ],
)
def test_a_question_that_is_plain_by_itself_leaves_any_talk_unless_it_continues_it(
    before: Route, gate: float, alone: float, switches: bool
) -> None:
    shares = {Route.FACTUAL: alone, before: 1.0 - alone}
    one, two, three = (shares.get(label, 0.0) for label in LABELS)
    around = Circumstances(PreviousRoute(before, 0.0), False, False, True, False)
    decision = decide(Scores((one, two, three), gate), around, threshold=0.65, source="table")
    assert decision.route is (Route.FACTUAL if switches else before)
