"""Judging a large file on every core: an operator's log may hold a million messages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from bot.routing.accurate import ready_encoder
from bot.routing.dataset import Labelled
from bot.routing.judging import Judged, as_in_a_running_bot, judge
from bot.routing.route import RouteDecision
from bot.routing.router import Router

if TYPE_CHECKING:
    from bot.routing.encoder import Encoder

WORTH_APART = 20_000
"""Fewer messages are judged before another process has begun."""
_AT_ONCE = 5_000


def judge_apart(
    table: Path,
    items: Sequence[Labelled],
    *,
    with_encoder: bool,
    processes: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Judged]:
    """Route every message as `judge` does, in a process for each core; the order stays.

    Args:
        table: the table file that each process loads.
        items: the messages.
        with_encoder: whether the accurate stage takes part.
        processes: how many; by default one for each core that this process may use.
        progress: told after each part how many messages are done.
    """
    parts = [items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE)]
    judged: list[Judged] = []
    with ProcessPoolExecutor(
        processes or _cores(),
        get_context("spawn"),
        initializer=_get_ready,
        initargs=(table, with_encoder),
    ) as pool:
        for part, decided in zip(parts, pool.map(_decisions, parts), strict=True):
            judged += _joined(part, decided)
            progress(len(judged))
    return judged


class _Stages:
    """What a process judges with."""

    router: Router
    encoder: Encoder | None = None


def _get_ready(table: Path, with_encoder: bool) -> None:
    _Stages.router = Router.load(table)
    _Stages.encoder = ready_encoder() if with_encoder else None


def _decisions(items: Sequence[Labelled]) -> list[tuple[RouteDecision, float]]:
    # Without the messages: the other process has them.
    with as_in_a_running_bot(_Stages.router, _Stages.encoder):
        judged = judge(_Stages.router, items, _Stages.encoder)
    return [(each.decision, each.seconds) for each in judged]


def _joined(
    items: Sequence[Labelled], decided: Sequence[tuple[RouteDecision, float]]
) -> Iterator[Judged]:
    for item, (decision, seconds) in zip(items, decided, strict=True):
        yield Judged(item, decision, seconds)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
