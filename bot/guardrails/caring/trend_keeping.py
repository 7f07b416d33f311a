"""Trends beside the turn: read ahead with the conversation, written while the model is asked."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.chat.place import GuildId, UserId
from bot.chat.turn import Turn
from bot.errors import StoreError
from bot.guardrails.caring.risk import ELSEWHERE, PLAIN, TrendStore, seen_from, where_of

log = structlog.get_logger(__name__)

FRESH = 2.0
"""Seconds for which numbers that were read ahead may be used."""
A_MOMENT = 0.02
"""Seconds before numbers are written: the turn's request to the model goes out first."""
AHEAD = 500
"""How many are held for that."""

Key = tuple[UserId, str]


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What was read ahead of a person in a place. `at` is monotonic seconds."""

    where: str
    at: float
    numbers: Mapping[str, float]


class TrendsBeside:
    """A trend store that keeps nobody waiting. Who reads meanwhile sees what is being written."""

    def __init__(self, store: TrendStore, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._newest: dict[Key, Mapping[str, float]] = {}
        self._writing: dict[Key, asyncio.Task[None]] = {}
        self._ahead: OrderedDict[UserId, _Ahead] = OrderedDict()

    async def foresee(self, turn: Turn) -> None:
        """Read ahead what `load` will be asked for. Never raises."""
        person, where = turn.speaker.id, where_of(turn.place)
        if self._being_written(person):
            return
        try:
            numbers = await self._store.load(person, where)
        except StoreError:
            return  # `load` will meet it too
        if self._being_written(person):
            return  # in whatever place: what was read may be old by now
        self._ahead[person] = _Ahead(where, self._monotonic(), numbers)
        while len(self._ahead) > AHEAD:
            self._ahead.popitem(last=False)

    def let_go(self, turn: Turn) -> None:
        """Drop what was read ahead for a turn that does not begin."""
        self._ahead.pop(turn.speaker.id, None)

    async def load(self, person: UserId, where: str) -> Mapping[str, float]:
        """Return the newest numbers; see `TrendStore`. What was read ahead serves until something
        is saved: the router and the guardrails ask for the same."""
        key = (person, where)
        ahead = self._ahead.get(person)
        if key in self._newest:
            numbers = self._newest[key]
        elif ahead and ahead.where == where and self._monotonic() - ahead.at < FRESH:
            numbers = ahead.numbers
        else:
            numbers = await self._store.load(person, where)
        return self._with_newest(person, where, numbers)

    def _with_newest(
        self, person: UserId, where: str, numbers: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Return numbers as they are seen with what is being written of other places."""
        others = [n for (who, place), n in self._newest.items() if who == person and place != where]
        known = {PLAIN: numbers.get(ELSEWHERE, 0.0)}
        return seen_from(numbers, (known, *others)) if others else numbers

    def _being_written(self, person: UserId) -> bool:
        return any(who == person for who, _ in self._newest)

    async def save(self, person: UserId, where: str, numbers: Mapping[str, float]) -> None:
        """Take the numbers; they are written in a moment. A failure is logged."""
        key = (person, where)
        self._newest[key] = numbers
        self._ahead.pop(person, None)
        if key not in self._writing:
            self._writing[key] = asyncio.create_task(self._write(key), name="trend")

    async def claim(self, person: UserId, where: str, turn: str) -> bool:
        """See `TrendStore`: every process has to know, so that this is waited for."""
        return await self._store.claim(person, where, turn)

    async def delete_guild(self, guild: GuildId) -> int:
        """Let what is being written of a guild arrive, so that the store can forget it."""
        writing = [task for key, task in self._writing.items() if key[1] == str(guild)]
        if writing:
            await asyncio.wait(writing)
        return len(writing)

    async def close(self) -> None:
        """Wait until everything is written."""
        if self._writing:
            await asyncio.wait(self._writing.values(), timeout=5)

    async def _write(self, key: Key) -> None:
        try:
            await asyncio.sleep(A_MOMENT)
            written = None
            while self._newest[key] is not written:
                written = self._newest[key]
                await self._store.save(*key, written)
        except StoreError:
            log.warning("risk trend not kept")
        finally:
            del self._newest[key], self._writing[key]
