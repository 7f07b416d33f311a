"""How much surer a new route must be before a conversation leaves the one it is in."""

from __future__ import annotations

import pytest

from bot.routing.policy import Circumstances, decide
from bot.routing.previous import PreviousRoute
from bot.routing.route import Route
from bot.routing.table import LABELS, Scores


@pytest.mark.parametrize(
    ("before", "new", "lead", "explicit", "switches"),
    [
        (Route.COMPANION, Route.CREATIVE, 0.50, False, False),
        (Route.COMPANION, Route.CREATIVE, 0.60, False, True),
        (Route.COMPANION, Route.CREATIVE, 0.20, True, True),
        (Route.COMPANION, Route.FACTUAL, 0.50, False, True),
        (Route.CREATIVE, Route.COMPANION, 0.50, False, True),
        (Route.CREATIVE, Route.COMPANION, 0.30, False, False),
    ],
)
def test_what_is_told_needs_more_to_become_a_story_than_a_fact_does(
    before: Route, new: Route, lead: float, explicit: bool, switches: bool
) -> None:
    shares = {before: 0.5 - lead / 2, new: 0.5 + lead / 2}
    one, two, three = (shares.get(label, 0.0) for label in LABELS)
    around = Circumstances(PreviousRoute(before, 0.0), False, explicit, False)
    decision = decide(Scores((one, two, three), 0.0), around, threshold=0.65, source="table")
    assert decision.route is (new if switches else before)
