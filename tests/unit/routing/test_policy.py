"""How much surer a new route must be before a conversation leaves the one it is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.routing.dataset import read_labelled
from bot.routing.evaluation import calibration_error
from bot.routing.judging import flips_per_100, judge
from bot.routing.policy import Circumstances, circumstances, decide, safe_order
from bot.routing.previous import PreviousRoute
from bot.routing.route import Route
from bot.routing.router import Router
from bot.routing.table import LABELS, Scores

FIXTURES = Path(__file__).parents[2] / "fixtures" / "routing"
ROUTER = Router.load()
TALK = PreviousRoute(Route.COMPANION, 0.0)
UNSURE = Scores((0.3, 0.3, 0.4), 0.1)


@pytest.mark.parametrize(
    ("before", "new", "lead", "explicit", "asks", "switches"),
    [
        (Route.COMPANION, Route.CREATIVE, 0.70, False, False, False),
        (Route.COMPANION, Route.CREATIVE, 0.73, False, False, True),
        (Route.COMPANION, Route.CREATIVE, 0.05, True, False, True),
        (Route.COMPANION, Route.FACTUAL, 0.70, False, False, False),
        (Route.COMPANION, Route.FACTUAL, 0.73, False, False, True),
        (Route.COMPANION, Route.FACTUAL, 0.25, False, True, False),
        (Route.COMPANION, Route.FACTUAL, 0.35, False, True, True),
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
    around = Circumstances(PreviousRoute(before, 0.0), False, explicit, asks)
    decision = decide(Scores((one, two, three), 0.0), around, threshold=0.65, source="table")
    assert decision.route is (new if switches else before)


@pytest.mark.parametrize(("of_persons", "switches"), [(True, True), (False, False)])
def test_what_is_remarked_of_nobody_needs_still_more(of_persons: bool, switches: bool) -> None:
    around = Circumstances(TALK, False, of_persons=of_persons)
    decision = decide(Scores((0.88, 0.0, 0.12), 0.0), around, threshold=0.65, source="table")
    assert decision.route is (Route.FACTUAL if switches else Route.COMPANION)


@pytest.mark.parametrize(
    ("turns", "answers", "creative", "switches"),
    [
        (1, False, 0.08, True),
        (3, False, 0.0, True),
        (3, False, 0.08, False),
        (1, True, 0.0, True),
        (1, True, 0.08, False),
        (3, True, 0.0, False),
    ],
)
def test_a_talk_holds_the_better_the_longer_it_lasts_and_what_its_reply_asked_about(
    turns: int, answers: bool, creative: float, switches: bool
) -> None:
    """A share for the third route is doubt, and speaks for the talk too."""
    shares = Scores((0.97 - creative, creative, 0.03), 0.0)
    around = Circumstances(PreviousRoute(Route.COMPANION, 0.0, turns=turns), False, answers=answers)
    decision = decide(shares, around, threshold=0.65, source="table")
    assert decision.route is (Route.FACTUAL if switches else Route.COMPANION)


def test_remarks_in_passing_stay_in_the_talk_in_many_languages() -> None:
    judged = judge(ROUTER, read_labelled(FIXTURES / "remarks.jsonl"))
    for kind, least in (("stays", 0.95), ("leaves", 0.67)):
        some = [each.right for each in judged if each.wanted.kind == kind]
        assert len(some) > 60
        assert sum(some) / len(some) >= least


@pytest.mark.parametrize(
    ("message", "explicit"),
    [
        ("write me a haiku", True),
        ("i feel grey today, come up with a royal title for me", True),
        ("we moved in! could you draft the invitation", True),
        ("my friend leaves on monday. help me write a card", True),
        ("she said she would write to me", False),
        ("i write poems sometimes", False),
        ("listening to the rain", False),
        ("dime un chiste", True),
        ("写个笑话", True),
        ("雨の俳句を書いて", True),
        ("강아지 이름 지어줘", True),
        ("اكتب قصيدة عن المطر", True),
        ("एक चुटकुला सुनाओ", True),
        ("bana komik bir fıkra anlat", True),
    ],
)
def test_a_request_is_found_wherever_a_clause_begins(message: str, explicit: bool) -> None:
    around = circumstances(message, TALK, UNSURE)
    assert around.explicit is explicit


@pytest.mark.parametrize("before", [Route.CREATIVE, Route.FACTUAL])
@pytest.mark.parametrize(
    "message",
    [
        "Rework your previous response so that no sentence has a comma.",
        "do the same task again in five lines",
        "Reprends ta réponse précédente en plus court",
        "Kürze deine letzte Antwort auf zwei Sätze",
        "revisa tu respuesta anterior",
        "сократи предыдущий ответ",
        "把刚才的回答改短一点",
        "さっきの答えを短くして",
        "이전 답변을 더 짧게",
    ],
)
def test_what_is_wanted_of_the_reply_before_is_of_its_route(message: str, before: Route) -> None:
    previous = PreviousRoute(before, 0.0)
    assert ROUTER.route(message, previous=previous, now=1.0).route is before


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ("cool, now a limerick on it", Route.CREATIVE),
        ("now a haiku on it", Route.CREATIVE),
        ("nice, a poem about it please", Route.CREATIVE),
        ("noch ein Gedicht darüber", Route.CREATIVE),
        ("and in kelvin?", Route.FACTUAL),
    ],
)
def test_a_new_piece_on_the_same_subject_is_creative(message: str, route: Route) -> None:
    fact = PreviousRoute(Route.FACTUAL, 0.0)
    assert ROUTER.route(message, previous=fact, now=1.0).route is route


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
    around = Circumstances(PreviousRoute(before, 0.0), False, False, True)
    decision = decide(Scores((one, two, three), gate), around, threshold=0.65, source="table")
    assert decision.route is (Route.FACTUAL if switches else before)


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ("how tall is k2", Route.FACTUAL),
        ("what's 13*17", Route.FACTUAL),
        ("capital of peru", Route.FACTUAL),
        ("is java older than python", Route.FACTUAL),
        ("写个笑话", Route.CREATIVE),
        ("dime un chiste", Route.CREATIVE),
        ("name my new goldfish", Route.CREATIVE),
        ("why do you ask", Route.COMPANION),
        ("how long does it take to stop missing someone", Route.COMPANION),
        ("there was a dog in the elevator and he stared at me", Route.COMPANION),
    ],
)
def test_a_plain_request_without_its_mark_leaves_the_companion(message: str, route: Route) -> None:
    assert ROUTER.route(message, previous=TALK, now=1.0).route is route


def test_switches_written_after_the_margins_are_found_and_talks_stay() -> None:
    judged = judge(ROUTER, read_labelled(FIXTURES / "leaving.jsonl"))
    for kind, least in (("leaves", 0.95), ("stays", 0.85)):
        some = [each.right for each in judged if each.wanted.kind == kind]
        assert sum(some) / len(some) >= least, kind
    assert calibration_error(judged) <= 0.04


@pytest.mark.parametrize("name", ["talk", "same_author", "dev", "third_voice"])
def test_a_talk_that_is_all_companion_hardly_flips(name: str) -> None:
    flips = flips_per_100(ROUTER, read_labelled(FIXTURES / f"{name}.jsonl"))
    assert flips is not None
    assert flips <= 5.0


def test_long_talks_hardly_flip_and_a_request_in_a_long_talk_is_found() -> None:
    flips = flips_per_100(ROUTER, read_labelled(FIXTURES / "talks.jsonl"))
    assert flips is not None
    assert flips <= 5.0
    long = PreviousRoute(Route.COMPANION, 0.0, turns=3)
    requests = read_labelled(FIXTURES / "requests.jsonl")
    found = [ROUTER.route(each.text, previous=long, now=1.0).route for each in requests]
    right = sum(one is each.label for one, each in zip(found, requests, strict=True))
    assert right / len(requests) >= 0.96


def test_a_route_kept_against_the_evidence_is_a_doubt_with_its_reason() -> None:
    around = Circumstances(TALK, False)
    decision = decide(Scores((0.75, 0.0, 0.25), 0.0), around, threshold=0.65, source="table")
    assert decision.route is Route.COMPANION
    assert decision.held
    assert decision.uncertain
    assert "factual is not 6.0 times as likely as companion, which stays" in decision.reasons
    assert decision.confidence == max(decision.probabilities.values())
    assert sum(decision.probabilities.values()) == pytest.approx(1.0)
    assert safe_order(decision, TALK) is Route.COMPANION, "nobody else was asked: it stays kept"


@pytest.mark.parametrize(
    "message",
    [
        "my real dog died today, stop the game",
        "ooc: i need a minute",
        "can we pause the roleplay, something happened",
        "no this is about my real life now",
        "хватит играть, мне правда плохо",
        "别玩了，我真的很难过",
    ],
)
def test_words_that_leave_a_scene_are_taken_as_they_are(message: str) -> None:
    scene = PreviousRoute(Route.CREATIVE, 0.0, scene=True)
    for previous, running in ((scene, False), (None, True)):
        around = circumstances(message, previous, UNSURE, in_scene=running)
        assert not around.in_scene
    decision = ROUTER.route(message, previous=scene, now=1.0)
    assert decision.route is Route.COMPANION
    assert "a scene is open" not in decision.reasons
    assert "steps out of the scene" in decision.reasons


def test_a_line_of_the_scene_stays_in_it() -> None:
    scene = PreviousRoute(Route.CREATIVE, 0.0, scene=True)
    for line in (
        "*stops the horse* we rest here",
        "is the dragon real?",
        "i leave the inn, crying",
    ):
        assert circumstances(line, scene, UNSURE).in_scene
