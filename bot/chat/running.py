"""A turn under way, and what may end it from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.chat.place import MessageId
from bot.chat.turn import Turn
from bot.ports import Face, Progress, ReplySink


class Ending(StrEnum):
    """Why a running turn was stopped from outside."""

    MERGED = "merged"
    DELETED = "deleted"
    STOPPED = "stopped"
    RESTART = "restart"
    LOST = "lost"


class SinkFactory(Protocol):
    """Opens the place where a turn's reply becomes visible."""

    def open(
        self,
        turn: Turn,
        face: Face,
        progress: Progress | None,
        on_progress: Callable[[Progress], None],
    ) -> ReplySink: ...


@dataclass(slots=True, eq=False)
class Running:
    """A turn under way."""

    turn: Turn
    began: float
    progress: Progress | None = None
    after: asyncio.Task[None] | None = None
    quiet: float = 0.0
    task: asyncio.Task[None] | None = None
    sink: ReplySink | None = None
    started: bool = False
    visible: bool = False
    ending: Ending | None = None
    shown: str = ""
    notes: set[asyncio.Task[None]] = field(default_factory=set)


class WatchedSink:
    """A sink that tells the running turn when something became visible."""

    def __init__(self, sink: ReplySink, run: Running) -> None:
        self._sink = sink
        self._run = run

    def begin(self) -> None:
        self._sink.begin()

    def show(self, text: str) -> None:
        self._run.visible, self._run.shown = True, text
        self._sink.show(text)

    async def finish(self, text: str) -> tuple[MessageId, ...]:
        self._run.visible, self._run.shown = True, text
        return await self._sink.finish(text)

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        return await self._sink.notice(text)

    async def withdraw(self) -> None:
        await self._sink.withdraw()
