"""Role-play scenes: what opens one, what goes on with it, and what is said outside of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from bot.routing.dataset import read_labelled
from bot.routing.judging import Judged, judge
from bot.routing.previous import PreviousRoute
from bot.routing.route import Route
from bot.routing.router import Router
from bot.routing.scene import Told, acts, open_after, plays, steps_out
from bot.routing.wording import beginning

SCENES = Path(__file__).parents[2] / "fixtures" / "routing" / "scenes.jsonl"
ROUTER = Router.load()
INN = (
    ("user", "let's roleplay. you run the last inn before the pass, i'm a lost courier"),
    ("assistant", 'Old Marta looks up from the stove. "Shut the door! You\'ll freeze my soup."'),
)


@cache
def judged() -> tuple[Judged, ...]:
    return tuple(judge(ROUTER, read_labelled(SCENES)))


@pytest.mark.parametrize(
    ("kind", "least"), [("in character", 0.87), ("steps out", 0.87), ("no scene", 0.85)]
)
def test_lines_of_scenes_in_many_languages_are_told_from_what_is_no_scene(
    kind: str, least: float
) -> None:
    some = [each.right for each in judged() if each.wanted.kind == kind]
    assert len(some) >= 40
    assert sum(some) / len(some) >= least


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("*lifts the lantern* Who goes there?", True),
        ("*nods*", True),
        ("Fine. *sighs*", True),
        ("The door opens. *It creaks.*", True),
        ("**1. Ash**\n**2. Pewter**", False),
        ("* one\n* two\n* three", False),
        ("*The Lighthouse*\n\nThe lamp turned.", False),
        ("that is *so* good", False),
        ("2 * 3 * 4", False),
        ("`*args* and *kwargs*`", False),
        ("*", False),
        ("**", False),
    ],
)
def test_an_action_is_neither_bold_nor_a_title_nor_a_stressed_word(text: str, action: bool) -> None:
    assert acts(text) is action


@pytest.mark.parametrize(
    ("said", "opens"),
    [
        ("*knocks three times*", True),
        ('"Who goes there?" I whisper', True),
        ("— ¿Quién anda ahí? —susurro", True),
        ("I draw my sword.", True),
        ("abro la puerta despacio", True),
        ("estraggo la spada", True),
        ("otwieram drzwi", True),
        ("достаю меч", True),
        ("kapıyı açıyorum", True),
        ("ドアを開ける。", True),
        ("문을 연다", True),
        ("poema sobre la lluvia", False),
        ("tú eres la reina de las abejas, escribe su himno", False),
        ("название для королевства", False),
        ("you're the innkeeper and i'm a tired traveller", True),
        ("du bist der wirt und ich bin ein reisender", True),
        ("start a text adventure in an empty metro car", True),
        ("be a grumpy dragon guarding a vending machine", True),
        ("we're two detectives in a noir city, you're the cynical one", True),
        ("角色扮演吧", True),
        ("Embody the part of a ship's cook throughout this conversation.", True),
        ("start a text adventure in a drowned library", True),
        ("on joue : t'es la vigie, moi le mousse", True),
        ("give me five names for a grey cat", False),
        ("i want a story about a fox", False),
        ('write a story that begins with "it rained"', False),
        ("haiku about lag", False),
        ("a poem about *love*", False),
    ],
)
def test_who_takes_part_opens_a_scene_and_who_orders_a_piece_does_not(
    said: str, opens: bool
) -> None:
    assert open_after([Told(said, Route.CREATIVE, "**Here you go.**")]) is opens
    assert not open_after([Told(said, Route.COMPANION, "*waves*")])


@pytest.mark.parametrize(
    ("reply", "opens"),
    [
        ('"Welcome aboard, stranger. Fuel is cheap."', True),
        ("— Habla, o caminarás por la tabla.", True),
        ("Thank you, that is kind.", False),
    ],
)
def test_one_part_is_played_where_the_reply_speaks_as_somebody(reply: str, opens: bool) -> None:
    for said in ("let's play: you're a space trader", "eres el pirata"):
        assert open_after([Told(said, Route.CREATIVE, reply)]) is opens


SCENE = (
    Told("let's roleplay, you're a dragon", Route.CREATIVE, "Smoke rises."),
    Told("what do you want?", Route.CREATIVE, '"Gold," it says.'),
)
QUESTION = Told("how tall is k2", Route.FACTUAL, "8,611 m.")


@pytest.mark.parametrize(
    ("after", "stays"),
    [
        ((), True),
        ((Told("((brb))", Route.COMPANION, "Take your time!"),), True),
        ((Told("(ooc: how do feet convert?)", Route.FACTUAL, "0.3048 m."), QUESTION), True),
        ((QUESTION,), True),
        ((QUESTION, QUESTION), False),
        ((QUESTION, Told("i wait", Route.CREATIVE, '"Well?"'), QUESTION), True),
        ((Told("i got fired today", Route.COMPANION, "Oh no."),), False),
        ((Told("end scene, that was great", Route.CREATIVE, "*bows deeply*"),), False),
        ((Told("write a haiku about lag", Route.CREATIVE, "Packets fall like snow"),), False),
    ],
)
def test_a_scene_stays_open_without_asterisks_until_the_talk_is_another(
    after: tuple[Told, ...], stays: bool
) -> None:
    assert open_after(reversed((*SCENE, *after))) is stays


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ("how much for a bed?", Route.CREATIVE),
        ("is the soup still warm?", Route.CREATIVE),
        ("who built this inn?", Route.CREATIVE),
        ("i'm terrified", Route.CREATIVE),
        ("how much time do i have?", Route.CREATIVE),
        ("we are in real danger here!", Route.CREATIVE),
        ("my real name is kael", Route.CREATIVE),
        ("i forgot my homework again, marta", Route.CREATIVE),
        ("kannst du mir kurz bei meiner mathe hausaufgabe helfen", Route.FACTUAL),
        ("how many teeth does it have?", Route.CREATIVE),
        ("do you know the way?", Route.CREATIVE),
        ("how much for the map behind the counter?", Route.CREATIVE),
        ("where does the tunnel lead?", Route.CREATIVE),
        ("was kostet der schlüssel?", Route.CREATIVE),
        ("how much does a horse cost in spain?", Route.FACTUAL),
        ("who was the captain of the titanic?", Route.FACTUAL),
        ("cuánto mide la torre de pisa", Route.FACTUAL),
        ("how do you spell necessary", Route.FACTUAL),
        ("fix this python error: list index out of range", Route.FACTUAL),
        ("how tall is k2?", Route.FACTUAL),
        ("how do i install numpy", Route.FACTUAL),
        ("((how many feet are in a mile?))", Route.FACTUAL),
        ("btw what's the capital of peru", Route.FACTUAL),
        ("can you help me with my math homework", Route.FACTUAL),
        ("((brb, dinner))", Route.COMPANION),
        ("i have to go irl, my boss called", Route.COMPANION),
    ],
)
def test_a_question_about_the_scene_stays_in_it_and_any_other_is_answered(
    message: str, route: Route
) -> None:
    scene = PreviousRoute(Route.CREATIVE, 0.0, scene=True)
    decision = ROUTER.route(message, previous=scene, history=INN, now=1.0)
    assert decision.route is route
    assert ("a scene is open" in decision.reasons) is (route is Route.CREATIVE)


@pytest.mark.parametrize("aside", [Route.COMPANION, Route.FACTUAL])
def test_after_what_is_said_outside_the_scene_goes_on_and_so_may_that(aside: Route) -> None:
    outside = PreviousRoute(aside, 0.0, scene=True)
    line = ROUTER.route("i step closer to the fire", previous=outside, history=INN, now=1.0)
    assert line.route is Route.CREATIVE
    assert ROUTER.route("more", previous=outside, history=INN, now=1.0).route is aside


def test_a_plain_order_of_a_piece_is_no_line_of_a_play() -> None:
    assert not plays("write me a haiku")
    assert not steps_out(beginning("i leave the inn, crying"))
