"""What signs of need do to a route, outside of a story and within one."""

from __future__ import annotations

import pytest

from bot.chat.place import ChannelId, Place, UserId
from bot.chat.preparing.caring import asked_with_care, heard_as
from bot.guardrails.verdict import Action, Verdict
from bot.routing import Route, Router
from bot.routing.dispatch import Ask
from bot.routing.previous import PreviousRoute

NOW = 1_000_000.0
ROUTER = Router.load()
HINT = Verdict(Action.ALLOW, "sh_support", 0.15, "distress.hint")
NEED = Verdict(Action.SUPPORT, "sh_support", 0.55, "sh_support.en.passive")
DANGER = Verdict(Action.SUPPORT, "sh_crisis", 1.0, "sh_crisis.en.intent")
AFRAID = "i'm scared of the dark down here"


def is_cared_for(
    message: str, verdict: Verdict, *, scene: bool = True, distress_at: float = 0.0
) -> bool:
    previous = PreviousRoute(Route.CREATIVE, NOW, scene=scene)
    ask = Ask(message, Place(ChannelId(1)), UserId(1), NOW, previous, distress_at=distress_at)
    decision = ROUTER.route(message, previous=previous, now=NOW)
    again = asked_with_care(ask, decision, verdict)
    return again is not None and again.distress


@pytest.mark.parametrize("message", [AFRAID, "i'm so scared, hold my hand"])
def test_a_faint_sign_is_the_characters_where_a_scene_is_open(message: str) -> None:
    assert not is_cared_for(message, HINT)


@pytest.mark.parametrize("verdict", [NEED, DANGER])
def test_what_asks_for_care_ends_the_play(verdict: Verdict) -> None:
    assert is_cared_for(AFRAID, verdict)


@pytest.mark.parametrize("message", ["((i'm scared, for real))", "ooc: i'm so lonely irl"])
def test_a_faint_sign_out_of_the_play_is_the_person_s(message: str) -> None:
    assert is_cared_for(message, HINT)


def test_without_a_scene_a_faint_sign_is_the_companion_s() -> None:
    assert is_cared_for(AFRAID, HINT, scene=False)


def test_soon_after_signs_of_distress_a_faint_one_is_enough() -> None:
    assert is_cared_for(AFRAID, HINT, distress_at=NOW - 60)


@pytest.mark.parametrize(("distress_at", "route"), [(0.0, "creative"), (NOW - 60, "companion")])
def test_who_plays_on_soon_after_signs_of_distress_is_heard_as_in_a_talk(
    distress_at: float, route: str
) -> None:
    scene = PreviousRoute(Route.CREATIVE, NOW, scene=True)
    ask = Ask(AFRAID, Place(ChannelId(1)), UserId(1), NOW, scene, distress_at=distress_at)
    assert heard_as(ask, ROUTER.route(AFRAID, previous=scene, now=NOW)) == route
