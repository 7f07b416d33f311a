"""The composition root: settings → adapters → rooms → the parts that every face shares.

What is opened first is closed last: the private Redis, the stores, the models, the pipeline.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from bot import __version__, footprint
from bot.adapters.ollama import (
    OllamaClassifier,
    OllamaEmbedder,
)
from bot.background import Background
from bot.chat.character.judge import CharacterJudge, load_judge
from bot.chat.parts import Parts
from bot.chat.pipeline import TurnPipeline
from bot.chat.replying.summary import Summariser
from bot.chat.stage import Stage, StageStatus
from bot.creative.profiles import TOOLS_FILE, open_tools
from bot.files.data_files import personas_dir
from bot.files.operator_files import Tables
from bot.files.operator_watch import OperatorFile
from bot.memory import Asking, Learner, Memory
from bot.observability import Health, LoopLag, Metrics, tell_losses
from bot.opening.guarding import Guard, open_guard
from bot.opening.health_checks import expected_health, report_health
from bot.opening.models import Models, open_models
from bot.opening.stores import Stores, open_stores
from bot.opening.vocabularies import Vocabularies
from bot.personas import PersonaLibrary
from bot.personas.binding import Binding
from bot.personas.casting import Casting, load_default_cast
from bot.personas.imported import ImportedCards
from bot.prompting import TokenEstimator, prepare_lore
from bot.routing import load_profiles
from bot.routing.dispatch import Dispatcher
from bot.routing.opening import PROFILES, Routing, open_routing
from bot.scheduling import FairQueue
from bot.settings import Settings

log = structlog.get_logger(__name__)


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


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
    metrics, clock = Metrics(__version__, embedded_redis=settings.redis.url is None), SystemClock()
    tell_losses(metrics.log_lines_lost)
    health = expected_health()
    directory = settings.core.personas_dir or personas_dir()
    routes, tools = (
        OperatorFile(directory / name, on_reload=metrics.file_reloaded)
        for name in (PROFILES, TOOLS_FILE)
    )
    library, default = await _open_personas(directory)
    stores = await open_stores(settings, metrics, stack)
    models = await open_models(settings, metrics, stack)
    ground = _Ground(settings, directory, stores, models, metrics, clock, routes, tools)
    guard, routing = await _open_guard(ground), await _open_routing(ground, stack)
    imported = ImportedCards(stores.cards, library, now=clock.now)
    casting = Casting(stores.bindings, library, default, ready=imported.ready)
    parts = _parts(ground, casting, imported, routing, guard)
    troupe = Troupe(
        settings=settings,
        clock=clock,
        metrics=metrics,
        health=health,
        library=library,
        imported=imported,
        default=default,
        casting=casting,
        stores=stores,
        models=models,
        queue=parts.queue,
        dispatcher=routing.dispatcher,
        parts=parts,
        pipeline=TurnPipeline(parts),
        guard=guard,
    )
    _keep_going(troupe, routing, ground, stack)
    return troupe


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the parts of a turn stand on."""

    settings: Settings
    directory: Path
    stores: Stores
    models: Models
    metrics: Metrics
    clock: SystemClock
    routes: OperatorFile
    tools: OperatorFile


def _parts(
    ground: _Ground,
    casting: Casting,
    imported: ImportedCards,
    routing: Routing,
    guard: Guard,
) -> Parts:
    """Return what every turn needs."""
    ollama, limits = ground.settings.ollama, ground.settings.limits
    stores, models, metrics = ground.stores, ground.models, ground.metrics
    queue, memory = _open_queue(ground), _open_memory(ground)
    return Parts(
        casting=casting,
        conversations=stores.conversations,
        dispatcher=routing.dispatcher,
        profiles=Tables(load_profiles(ground.directory / PROFILES)),
        tools=Tables(open_tools(ground.directory)),
        guardrails=guard.rails,
        model=models.pool,
        queue=queue,
        limiter=stores.limiter,
        estimator=TokenEstimator(),
        metrics=metrics,
        clock=ground.clock,
        default_model=models.name,
        num_ctx=ollama.num_ctx,
        scripts_allowed=imported.scripts_allowed,
        strict=guard.policies.strict,
        memory=memory,
        ahead=(guard.stores.trends_beside.foresee, memory.foresee),
        meanwhile=(guard.rails.look_through, lambda turn: routing.dispatcher.read(turn.text)),
        let_go=(guard.stores.trends_beside.let_go, memory.let_go),
        summaries=Summariser(models.pool, lambda: models.name, stores.conversations),
        queue_timeout=limits.wait,
        facts=models.pool,
        channel_models=frozenset(ollama.channel_models),
        judge=None if models.rehearsal else _open_judge(ground, queue),
    )


async def _open_guard(ground: _Ground) -> Guard:
    models = ground.models
    return await open_guard(
        ground.stores.guard,
        ground.settings,
        ground.directory,
        models.pool,
        rehearsal=models.rehearsal,
        metrics=ground.metrics.guard,
        clock=ground.clock,
    )


async def _open_routing(ground: _Ground, stack: AsyncExitStack) -> Routing:
    models = ground.models
    routing = await open_routing(
        data_dir=ground.settings.core.data_dir,
        directory=ground.directory,
        overrides=ground.stores.routes,
        model=models.pool,
        model_name=models.name,
        classifier=OllamaClassifier(models.pool),
        metrics=ground.metrics.routing,
    )
    stack.callback(routing.stages.close)
    return routing


def _open_queue(ground: _Ground) -> FairQueue:
    limits, pool = ground.settings.limits, ground.models.pool
    return FairQueue(
        lambda: pool.capacity,
        limit=limits.queue,
        turned_away=ground.metrics.turns.turned_away,
        weight=lambda guild: limits.weights.get(guild, 1.0) if isinstance(guild, int) else 1.0,
    )


def _open_judge(ground: _Ground, queue: FairQueue) -> CharacterJudge:
    judge = CharacterJudge(
        ground.models.pool,
        ground.models.name,
        ground.stores.conversations,
        ground.metrics.replies,
        idle=lambda: not queue.depth,
        kept=ground.stores.replies,
    )
    judge.adopt(load_judge(ground.directory / PROFILES))
    return judge


def _read_routes(parts: Parts, routing: Routing, file: Path) -> Callable[[], None]:
    """Read all of `routes.toml`; return what takes it into service."""
    profiles, judging, stages = load_profiles(file), load_judge(file), routing.stages.read()

    def take() -> None:
        parts.profiles.adopt(profiles)
        stages()
        if parts.judge is not None:
            parts.judge.adopt(judging)

    return take


def _read_tools(parts: Parts, directory: Path) -> Callable[[], None]:
    """Read `tools.toml`; return what takes it into service."""
    return partial(parts.tools.adopt, open_tools(directory))


def _keep_going(troupe: Troupe, routing: Routing, ground: _Ground, stack: AsyncExitStack) -> None:
    """Start what runs beside the turns until the program ends."""
    parts, models, tally = troupe.parts, troupe.models, routing.dispatcher.tally
    counts = troupe.stores.route_counts
    stack.push_async_callback(tally.flush, counts)
    background = Background()
    stack.push_async_callback(background.close)
    background.keep("route table", routing.watch.run)
    background.keep("route counts", lambda: tally.keep_flushing(counts))
    background.keep("library", troupe.library.watch)
    background.keep("imported cards", troupe.imported.follow)
    background.keep("guardrails", troupe.guard.files.watch)
    read_routes = partial(_read_routes, parts, routing, ground.directory / PROFILES)
    background.keep("route profiles", partial(ground.routes.watch, read_routes))
    read_tools = partial(_read_tools, parts, ground.directory)
    background.keep("creative tools", partial(ground.tools.watch, read_tools))
    if parts.memory is not None:
        background.keep("memory", parts.memory.learner.run)
    if parts.summaries is not None:
        background.keep("summaries", parts.summaries.run)
    if parts.judge is not None:
        background.keep("judge of character", parts.judge.run)
    if not models.rehearsal:
        words = Vocabularies(parts.estimator, models.bases, models.headers)
        background.keep("vocabularies", words.run)
    lag = LoopLag(troupe.metrics, alive=lambda: troupe.health.report("loop", True))
    background.keep("loop lag", lag.run)
    pool, metrics = models.pool, troupe.metrics
    background.keep(
        "health",
        lambda: report_health(troupe.health, troupe.stores.redis, pool, troupe.queue, metrics),
    )


def _open_memory(ground: _Ground) -> Memory:
    """Return the memory; without an embedding model it finds by words alone."""
    stores, models, metrics = ground.stores, ground.models, ground.metrics
    name = ground.settings.ollama.embed_model
    embedder = OllamaEmbedder(models.pool, name) if name and not models.rehearsal else None
    learner = Learner(
        stores.memories, models.pool, lambda: models.name, embedder, ground.clock, metrics.memory
    )
    asking = Asking(ground.settings.core.memory_default)
    return Memory(
        stores.memories,
        learner,
        embedder,
        ground.clock,
        metrics.memory,
        asking=asking,
        said=stores.conversations,
    )


async def _open_personas(directory: Path) -> tuple[PersonaLibrary, Binding]:
    library = PersonaLibrary(directory, prepare=prepare_lore)
    await asyncio.to_thread(library.load)
    for problem in library.problems:
        log.warning("persona", problem=problem)
    default = load_default_cast(directory / "cast.toml", {each.id for each in library.all()})
    return library, default
