"""Judging a large file in several processes."""

from __future__ import annotations

from bot.routing import Router
from bot.routing.dataset import read_labelled
from bot.routing.judging import judge
from bot.routing.judging_apart import judge_apart
from bot.routing.promotion import CANARY
from bot.routing.router import SHIPPED


def test_several_processes_decide_as_one_does_and_keep_the_order() -> None:
    items = read_labelled(CANARY) * 100
    seen: list[int] = []
    apart = judge_apart(SHIPPED, items, with_encoder=False, processes=2, progress=seen.append)
    alone = judge(Router.load(), items)
    assert [(each.wanted, each.decision) for each in apart] == [
        (each.wanted, each.decision) for each in alone
    ]
    assert seen[-1] == len(items)
    assert seen == sorted(seen)
    assert len(seen) > 1
