"""Routing labelled messages as the bot would, and timing it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter, thread_time
from typing import TYPE_CHECKING

from bot.chat.place import ChannelId, Place, UserId
from bot.routing.accurate import SURE_ENOUGH
from bot.routing.dataset import Labelled
from bot.routing.dispatch import Ask, Dispatcher
from bot.routing.previous import LATELY, PreviousRoute, after
from bot.routing.route import Route, RouteDecision
from bot.routing.router import Router

if TYPE_CHECKING:
    from bot.routing.encoder import Encoder

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
        # A place of its own for each: single flight is by place.
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
