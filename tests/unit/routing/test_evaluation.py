"""The figures of an evaluation, on decisions that are known."""

from __future__ import annotations

import gc
from time import sleep
from typing import Any

import pytest

from bot.routing import Route, RouteDecision, Router
from bot.routing.dataset import Labelled, read_labelled
from bot.routing.dispatch import Dispatcher
from bot.routing.evaluation import (
    calibration_error,
    coverage_at,
    macro_f1,
    report,
    report_as_text,
)
from bot.routing.judging import (
    Judged,
    as_in_a_running_bot,
    flips_per_100,
    judge,
    judge_in_service,
)
from bot.routing.plots import confusion_svg, reliability_svg
from bot.routing.promotion import CANARY

F, C, P = Route.FACTUAL, Route.CREATIVE, Route.COMPANION


def judged(wanted: Route, got: Route, confidence: float = 0.9) -> Judged:
    rest = (1.0 - confidence) / 2
    probabilities = {route: confidence if route is got else rest for route in Route}
    decision = RouteDecision(got, probabilities, False, "table")
    return Judged(Labelled("x", wanted), decision, 0.0001)


def test_macro_f1_is_the_mean_over_classes_and_not_over_messages() -> None:
    some = [judged(F, F)] * 8 + [judged(C, F), judged(P, P)]
    assert macro_f1(some) == pytest.approx((2 * 8 / 17 + 0.0 + 1.0) / 3, abs=1e-4)


def test_macro_f1_counts_a_class_that_nobody_wanted_and_a_message_got() -> None:
    some = [judged(P, P)] * 3 + [judged(P, F)]
    assert macro_f1(some) == pytest.approx((6 / 7 + 0.0) / 2, abs=1e-4)
    figures = report(Router.load(), some)
    assert figures["by_kind"]["-"]["macro_f1"] == figures["macro_f1"] == macro_f1(some)


def test_honest_confidence_has_no_calibration_error() -> None:
    honest = [judged(F, F, 0.8)] * 4 + [judged(C, F, 0.8)]
    boastful = [judged(F, F, 0.95), judged(C, F, 0.95)]
    assert calibration_error(honest) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(boastful) == pytest.approx(0.45)


def test_coverage_counts_the_surest_messages_that_keep_the_precision() -> None:
    some = [judged(F, F, 0.99)] * 19 + [judged(C, F, 0.98)] + [judged(C, F, 0.5)] * 20
    assert coverage_at(some, 0.95) == 0.5


def test_the_report_has_the_keys_that_scripts_read() -> None:
    router = Router.load()
    items = [
        Labelled("what is the capital of peru", F, lang="en", kind="single"),
        Labelled("buenos días, ¿cómo estás?", P, lang="es", kind="single"),
        Labelled("another one", C, previous=C, lang="en", kind="follow"),
    ]
    figures = report(router, judge(router, items))
    promised = "n accuracy macro_f1 per_class by_kind by_lang ece coverage_at_95 latency_ms"
    assert set(promised.split()) <= set(figures)
    assert set(figures["latency_ms"]) == {"p50", "p99"}
    assert figures["n"] == 3
    assert figures["accuracy"] == 1.0
    assert set(figures["by_lang"]) == {"en", "es"}


def test_latency_is_what_a_decision_costs_and_not_how_long_others_took() -> None:
    class Waiting(Router):
        """Stands for a machine on which something else runs."""

        def route(self, *args: Any, **kwargs: Any) -> RouteDecision:
            sleep(0.05)
            return super().route(*args, **kwargs)

    shipped = Router.load().table
    waiting = Waiting(shipped)
    with as_in_a_running_bot(waiting):
        judged = judge(waiting, read_labelled(CANARY)[:2])
        assert not gc.isenabled()
    assert all(0.0 < each.seconds < 0.05 for each in judged)
    assert gc.isenabled()


def test_a_steady_talk_has_no_flips() -> None:
    talk = [Labelled(text, P) for text in ("good morning", "i feel so sad", "i love you")]
    assert flips_per_100(Router.load(), talk) == 0.0


def test_flips_of_a_talk_whose_turns_have_a_history_are_counted() -> None:
    history = (("user", "i had a long day"), ("assistant", "Tell me."))
    texts = ("i feel so sad", "how tall is k2", "what's the capital of peru?", "i miss my cat")
    talk = [Labelled(text, P, history=history) for text in texts]
    assert flips_per_100(Router.load(), talk) == 50.0


def test_without_a_companion_message_there_are_no_flips_to_count() -> None:
    items = [Labelled("what is the capital of peru", F)]
    assert flips_per_100(Router.load(), items) is None
    figures = report(Router.load(), judge(Router.load(), items))
    assert figures["flips_per_100"] is None
    assert any(line.split() == ["flips", "per", "100", "–"] for line in report_as_text(figures))


def test_pictures_are_svg_and_hold_the_counts() -> None:
    counts = {str(a): {str(b): 7 if a is b else 1 for b in Route} for a in Route}
    assert "7 (78%)" in confusion_svg(counts)
    assert reliability_svg([]).startswith("<svg")


async def test_in_service_and_on_the_table_alone_the_same_is_decided() -> None:
    items = read_labelled(CANARY)
    router = Router.load()
    alone = [each.decision for each in judge(router, items)]
    assert [each.decision for each in await judge_in_service(Dispatcher(router), items)] == alone
