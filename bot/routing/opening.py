"""Opening the router with everything that bears on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import structlog

from bot.ports import ChatModel, Classifier
from bot.routing.accurate import (
    AccurateStage,
    EncoderObserver,
    open_accurate_stage,
    wants_accurate_stage,
)
from bot.routing.asked_model import AskedModel
from bot.routing.dispatch import Dispatcher, OverrideStore, RouteObserver
from bot.routing.features import FEATURE_VERSION
from bot.routing.model_stage import ModelStage, StageObserver, load_model_stage
from bot.routing.promotion import place_of
from bot.routing.router import Router
from bot.routing.table import SCHEMA
from bot.routing.watch import TableWatch

log = structlog.get_logger(__name__)

PROFILES = "routes.toml"


class Metrics(RouteObserver, StageObserver, EncoderObserver, Protocol):
    """What is told about decisions, the other stages, and tables."""

    def reloaded(self, outcome: str) -> None:
        """Count a new table: `loaded` or `refused`."""
        ...

    def model(self, digest: str, version: str) -> None:
        """Note the checksum of the table in service, and of which version it is."""
        ...


class Stages:
    """The stages that `routes.toml` puts beside the table, and puts away again."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        file: Path,
        model: ChatModel,
        model_name: str,
        classifier: Classifier | None,
        metrics: Metrics,
    ) -> None:
        self._dispatcher = dispatcher
        self._file = file
        self._model = model
        self._model_name = model_name
        self._classifier = classifier
        self._metrics = metrics
        self._wanted: AskedModel | None = None
        self._second: ModelStage | None = None
        self._accurate: AccurateStage | None = None

    def read(self) -> Callable[[], None]:
        """Read what the file says; return what takes it into service. Blocking: use a thread.

        Raises:
            SettingsRejected: `[model_stage]` or `[accurate_stage]` is wrong.
        """
        wanted, accurate = load_model_stage(self._file), self._accurate
        if not wants_accurate_stage(self._file):
            accurate = None
        elif accurate is None:
            accurate = open_accurate_stage(self._metrics)
        return partial(self._take, wanted, accurate)

    def close(self) -> None:
        """Give the encoder's thread back."""
        if self._accurate is not None:
            self._accurate.close()

    def _take(self, wanted: AskedModel, accurate: AccurateStage | None) -> None:
        if wanted != self._wanted:
            self._wanted, self._second = wanted, self._second_stage(wanted)
        before, self._accurate = self._accurate, accurate
        self._dispatcher.adopt(accurate, self._second)
        if before is not None and before is not accurate:
            before.close()

    def _second_stage(self, wanted: AskedModel) -> ModelStage | None:
        if not wanted.enabled:
            return None
        return ModelStage(
            self._model,
            wanted.model or self._model_name,
            classifier=self._classifier,
            deadline_s=wanted.deadline_s,
            observer=self._metrics,
        )


@dataclass(frozen=True, slots=True)
class Routing:
    """The dispatcher, the watch that gives its router new tables, and the other stages."""

    dispatcher: Dispatcher
    watch: TableWatch
    stages: Stages


async def open_routing(
    *,
    data_dir: Path,
    directory: Path,
    overrides: OverrideStore,
    model: ChatModel,
    model_name: str,
    classifier: Classifier | None = None,
    metrics: Metrics,
) -> Routing:
    """Load the operator's table, or the shipped one, and what `routes.toml` says of the
    other stages.

    A table in the data directory, where `troupe route train` puts it, comes before one in the
    personas folder.

    Raises:
        SettingsRejected: `[model_stage]` or `[accurate_stage]` is wrong.
    """
    router = await asyncio.to_thread(Router.load)
    dispatcher = Dispatcher(router, overrides=overrides, observer=metrics)
    stages = Stages(dispatcher, directory / PROFILES, model, model_name, classifier, metrics)
    take = await asyncio.to_thread(stages.read)
    take()

    def reloaded(outcome: str, router: Router) -> None:
        metrics.reloaded(outcome)
        metrics.model(digest_of(router), version_of(router))

    watch = TableWatch(router, own_places(data_dir, directory), on_reload=reloaded)
    await watch.look()
    if router.table is None:
        log.error("no route table: the companion answers everything", reason=router.problem)
    metrics.model(digest_of(router), version_of(router))
    return Routing(dispatcher, watch, stages)


def own_places(data_dir: Path, directory: Path) -> list[Path]:
    """Return where tables of an operator may stand, the one that counts most first."""
    own = place_of(data_dir)
    return [own, directory / own.name]


def digest_of(router: Router) -> str:
    """Return the checksum of a router's table; empty without one."""
    return router.table.header.digest if router.table else ""


def version_of(router: Router) -> str:
    """Return the schema and the feature version of a router's table; empty without one."""
    return f"{SCHEMA}.{FEATURE_VERSION}" if router.table else ""
