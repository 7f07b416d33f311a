"""Opening the router with everything that bears on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.ports import ChatModel, Classifier
from bot.routing.accurate import AccurateStage, EncoderObserver, load_accurate_stage
from bot.routing.dispatch import Dispatcher, OverrideStore, RouteObserver
from bot.routing.features import FEATURE_VERSION
from bot.routing.model_stage import ModelStage, StageObserver, load_model_stage
from bot.routing.promotion import place_of
from bot.routing.router import Router
from bot.routing.table import SCHEMA
from bot.routing.watch import TableWatch

PROFILES = "routes.toml"


class Metrics(RouteObserver, StageObserver, EncoderObserver, Protocol):
    """What is told about decisions, the other stages, and tables."""

    def reloaded(self, outcome: str) -> None:
        """Count a new table: `loaded` or `refused`."""
        ...

    def model(self, digest: str, version: str) -> None:
        """Note the checksum of the table in service, and of which version it is."""
        ...


@dataclass(frozen=True, slots=True)
class Routing:
    """The dispatcher, and the watch that gives its router new tables."""

    dispatcher: Dispatcher
    watch: TableWatch
    accurate: AccurateStage | None

    def close(self) -> None:
        """Give the encoder's thread back."""
        if self.accurate is not None:
            self.accurate.close()


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
    stage = await asyncio.to_thread(load_model_stage, directory / PROFILES)
    second = None
    if stage.enabled:
        name = stage.model or model_name
        second = ModelStage(
            model,
            name,
            classifier=classifier,
            deadline_s=stage.deadline_s,
            observer=metrics,
        )

    accurate = await asyncio.to_thread(load_accurate_stage, directory / PROFILES, metrics)

    def reloaded(outcome: str, router: Router) -> None:
        metrics.reloaded(outcome)
        metrics.model(digest_of(router), version_of(router))

    places = [place_of(data_dir), directory / place_of(data_dir).name]
    watch = TableWatch(router, places, on_reload=reloaded)
    await watch.look()
    metrics.model(digest_of(router), version_of(router))
    dispatcher = Dispatcher(
        router, overrides=overrides, accurate=accurate, second=second, observer=metrics
    )
    return Routing(dispatcher, watch, accurate)


def digest_of(router: Router) -> str:
    """Return the checksum of a router's table; empty without one."""
    return router.table.header.digest if router.table else ""


def version_of(router: Router) -> str:
    """Return the schema and the feature version of a router's table; empty without one."""
    return f"{SCHEMA}.{FEATURE_VERSION}" if router.table else ""
