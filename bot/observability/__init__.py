"""Metrics, logs and health: what an operator sees, and never what people said."""

from bot.observability.decisions import GuardMetrics, RoutingMetrics
from bot.observability.health import Check, Health, HealthReport
from bot.observability.logs import LogOutput, log_to_stderr, tell_losses, turn_logs
from bot.observability.loop_lag import LoopLag
from bot.observability.metrics import (
    DiscordMetrics,
    Metrics,
    PoolMetrics,
    TurnMetrics,
)

__all__ = [
    "Check",
    "DiscordMetrics",
    "GuardMetrics",
    "Health",
    "HealthReport",
    "LogOutput",
    "LoopLag",
    "Metrics",
    "PoolMetrics",
    "RoutingMetrics",
    "TurnMetrics",
    "log_to_stderr",
    "tell_losses",
    "turn_logs",
]
