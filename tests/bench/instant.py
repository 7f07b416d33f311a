"""Turns a second through one process: real Redis, real Ollama protocol, no Discord limits.

The intake, journal, pipeline, stream reader and stores are the product's; only the delivery is
replaced, by a sink that takes every text at once.
"""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from bot import footprint
from bot.app import Troupe, open_troupe
from bot.chat.accounts import Accounts
from bot.chat.intake import Intake
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId, snowflake_at
from bot.chat.preparing.looking_up import ask
from bot.chat.runner import TurnRunner
from bot.chat.running import Amended
from bot.chat.turn import Message, Speaker, Trigger, Turn
from bot.ports import Controls, Face, Progress
from bot.settings import (
    CoreSettings,
    DiscordSettings,
    OllamaSettings,
    OpsSettings,
    PlaySettings,
    RedisSettings,
    Settings,
)
from tests.bench.crowd import QUESTIONS
from tests.bench.table import Figures
from tests.bench.world import ollama_process


class _Taken:
    """A sink that takes every text at once."""

    def __init__(self, turn: Turn, done: Callable[[], None]) -> None:
        self._turn = turn
        self._done = done

    def begin(self) -> None:
        pass

    def wait(self, line: str) -> None:
        pass

    def ready(self) -> bool:
        return True

    def show(self, text: str) -> None:
        pass

    async def finish(self, text: str, controls: Controls | None = None) -> tuple[MessageId, ...]:
        self._done()
        return (MessageId(self._turn.messages[0].id + 1),)

    async def notice(self, text: str) -> tuple[MessageId, ...]:
        return ()

    async def withdraw(self) -> None:
        pass


class _Sinks:
    def __init__(self) -> None:
        self.finished = 0

    def open(
        self,
        turn: Turn,
        face: Face,
        progress: Progress | None,
        on_progress: Callable[[Progress], None],
        ours: Callable[[], Awaitable[bool]],
    ) -> _Taken:
        return _Taken(turn, self._count)

    async def amend(self, turn: Turn, face: Face, noted: Progress, amended: Amended) -> bool:
        return False

    def _count(self) -> None:
        self.finished += 1


def _intake(troupe: Troupe, sinks: _Sinks) -> Intake:
    runner = TurnRunner(
        pipeline=troupe.pipeline,
        journal=troupe.stores.journal,
        conversations=troupe.stores.conversations,
        casting=troupe.casting,
        sinks=sinks,
        accounts=Accounts(),
        metrics=troupe.metrics,
        clock=troupe.clock,
        own_face=Face("", "Troupe"),
    )
    return Intake(
        runner=runner,
        journal=troupe.stores.journal,
        conversations=troupe.stores.conversations,
        casting=troupe.casting,
        metrics=troupe.metrics,
        clock=troupe.clock,
        ask=partial(ask, troupe.parts),
    )


def _message(number: int) -> Message:
    at = time.time()
    ident = MessageId(snowflake_at(at) | (number & 0x3FFFFF))
    place = Place(ChannelId(1000 + number % 200), GuildId(1 + number % 20))
    speaker = Speaker(UserId(5000 + number), f"person {number}")
    return Message(ident, place, speaker, QUESTIONS[number % len(QUESTIONS)], at, mentions_us=True)


def _settings(folder: Path, ollama: str) -> Settings:
    return Settings(
        discord=DiscordSettings(),
        ollama=OllamaSettings(hosts=ollama, num_parallel=128),  # type: ignore[arg-type]  # split
        redis=RedisSettings(),
        ops=OpsSettings(),
        play=PlaySettings(),
        core=CoreSettings(data_dir=folder),
    )


async def instant(turns: int = 2000, at_once: int = 64) -> Figures:
    """Keep `at_once` turns under way until `turns` are done."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="troupe-bench-"))
        ollama = await stack.enter_async_context(ollama_process(None, 40, 128))
        troupe = await open_troupe(_settings(Path(folder), ollama), stack)
        footprint.settle()
        sinks = _Sinks()
        intake = _intake(troupe, sinks)
        slots = asyncio.Semaphore(at_once)

        async def one(number: int) -> None:
            async with slots:
                message = _message(number)
                await intake.receive(message, Trigger.MENTION)
                turns = intake.running(message.place)
                while turns:  # not looked for every few milliseconds: that would be measured too
                    await intake.ended(turns[0].id)
                    turns = intake.running(message.place)

        await asyncio.gather(*(one(number) for number in range(200)))
        sinks.finished = 0
        before, began = _cpu(), time.monotonic()
        await asyncio.gather(*(one(200 + number) for number in range(turns)))
        seconds, cpu = time.monotonic() - began, _cpu() - before
        return {
            "turns": sinks.finished,
            "turns a second": sinks.finished / seconds,
            "CPU per turn ms": 1000 * cpu / turns,
        }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
