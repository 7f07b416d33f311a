"""The accurate stage: asked only in doubt, off the loop, and never in the way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from bot.errors import SettingsRejected
from bot.routing import PreviousRoute, Route, Router
from bot.routing.accurate import (
    SURE_ENOUGH,
    AccurateStage,
    open_accurate_stage,
    wants_accurate_stage,
)
from bot.routing.dispatch import Dispatcher, stage_of
from bot.routing.fusion import fused
from bot.routing.table import Scores
from tests.unit.routing.test_dispatch import FACT, NOW, ROUTER, ask

TORN = "my cat sat on my homework and chemistry is due, moles in 36 grams of water"
CREATIVE = Scores((0.01, 0.98, 0.01), 0.0)


class Scripted:
    """An encoder that says what a test wants, and counts."""

    def __init__(self, answer: Callable[[str], Scores | None]) -> None:
        self.answer = answer
        self.threads: list[str] = []

    def scores(self, message: str) -> Scores | None:
        self.threads.append(threading.current_thread().name)
        return self.answer(message)


def staged(answer: Callable[[str], Scores | None], **more: Any) -> tuple[AccurateStage, Scripted]:
    scripted = Scripted(answer)
    return AccurateStage(cast("Any", scripted), **more), scripted


def doubtful() -> str:
    """Return a message of which the shipped table is not sure."""
    for message in (TORN, "the river again", "blue or the other thing", "hm monday banana"):
        if ROUTER.route(message, previous=None, now=NOW).confidence < SURE_ENOUGH:
            return message
    raise AssertionError("the table is sure of everything")


async def test_a_sure_message_does_not_reach_the_encoder() -> None:
    stage, scripted = staged(lambda _: CREATIVE)
    decision = await Dispatcher(ROUTER, accurate=stage).route(ask(FACT))
    assert decision.source == "table"
    assert scripted.threads == []


async def test_in_doubt_both_opinions_are_joined_in_a_thread() -> None:
    stage, scripted = staged(lambda _: CREATIVE)
    decision = await Dispatcher(ROUTER, accurate=stage).route(ask(doubtful()))
    assert decision.route is Route.CREATIVE
    assert (decision.source, stage_of(decision)) == ("accurate", "accurate")
    assert scripted.threads[0].startswith("route-encoder")


async def test_the_previous_turn_still_counts() -> None:
    stage, _ = staged(lambda _: Scores((0.4, 0.3, 0.3), 0.999999))
    before = PreviousRoute(Route.CREATIVE, NOW)
    decision = await Dispatcher(Router.load(), accurate=stage).route(
        ask("hm the thing from paris then", previous=before)
    )
    assert decision.route is Route.CREATIVE


@pytest.mark.parametrize("answer", [lambda _: None, lambda _: 1 / 0])
async def test_without_an_opinion_the_table_decides(answer: Any) -> None:
    stage, _ = staged(answer)
    dispatcher = Dispatcher(ROUTER, accurate=stage)
    message = doubtful()
    assert await dispatcher.route(ask(message)) == ROUTER.route(message, previous=None, now=NOW)


async def test_a_slow_encoder_is_not_waited_for_and_the_loop_stays_free() -> None:
    gate = threading.Event()
    stage, scripted = staged(lambda _: CREATIVE if gate.wait(5) else None, deadline_s=0.02)
    began = time.perf_counter()
    found = await asyncio.gather(*(stage.opinion("x") for _ in range(20)))
    assert found == [None] * 20
    assert time.perf_counter() - began < 5.0
    gate.set()
    while await stage.opinion("x") is None:
        await asyncio.sleep(0.01)
    assert len(scripted.threads) < 20
    stage.close()


class Heard:
    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def asked_encoder(self, seconds: float, outcome: str) -> None:
        assert seconds >= 0.0
        self.outcomes.append(outcome)


async def test_every_question_is_timed_by_what_came_of_it() -> None:
    heard = Heard()
    for answer in (lambda _: CREATIVE, lambda _: None, lambda _: 1 / 0):
        stage, _ = staged(answer, observer=heard)
        await stage.opinion("x")
        stage.close()
    assert heard.outcomes == ["answered", "foreign", "failed"]


async def test_a_closed_stage_leaves_the_decision_to_the_table() -> None:
    stage, _ = staged(lambda _: CREATIVE)
    stage.close()
    assert await stage.opinion("x") is None


def test_two_opinions_that_agree_are_surer_together_and_the_encoders_counts_more() -> None:
    one, other = Scores((0.7, 0.2, 0.1), 0.3), Scores((0.2, 0.7, 0.1), 0.3)
    assert 0.7 < fused(one, one).routes[0] < 0.85
    assert fused(one, one).continuation == pytest.approx(0.3)
    assert fused(one, other).routes[0] < fused(one, other).routes[1]
    assert fused(other, one).routes[0] > fused(other, one).routes[1]
    assert sum(fused(one, other).routes) == pytest.approx(1.0)
    assert fused(Scores((1.0, 0.0, 0.0), 1.0), Scores((0.0, 1.0, 0.0), 0.0)).routes[2] < 0.01


def settings_file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "routes.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_it_is_off_unless_switched_on(tmp_path: Path) -> None:
    assert not wants_accurate_stage(settings_file(tmp_path, ""))
    assert wants_accurate_stage(settings_file(tmp_path, "[accurate_stage]\nenabled = true"))


def test_without_weights_it_stays_off(tmp_path: Path) -> None:
    assert open_accurate_stage(None, tmp_path / "none.encoder") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[accurate_stage]\nenabled = 1", "true or false"),
        ("[accurate_stage]\nfast = true", "not a setting"),
        ("accurate_stage = 3", "must be a table"),
        ("[[", "not TOML"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(SettingsRejected, match=complaint):
        wants_accurate_stage(settings_file(tmp_path, text))
