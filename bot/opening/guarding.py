"""Opens the guardrails of a running bot: judge, guard model, care, moderation, audit."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.adapters.redis import Client, RedisAudit, RedisModeration, RedisTrends, Sealer
from bot.guardrails import Guardrails
from bot.guardrails.audit import Audit, AuditEntry, AuditSink
from bot.guardrails.caring.disclosure import Disclosures
from bot.guardrails.caring.trend_keeping import TrendsBeside
from bot.guardrails.guard_model.guard import OllamaGuard
from bot.guardrails.guard_model.measured import MeasuredGuard
from bot.guardrails.moderation import Policies, Strictness
from bot.guardrails.reload import GuardFiles
from bot.observability.decisions import GuardMetrics
from bot.ports import ChatModel, Clock
from bot.settings import Settings

log = structlog.get_logger(__name__)

AUDIT_KEY = "troupe audit trail"


@dataclass(frozen=True, slots=True)
class GuardStores:
    """What the guardrails keep in Redis."""

    trends: RedisTrends
    trends_beside: TrendsBeside
    """The same, for turns: nobody waits for it."""
    moderation: RedisModeration
    audit: RedisAudit
    key: bytes
    """Names texts in the audit trail."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The guardrails in service, and what stands around them."""

    rails: Guardrails
    files: GuardFiles
    audit: Audit
    disclosures: Disclosures
    policies: Policies
    stores: GuardStores
    model: OllamaGuard | None
    model_name: str | None


def open_guard_stores(redis: Client, sealer: Sealer, stack: AsyncExitStack) -> GuardStores:
    """Return the stores; the stack writes down what still waits when it closes them."""
    audit = RedisAudit(redis)
    stack.push_async_callback(audit.close)
    trends = RedisTrends(redis, sealer)
    beside = TrendsBeside(trends)
    stack.push_async_callback(beside.close)
    moderation = RedisModeration(redis, sealer)
    return GuardStores(trends, beside, moderation, audit, sealer.derived(AUDIT_KEY))


async def open_guard(
    stores: GuardStores,
    settings: Settings,
    directory: Path,
    chat: ChatModel,
    *,
    rehearsal: bool,
    metrics: GuardMetrics,
    clock: Clock,
) -> Guard:
    """Read the files and put the parts together.

    `rehearsal`: the stand-in talks, which has no guard model.

    Raises:
        SettingsRejected: a file, or the guard model's name, can't be used.
    """
    model_name = settings.ollama.guard_model
    if rehearsal and model_name is not None:
        log.warning("no Ollama answers: the rules guard alone")
        model_name = None
    model = None if model_name is None else OllamaGuard(chat, model_name)
    least = Strictness(settings.core.guard_level)
    audit = Audit(_told(stores.audit, metrics), stores.key)
    rails = await asyncio.to_thread(
        lambda: Guardrails.load(
            directory,
            guard=None if model is None else MeasuredGuard(model, metrics),
            trend=stores.trends_beside,
            audit=audit,
        )
    )
    return Guard(
        rails=rails,
        files=GuardFiles(rails, directory, lambda ok: metrics.reloaded(ok=ok)),
        audit=audit,
        disclosures=Disclosures(lambda: rails.care, stores.trends_beside, metrics.disclosed),
        policies=Policies(stores.moderation, least, clock.monotonic),
        stores=stores,
        model=model,
        model_name=model_name,
    )


def _told(trail: AuditSink, metrics: GuardMetrics) -> AuditSink:
    """Return a sink that also counts what was decided without the guard model."""

    def sink(entry: AuditEntry) -> None:
        if entry.stage == "degraded":
            metrics.degraded(entry.route, entry.measure)
        trail(entry)

    return sink
