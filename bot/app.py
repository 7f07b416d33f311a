"""The composition root: settings → adapters → rooms → the parts that every face shares.

What is opened first is closed last: the private Redis, the stores, the models, the pipeline.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot import __version__, footprint
from bot.adapters.ollama import (
    OllamaClassifier,
    OllamaEmbedder,
    OllamaPool,
    Rehearsal,
    answers,
)
from bot.adapters.redis import (
    RedisBindings,
    RedisCards,
    RedisConversations,
    RedisJournal,
    RedisLimiter,
    RedisReplies,
    RedisRouteCounts,
    RedisRoutes,
    RedisState,
    check_seal,
    open_database,
    open_sealer,
)
from bot.adapters.redis.connect import store_errors
from bot.adapters.redis.memories import RedisMemories
from bot.adapters.redis.migrations import migrate
from bot.background import Background
from bot.chat.character.judge import open_judge
from bot.chat.parts import Parts
from bot.chat.pipeline import TurnPipeline
from bot.chat.replying.summary import Summariser
from bot.chat.stage import Stage, StageStatus
from bot.creative.profiles import open_tools
from bot.data_files import migrations_dir, personas_dir
from bot.errors import SettingsRejected, StoreError
from bot.guarding import Guard, GuardStores, open_guard, open_guard_stores
from bot.memory import Asking, Learner, Memory
from bot.observability import Health, LoopLag, Metrics, tell_losses
from bot.personas import PersonaLibrary
from bot.personas.binding import Binding
from bot.personas.casting import Casting, load_default_cast
from bot.personas.imported import ImportedCards
from bot.ports import SubjectAccess
from bot.prompting import TokenEstimator, prepare_lore
from bot.routing import load_profiles
from bot.routing.dispatch import Dispatcher
from bot.routing.opening import open_routing
from bot.scheduling import FairQueue
from bot.scheduling.admission import rate
from bot.settings import Settings
from bot.vocabularies import Vocabularies

log = structlog.get_logger(__name__)

HEALTH_EVERY = 5.0
REHEARSAL_MODEL = "rehearsal"


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything in Redis."""

    redis: Any
    conversations: RedisConversations
    bindings: RedisBindings
    cards: RedisCards
    journal: RedisJournal
    limiter: RedisLimiter
    state: RedisState
    routes: RedisRoutes
    route_counts: RedisRouteCounts
    guard: GuardStores
    memories: RedisMemories
    replies: RedisReplies

    def subjects(self) -> dict[str, SubjectAccess]:
        """Return every store that may know something about a person, by its name."""
        return {
            "bindings": self.bindings,  # before those that know which DMs are the person's
            "conversations": self.conversations,
            "memories": self.memories,
            "journal": self.journal,
            "routes": self.routes,
            "cards": self.cards,
            "replies": self.replies,
            "limits": self.limiter,
            "trends": self.guard.trends,
            "moderation": self.guard.moderation,
        }


@dataclass(frozen=True, slots=True)
class Models:
    """What talks. `rehearsal` is true when the stand-in does."""

    pool: OllamaPool
    name: str
    rehearsal: bool
    bases: Sequence[str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Troupe:
    """The running parts that every face of the program shares."""

    settings: Settings
    clock: SystemClock
    metrics: Metrics
    health: Health
    library: PersonaLibrary
    imported: ImportedCards
    default: Binding
    casting: Casting
    stores: Stores
    models: Models
    queue: FairQueue
    dispatcher: Dispatcher
    parts: Parts
    pipeline: TurnPipeline
    guard: Guard

    def stage(self) -> Stage:
        """Return the pipeline's face for the page and the terminal."""
        return Stage(
            self.pipeline,
            self.stores.conversations,
            self.library,
            self.default,
            self.clock,
            self._status,
            self.guard.disclosures,
        )

    def _status(self) -> StageStatus:
        backends = tuple(status.url for status in self.models.pool.status())
        return StageStatus(self.models.rehearsal, self.models.name, backends, __version__)


# ── opening ─────────────────────────────────────────────────────────────────────────────────


async def open_troupe(settings: Settings, stack: AsyncExitStack) -> Troupe:
    """Open all parts; the stack closes them in the opposite order.

    Raises:
        SettingsRejected: a data file or a setting can't be used.
        StoreError: Redis, or its schema.
    """
    footprint.share_one_heap()
    embedded = settings.redis.url is None
    metrics, health = Metrics(__version__, embedded_redis=embedded), Health()
    tell_losses(metrics.log_lines_lost)
    clock = SystemClock()
    health.expect("loop", live=True, stale_after=10)
    for name in ("redis", "backend"):
        health.expect(name, stale_after=HEALTH_EVERY * 6)
    directory = settings.core.personas_dir or personas_dir()
    library, default, profiles = await _open_personas(directory)
    stores = await open_stores(settings, metrics, stack)
    models = await open_models(settings, metrics, stack)
    guard = await open_guard(
        stores.guard,
        settings,
        directory,
        models.pool,
        rehearsal=models.rehearsal,
        metrics=metrics.guard,
        clock=clock,
    )
    routing = await open_routing(
        data_dir=settings.core.data_dir,
        directory=directory,
        overrides=stores.routes,
        model=models.pool,
        model_name=models.name,
        classifier=OllamaClassifier(models.pool),
        metrics=metrics.routing,
    )
    stack.callback(routing.close)
    imported = ImportedCards(stores.cards, library, now=clock.now)
    casting = Casting(stores.bindings, library, default, ready=imported.ready)
    limits = settings.limits
    queue = FairQueue(
        lambda: models.pool.capacity,
        limit=limits.queue,
        turned_away=metrics.turns.turned_away,
        weight=lambda guild: limits.weights.get(guild, 1.0) if isinstance(guild, int) else 1.0,
    )
    memory = _open_memory(settings, stores, models, metrics, clock)
    summaries = Summariser(models.pool, lambda: models.name, stores.conversations)
    parts = Parts(
        casting=casting,
        conversations=stores.conversations,
        dispatcher=routing.dispatcher,
        profiles=profiles,
        tools=open_tools(directory),
        guardrails=guard.rails,
        model=models.pool,
        queue=queue,
        limiter=stores.limiter,
        estimator=TokenEstimator(),
        metrics=metrics,
        clock=clock,
        default_model=models.name,
        num_ctx=settings.ollama.num_ctx,
        scripts_allowed=imported.scripts_allowed,
        strict=guard.policies.strict,
        memory=memory,
        ahead=(guard.stores.trends_beside.foresee, memory.foresee),
        summaries=summaries,
        queue_timeout=limits.wait,
        facts=models.pool,
        channel_models=frozenset(settings.ollama.channel_models),
        judge=None
        if models.rehearsal
        else open_judge(
            directory / "routes.toml",
            models.pool,
            models.name,
            stores.conversations,
            metrics.replies,
            idle=lambda: not queue.depth,
            kept=stores.replies,
        ),
    )
    troupe = Troupe(
        settings,
        clock,
        metrics,
        health,
        library,
        imported,
        default,
        casting,
        stores,
        models,
        queue,
        routing.dispatcher,
        parts,
        TurnPipeline(parts),
        guard,
    )
    tally = routing.dispatcher.tally
    stack.push_async_callback(tally.flush, stores.route_counts)
    background = Background()
    stack.push_async_callback(background.close)
    background.keep("route table", routing.watch.run)
    background.keep("route counts", lambda: tally.keep_flushing(stores.route_counts))
    background.keep("library", library.watch)
    background.keep("imported cards", imported.follow)
    background.keep("guardrails", guard.files.watch)
    background.keep("memory", memory.learner.run)
    background.keep("summaries", summaries.run)
    if parts.judge is not None:
        background.keep("judge of character", parts.judge.run)
    if not models.rehearsal:
        words = Vocabularies(parts.estimator, models.bases, models.headers)
        background.keep("vocabularies", words.run)
    lag = LoopLag(metrics, alive=lambda: health.report("loop", True))
    background.keep("loop lag", lag.run)
    background.keep("health", lambda: _report_health(troupe))
    footprint.settle()
    return troupe


def _open_memory(
    settings: Settings, stores: Stores, models: Models, metrics: Metrics, clock: SystemClock
) -> Memory:
    """Return the memory; without an embedding model it finds by words alone."""
    name = settings.ollama.embed_model
    embedder = OllamaEmbedder(models.pool, name) if name and not models.rehearsal else None
    learner = Learner(
        stores.memories, models.pool, lambda: models.name, embedder, clock, metrics.memory
    )
    asking = Asking(settings.core.memory_default)
    return Memory(stores.memories, learner, embedder, clock, metrics.memory, asking=asking)


async def _open_personas(directory: Path) -> tuple[PersonaLibrary, Binding, Any]:
    library = PersonaLibrary(directory, prepare=prepare_lore)
    await asyncio.to_thread(library.load)
    for problem in library.problems:
        log.warning("persona", problem=problem)
    default = load_default_cast(directory / "cast.toml")
    known = {persona.id for persona in library.all()}
    missing = sorted(set(default.cast.values()) - known)
    if missing:
        raise SettingsRejected([f"cast.toml: there is no persona {name!r}" for name in missing])
    return library, default, load_profiles(directory / "routes.toml")


async def open_stores(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Stores:
    """Connect to Redis, or start our own, and bring its schema up to date."""
    core = settings.core
    # Wrong keys are refused before anything is started or migrated.
    sealer = await asyncio.to_thread(open_sealer, core.key_text, core.data_dir)
    redis = await open_database(
        settings.redis.address, core.data_dir, stack, on_error=metrics.redis_error
    )
    await check_seal(redis, sealer, only_look=True)
    report = await migrate(redis, migrations_dir())
    if report.applied:
        log.info("schema migrated", applied=report.applied, version=report.version)
    await check_seal(redis, sealer)
    bindings = RedisBindings(redis)
    await bindings.start()
    stack.push_async_callback(bindings.close)
    journal = RedisJournal(
        redis,
        sealer,
        process_id=f"{os.getpid()}-{secrets.token_hex(4)}",
        shards=settings.discord.shard_ids,
        shard_count=settings.discord.shard_count,
    )
    await journal.start()
    stack.push_async_callback(journal.close)
    limits = settings.limits
    limiter = RedisLimiter(redis, person_rate=rate(limits.person), guild_rate=rate(limits.guild))
    conversations = RedisConversations(redis, sealer)
    cards = RedisCards(redis, sealer)
    routes = RedisRoutes(redis, sealer)
    await routes.start()
    stack.push_async_callback(routes.close)
    return Stores(
        redis=redis,
        conversations=conversations,
        bindings=bindings,
        cards=cards,
        journal=journal,
        limiter=limiter,
        state=RedisState(redis),
        routes=routes,
        route_counts=RedisRouteCounts(redis),
        guard=open_guard_stores(redis, sealer, stack),
        memories=RedisMemories(redis, sealer, lifetime_s=settings.core.memory_days * 86_400),
        replies=RedisReplies(redis, sealer),
    )


async def open_models(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Models:
    """Open the pool; without any configured host that answers, over the rehearsal stand-in."""
    ollama = settings.ollama
    headers = ollama.header_values
    bases, name, rehearsal = ollama.bases, ollama.model, False
    if not ollama.hosts_configured and not await answers(bases[0], headers):
        stand_in = Rehearsal(models=(REHEARSAL_MODEL,))
        await stand_in.start()
        stack.push_async_callback(stand_in.close)
        bases, name, rehearsal = [stand_in.url], REHEARSAL_MODEL, True
        log.warning("no Ollama answers: the rehearsal stand-in replies", tried=ollama.bases)
    pool = OllamaPool(
        bases,
        num_ctx=ollama.num_ctx,
        num_parallel=ollama.num_parallel,
        headers=headers,
        first_token_timeout=ollama.first_token_timeout,
        token_timeout=ollama.token_timeout,
        observer=metrics.pool,
    )
    await pool.start()
    stack.push_async_callback(pool.close)
    return Models(pool, name, rehearsal, bases, headers)


async def _report_health(troupe: Troupe) -> None:
    while True:
        try:
            await _ping(troupe.stores.redis)
        except StoreError as error:
            troupe.health.report("redis", False, str(error))
        else:
            troupe.health.report("redis", True)
        healthy = [status for status in troupe.models.pool.status() if status.healthy]
        reasons = "; ".join(f"{s.url}: {s.reason}" for s in troupe.models.pool.status() if s.reason)
        fallback = "ok" if healthy else "no host answers"
        troupe.health.report("backend", bool(healthy), reasons or fallback)
        troupe.metrics.turns.queue_depth(troupe.queue.depth)
        await asyncio.sleep(HEALTH_EVERY)


async def _ping(redis: Any) -> None:
    with store_errors(redis):  # it also keeps a cancellation from being lost in redis-py
        async with asyncio.timeout(2):
            await redis.ping()
