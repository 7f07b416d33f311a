"""Who speaks in a scene, against SillyTavern's natural order (`group.json`).

Every given case passes; `cjk-name-not-word` is reached by addressing, not by chance.
"""

from __future__ import annotations

import json
import random
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from bot.personas.scenes import Member, SceneLimits, addressed, who_speaks

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "cards" / "group.json"
CAST = (Member("a", "Anna Lee", 0.5), Member("b", "Bo Lee", 0.5), Member("c", "艾莉娅", 0.0))


class Rolls:
    """Chance as in the observed cases: given numbers, and no shuffling."""

    def __init__(self, rolls: list[float]) -> None:
        self._rolls = chain(rolls, repeat(rolls[-1]))

    def random(self) -> float:
        return next(self._rolls)

    def shuffle(self, members: list[Member]) -> None:
        """Leave them as they are."""


@pytest.mark.parametrize("case", json.loads(GOLDEN.read_text("utf-8")), ids=lambda case: case["id"])
def test_the_natural_order(case: dict[str, Any]) -> None:
    members = [
        Member(id_, name, float(talk) if isinstance(talk, int | float) else 0.5)
        for id_, name, talk in case["chars"]
    ]
    last = case.get("last", {}).get("name")
    spoken = who_speaks(
        members,
        case["input"],
        chance=Rolls(case["rolls"]),
        last_speaker=next((member.id for member in members if member.name == last), None),
        by_person=case["userInput"],
        may_repeat=case.get("self", False),
    )
    assert [member.name for member in spoken] == case["expected"]


def test_whom_a_message_replies_to_comes_first() -> None:
    spoken = who_speaks(CAST, "anna?", chance=Rolls([0.99]), replied_to="b")
    assert [member.id for member in spoken] == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("lee and bo", ["a", "b"]),
        ("Bo, then ANNA!", ["b", "a"]),
        ("hannah", []),
        ("你好艾莉娅吗", ["c"]),
        ("", []),
    ],
)
def test_addressing(text: str, named: list[str]) -> None:
    assert [member.id for member in addressed(CAST, text)] == named


def test_who_is_silent_by_nature_speaks_only_when_addressed() -> None:
    for seed in range(200):
        assert "c" not in {m.id for m in who_speaks(CAST, "hi", chance=random.Random(seed))}


def test_somebody_always_answers_a_person_but_nobody_answers_themselves() -> None:
    alone = [Member("a", "Anna", 0.0)]
    assert who_speaks(alone, "hi", chance=Rolls([0.99])) == tuple(alone)
    assert who_speaks(alone, "hi", chance=Rolls([0.0]), last_speaker="a", by_person=False) == ()
    assert who_speaks([], "hi", chance=Rolls([0.0])) == ()


def test_personas_do_not_talk_among_themselves_without_end() -> None:
    limits = SceneLimits(per_message=2, in_a_row=4)
    assert [limits.left(said) for said in range(7)] == [2, 2, 2, 1, 0, 0, 0]
    assert len(who_speaks(CAST, "anna bo 艾莉娅", chance=Rolls([0.0]), most=limits.left(3))) == 1
