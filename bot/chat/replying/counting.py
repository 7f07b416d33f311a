"""What the metrics and the log are told of a turn that is over."""

from __future__ import annotations

from typing import Final

import structlog

from bot.chat.account import TurnAccount
from bot.chat.running import Ending, Running
from bot.errors import DeliveryError, PermissionMissing, TargetGone, ThreadClosed
from bot.observability import Metrics
from bot.ports import Outcome

log = structlog.get_logger(__name__)

_WHY: Final[dict[type[DeliveryError], str]] = {
    PermissionMissing: "permission",
    ThreadClosed: "closed",
    TargetGone: "gone",
}


def count(metrics: Metrics, run: Running, account: TurnAccount, outcome: Outcome | None) -> None:
    """Count a turn, also one that is merged or left to the successor."""
    route = account.decision.route.value if account.decision else None
    merged = run.ending is Ending.MERGED
    ended = outcome or (Outcome.MERGED if merged else Outcome.LEFT)
    metrics.turns.ended(route=route, trigger=account.trigger.value, outcome=ended)
    if run.turn.again is not None and outcome is Outcome.ANSWERED:
        metrics.replies.wished(run.turn.again.wish.value)
    for stage, seconds in account.timings.items():
        metrics.turns.stage(stage, seconds, route=route)
    log.info("turn over", outcome=ended.value, **account.logged())


def count_undelivered(metrics: Metrics, error: DeliveryError) -> None:
    """Count a reply that Discord did not take."""
    metrics.replies.undelivered(_WHY.get(type(error), "refused"))
