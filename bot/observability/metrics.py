"""Every metric, declared once: `troupe_*`, units in the names, bounded labels.

One `Metrics` is made at start and passed down. Rooms do not import this module: each takes the
part it needs (`metrics.turns`, `metrics.pool`, …) behind a small Protocol of its own. No method
raises for a strange value, and none does any I/O.
"""

from __future__ import annotations

import platform

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from bot.observability.decisions import GuardMetrics, RoutingMetrics
from bot.observability.labels import Vocabulary
from bot.observability.memory import MemoryMetrics
from bot.observability.replies import ReplyMetrics
from bot.observability.scales import FAST, ROUTES, SLOW
from bot.observability.tools import ToolMetrics
from bot.ports import Finished, Outcome

BREAKER_STATES = ("closed", "half-open", "open")


class TurnMetrics:
    """What became of the turns, and how long each stage took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._route = Vocabulary(*ROUTES, limit=0)
        self._trigger = Vocabulary(limit=16)
        self._stage = Vocabulary(limit=32)
        self._ended = Counter(
            "troupe_turns",
            "Turns by route, trigger and outcome.",
            ["route", "trigger", "outcome"],
            registry=registry,
        )
        self._seconds = Histogram(
            "troupe_turn_seconds",
            "Seconds that a stage of a turn took.",
            ["stage", "route"],
            buckets=SLOW,
            registry=registry,
        )
        self._running = Gauge("troupe_turns_running", "Turns under way.", registry=registry)
        depth = Gauge(
            "troupe_queue_depth", "Turns waiting for a place.", ["queue"], registry=registry
        )
        self._depth = depth.labels("turns")
        self._away = Counter(
            "troupe_queue_turned_away",
            "Turns that got no slot: the line was full, another had a better claim, or too late.",
            ["reason"],
            registry=registry,
        )

    def turned_away(self, reason: str) -> None:
        """Count a turn that got no slot: `full`, `displaced` or `late`."""
        self._away.labels(reason).inc()

    def started(self) -> None:
        """Count a turn that was let in."""
        self._running.inc()

    def ended(self, *, route: str | None, trigger: str, outcome: Outcome) -> None:
        """Count a turn that is over; `route` is None when it ended before the decision."""
        self._running.dec()
        self.count(route=route, trigger=trigger, outcome=outcome)

    def count(self, *, route: str | None, trigger: str, outcome: Outcome) -> None:
        """Count a turn that never ran: turned away, merged, or found expired."""
        self._ended.labels(
            self._route.word(route), self._trigger.word(trigger), outcome.value
        ).inc()

    def stage(self, stage: str, seconds: float, *, route: str | None = None) -> None:
        """Observe how long a stage took."""
        self._seconds.labels(self._stage.word(stage), self._route.word(route)).observe(seconds)

    def queue_depth(self, depth: int) -> None:
        """Note how many wait for a place."""
        self._depth.set(depth)


class PoolMetrics:
    """What the Ollama pool tells its observer. `backend` is the host as the operator named it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._backend = Vocabulary(limit=64)
        self._model = Vocabulary(limit=32)
        self._kind = Vocabulary(limit=24)
        self._first_token = Histogram(
            "troupe_ollama_first_token_seconds",
            "Seconds from the request to its first token.",
            ["backend"],
            buckets=SLOW,
            registry=registry,
        )
        self._slot_wait = Histogram(
            "troupe_ollama_slot_wait_seconds",
            "Seconds that a request waited for a slot of the host.",
            ["backend"],
            buckets=SLOW,
            registry=registry,
        )
        self._declare_counters(registry)
        self._breaker = Gauge(
            "troupe_ollama_breaker_state",
            "1 for the state that the backend's breaker is in.",
            ["backend", "state"],
            registry=registry,
        )

    def _declare_counters(self, registry: CollectorRegistry) -> None:
        by_model = ["backend", "model"]
        self._prompt_tokens = Counter(
            "troupe_ollama_prompt_tokens", "Prompt tokens.", by_model, registry=registry
        )
        self._reply_tokens = Counter(
            "troupe_ollama_reply_tokens", "Generated tokens.", by_model, registry=registry
        )
        self._reused_tokens = Counter(
            "troupe_ollama_reused_prompt_tokens_estimate",
            "Prompt tokens that probably came from the host's prompt cache.",
            by_model,
            registry=registry,
        )
        self._judged_tokens = Counter(
            "troupe_ollama_judged_prompt_tokens",
            "Prompt tokens of the requests for which reuse could be estimated.",
            by_model,
            registry=registry,
        )
        self._busy = Counter(
            "troupe_ollama_busy_seconds",
            "Seconds the host spent, by phase: load, prompt or reply.",
            ["backend", "phase"],
            registry=registry,
        )
        self._failures = Counter(
            "troupe_ollama_failures",
            "Requests that failed, by kind of error.",
            ["backend", "kind"],
            registry=registry,
        )

    def first_token(self, backend: str, seconds: float) -> None:
        """Observe the wait for a request's first token."""
        self._first_token.labels(self._backend.word(backend)).observe(seconds)

    def finished(self, finished: Finished, estimated_reuse: float | None) -> None:
        """Count a finished stream; `estimated_reuse` is the share of the prompt, if known."""
        backend = self._backend.word(finished.backend)
        model = self._model.word(finished.model)
        self._slot_wait.labels(backend).observe(finished.slot_wait)
        self._prompt_tokens.labels(backend, model).inc(finished.prompt_tokens)
        self._reply_tokens.labels(backend, model).inc(finished.reply_tokens)
        if estimated_reuse is not None:
            share = min(1.0, max(0.0, estimated_reuse))
            self._judged_tokens.labels(backend, model).inc(finished.prompt_tokens)
            self._reused_tokens.labels(backend, model).inc(finished.prompt_tokens * share)
        self._busy.labels(backend, "load").inc(finished.load)
        self._busy.labels(backend, "prompt").inc(finished.prompt_eval)
        self._busy.labels(backend, "reply").inc(finished.eval)

    def failed(self, backend: str, kind: str) -> None:
        """Count a failed request; `kind` is the name of the error's class."""
        self._failures.labels(self._backend.word(backend), self._kind.word(kind)).inc()

    def breaker(self, backend: str, state: str) -> None:
        """Note the breaker's state: closed, half-open or open; a strange one counts as open."""
        current = state if state in BREAKER_STATES else "open"
        for each in BREAKER_STATES:
            self._breaker.labels(self._backend.word(backend), each).set(each == current)


class DiscordMetrics:
    """REST calls by route template, and the gateway's pulse."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rest_route = Vocabulary(limit=96)
        self._scope = Vocabulary("user", "global", "shared", limit=4)
        self._shard = Vocabulary(limit=256)
        self._requests = Counter(
            "troupe_discord_requests",
            "REST calls by route template and class of status.",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "troupe_discord_request_seconds",
            "Seconds that a REST call took.",
            ["route"],
            buckets=SLOW,
            registry=registry,
        )
        self._limited = Counter(
            "troupe_discord_rate_limited",
            "REST calls answered with 429.",
            ["route", "scope"],
            registry=registry,
        )
        self._latency = Gauge(
            "troupe_discord_gateway_latency_seconds",
            "Seconds from a heartbeat to its acknowledgement.",
            ["shard"],
            registry=registry,
        )
        self._last_event = Gauge(
            "troupe_discord_gateway_last_event_timestamp_seconds",
            "Unix time of the last gateway event; its age is time() minus this.",
            ["shard"],
            registry=registry,
        )

    def rest(self, route: str, status: int, seconds: float) -> None:
        """Count a REST call; `route` is its template, such as `POST /channels/{channel_id}`."""
        template = self._rest_route.word(route)
        kind = f"{status // 100}xx" if 100 <= status < 600 else "failed"
        self._requests.labels(template, kind).inc()
        self._seconds.labels(template).observe(seconds)

    def rate_limited(self, route: str, scope: str | None = None) -> None:
        """Count a 429; `scope` is the header X-RateLimit-Scope."""
        self._limited.labels(self._rest_route.word(route), self._scope.word(scope)).inc()

    def heartbeat(self, shard: int, latency: float) -> None:
        """Note the gateway's latency in seconds."""
        self._latency.labels(self._shard.word(str(shard))).set(latency)

    def event(self, shard: int, at: float) -> None:
        """Note that a gateway event came at the unix time `at`."""
        self._last_event.labels(self._shard.word(str(shard))).set(at)


class Metrics:
    """All metrics of a process, on a registry of their own."""

    def __init__(self, version: str, *, embedded_redis: bool = False) -> None:
        self.registry = CollectorRegistry()
        self.turns = TurnMetrics(self.registry)
        self.pool = PoolMetrics(self.registry)
        self.discord = DiscordMetrics(self.registry)
        self.routing = RoutingMetrics(self.registry)
        self.guard = GuardMetrics(self.registry)
        self.memory = MemoryMetrics(self.registry)
        self.replies = ReplyMetrics(self.registry)
        self.tools = ToolMetrics(self.registry)
        self._operation = Vocabulary(limit=48)
        self._redis_errors = Counter(
            "troupe_redis_errors",
            "Store operations that failed.",
            ["operation"],
            registry=self.registry,
        )
        self._loop_lag = Histogram(
            "troupe_event_loop_lag_seconds",
            "Seconds by which the event loop woke up late.",
            buckets=FAST,
            registry=self.registry,
        )
        self._log_lines_lost = Counter(
            "troupe_log_lines_lost",
            "Log lines dropped because their reader was too slow.",
            registry=self.registry,
        )
        self._file = Vocabulary(limit=8)
        self._file_reloads = Counter(
            "troupe_operator_file_reloads",
            "Changed files of the operator: `loaded`, or `refused` because they are wrong.",
            ["file", "outcome"],
            registry=self.registry,
        )
        Info("troupe_build", "What runs here.", registry=self.registry).info(
            {
                "version": version,
                "python": platform.python_version(),
                "redis": "embedded" if embedded_redis else "external",
            }
        )
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def redis_error(self, operation: str) -> None:
        """Count a failed store operation, such as `conversations.load`."""
        self._redis_errors.labels(self._operation.word(operation)).inc()

    def loop_lag(self, seconds: float) -> None:
        """Observe by how much the event loop was late."""
        self._loop_lag.observe(seconds)

    def log_lines_lost(self, count: int) -> None:
        """Count log lines that could not be written."""
        self._log_lines_lost.inc(count)

    def file_reloaded(self, name: str, ok: bool) -> None:
        """Count a changed file of the operator, such as `routes.toml`, and whether it was taken."""
        self._file_reloads.labels(self._file.word(name), "loaded" if ok else "refused").inc()

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format 0.0.4."""
        return generate_latest(self.registry)

    def names(self) -> frozenset[str]:
        """Return the names of all our series, with `_bucket`, `_sum`, `_count` and `_total`."""
        found: set[str] = set()
        for family in self.registry.collect():
            suffixes = {
                "counter": ("_total",),
                "histogram": ("_bucket", "_sum", "_count"),
                "info": ("_info",),
            }.get(family.type, ("",))
            found.update(family.name + suffix for suffix in suffixes)
        return frozenset(found)
