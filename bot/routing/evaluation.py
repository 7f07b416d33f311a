"""How well a router does on labelled messages it has never seen."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter, thread_time
from typing import TYPE_CHECKING, Any

from bot.chat.place import ChannelId, Place, UserId
from bot.routing.accurate import SURE_ENOUGH
from bot.routing.dataset import Labelled
from bot.routing.dispatch import Ask, Dispatcher
from bot.routing.previous import LATELY, PreviousRoute, after
from bot.routing.route import Route, RouteDecision
from bot.routing.router import Router

if TYPE_CHECKING:
    from bot.routing.encoder import Encoder

ECE_BINS = 10
PRECISION = 0.95
LONGEST_TALK = 20_000
"""Turns after which the share of flips is known well enough."""
_NOW = 1_000_000.0
_TALK = PreviousRoute(Route.COMPANION, _NOW)
_FIRST = ("good morning", "how tall is k2?", "write me a haiku", "你好，今天怎么样？")
"""Routed before any is timed."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A message, and what was decided."""

    wanted: Labelled
    decision: RouteDecision
    seconds: float
    """What the decision cost of a core; with a language model, how long it took."""

    @property
    def right(self) -> bool:
        return self.decision.route is self.wanted.label


def previous_of(router: Router, item: Labelled) -> PreviousRoute | None:
    """Return the previous turn: as the file states it, else as the history shows it."""
    if item.history:
        return router.resolve(item.history, last=item.previous, now=_NOW)
    return PreviousRoute(item.previous, _NOW) if item.previous else None


def judge(
    router: Router, items: Sequence[Labelled], encoder: Encoder | None = None
) -> list[Judged]:
    """Route every message with its history, and time it.

    With an encoder, messages of which the table is not sure enough go to it, as in service. Timed
    is this thread's share of a core, whatever else runs on the machine.
    """
    judged: list[Judged] = []
    for item in items:
        previous = previous_of(router, item)
        began = thread_time()
        decision = _decided(router, item, previous, encoder)
        judged.append(Judged(item, decision, thread_time() - began))
    return judged


@contextmanager
def as_in_a_running_bot(router: Router, encoder: Encoder | None = None) -> Iterator[None]:
    """Let what is judged inside cost what it costs a bot that has run for a while.

    What is compiled at the first call is there, and no collector walks over the messages of the
    file, which a bot does not hold. For a process that does nothing else meanwhile.
    """
    for text in _FIRST:
        _decided(router, Labelled(text, Route.COMPANION), _TALK, encoder)
    collects = gc.isenabled()
    gc.disable()  # nothing that is made here needs it
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _decided(
    router: Router, item: Labelled, previous: PreviousRoute | None, encoder: Encoder | None
) -> RouteDecision:
    route = partial(router.route, item.text, previous=previous, history=item.history, now=_NOW)
    decision = route()
    if encoder is None or decision.confidence >= SURE_ENOUGH:
        return decision
    opinion = encoder.scores(item.text)
    return decision if opinion is None else route(opinion=opinion)


async def judge_in_service(dispatcher: Dispatcher, items: Sequence[Labelled]) -> list[Judged]:
    """Route every message as the bot does, with all stages that the dispatcher has."""
    judged: list[Judged] = []
    for number, item in enumerate(items):
        # A place of its own for each: single flight and distress windows are by place.
        ask = Ask(
            item.text,
            Place(ChannelId(number + 1)),
            UserId(1),
            _NOW,
            previous=previous_of(dispatcher.router, item),
            history=item.history,
        )
        began = perf_counter()
        decision = await dispatcher.route(ask)
        judged.append(Judged(item, decision, perf_counter() - began))
    return judged


def report(
    router: Router, judged: Sequence[Judged], encoder: Encoder | None = None
) -> dict[str, Any]:
    """Return the figures, ready for JSON; `latency_ms` is of `Judged.seconds`."""
    times = sorted(each.seconds * 1000 for each in judged)
    return {
        "n": len(judged),
        "accuracy": _share(judged),
        "macro_f1": macro_f1(judged),
        "per_class": _per_class(judged),
        "by_kind": _by(judged, lambda each: each.wanted.kind),
        "by_lang": _by(judged, lambda each: each.wanted.lang),
        "ece": calibration_error(judged),
        "coverage_at_95": coverage_at(judged, PRECISION),
        "risk_coverage": risk_coverage(judged),
        "flips_per_100": flips_per_100(router, [each.wanted for each in judged], encoder),
        "confusion": confusion(judged),
        "latency_ms": {
            "p50": round(_quantile(times, 0.50), 4),
            "p99": round(_quantile(times, 0.99), 4),
        },
    }


def macro_f1(judged: Sequence[Judged]) -> float:
    """Return the mean F1 of the classes that are wanted or were decided for.

    A class that nobody wanted and a message got all the same counts with 0, as in scikit-learn:
    of a group with one class only, any error costs half or more. Overall, by kind, and by language.
    """
    scores = [
        figures["f1"]
        for figures in _per_class(judged).values()
        if figures["support"] + figures["decided"]
    ]
    return round(sum(scores) / len(scores), 4) if scores else 0.0


def confusion(judged: Sequence[Judged]) -> dict[str, dict[str, int]]:
    """Return counts by wanted and decided route."""
    counts = {wanted.value: {got.value: 0 for got in Route} for wanted in Route}
    for each in judged:
        counts[each.wanted.label.value][each.decision.route.value] += 1
    return counts


def _per_class(judged: Sequence[Judged]) -> dict[str, dict[str, float]]:
    counts = confusion(judged)
    result: dict[str, dict[str, float]] = {}
    for route in (each.value for each in Route):
        hits = counts[route][route]
        decided = sum(row[route] for row in counts.values())
        support = sum(counts[route].values())
        result[route] = {
            "precision": round(hits / decided, 4) if decided else 0.0,
            "recall": round(hits / support, 4) if support else 0.0,
            "f1": round(2 * hits / (decided + support), 4) if decided + support else 0.0,
            "support": support,
            "decided": decided,
        }
    return result


def _by(judged: Sequence[Judged], key: Callable[[Judged], str]) -> dict[str, dict[str, float]]:
    groups: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        groups[key(each) or "-"].append(each)
    return {
        name: {"n": len(group), "accuracy": _share(group), "macro_f1": macro_f1(group)}
        for name, group in sorted(groups.items())
    }


def _share(judged: Sequence[Judged]) -> float:
    return round(sum(each.right for each in judged) / len(judged), 4) if judged else 0.0


def calibration_error(judged: Sequence[Judged]) -> float:
    """Return the expected calibration error over ten bins of equal width."""
    bins = reliability(judged)
    total = len(judged)
    error = sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in bins)
    return round(error / total, 4) if total else 0.0


def reliability(judged: Sequence[Judged]) -> list[dict[str, float]]:
    """Return, for each bin of confidence that is not empty, how often it was right."""
    bins: dict[int, list[Judged]] = defaultdict(list)
    for each in judged:
        bins[min(int(each.decision.confidence * ECE_BINS), ECE_BINS - 1)].append(each)
    return [
        {
            "bin": index,
            "n": len(group),
            "confidence": sum(each.decision.confidence for each in group) / len(group),
            "accuracy": sum(each.right for each in group) / len(group),
        }
        for index, group in sorted(bins.items())
    ]


def coverage_at(judged: Sequence[Judged], precision: float) -> float:
    """Return the largest share of messages, surest first, that keeps this precision."""
    best = hits = 0
    ranked = sorted(judged, key=lambda each: -each.decision.confidence)
    for count, each in enumerate(ranked, 1):
        hits += each.right
        if hits >= precision * count:
            best = count
    return round(best / len(judged), 4) if judged else 0.0


def risk_coverage(judged: Sequence[Judged]) -> list[dict[str, float]]:
    """Return precision and coverage for thresholds of confidence."""
    rows = []
    for threshold in (0.0, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95):
        kept = [each for each in judged if each.decision.confidence >= threshold]
        rows.append(
            {
                "threshold": threshold,
                "coverage": round(len(kept) / len(judged), 4) if judged else 0.0,
                "precision": _share(kept),
            }
        )
    return rows


def flips_per_100(
    router: Router, items: Sequence[Labelled], encoder: Encoder | None = None
) -> float | None:
    """Return how often the route changes in 100 turns of a talk that is all companion.

    The companion messages among the items that need no history are taken as one talk, in their
    order, and each turn sees the route that the router itself gave to the turn before. Of a very
    long talk the beginning is read. Where all companion messages have a history, each is a turn
    after what the router makes of that. None without any companion message.
    """
    companion = [each for each in items if each.label is Route.COMPANION]
    in_a_row = [each for each in companion if not each.history]
    talk = (in_a_row or companion)[:LONGEST_TALK]
    flips = 0
    before: PreviousRoute | None = None
    routes: list[Route] = []
    for item in talk:
        if not in_a_row:
            before = previous_of(router, item)
        decision = _decided(router, item, before, encoder)
        flips += before is not None and decision.route is not before.route
        routes = [*routes[1 - LATELY :], decision.route]
        before = after(routes, _NOW)
    return round(100 * flips / len(talk), 2) if talk else None


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
