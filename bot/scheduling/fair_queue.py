"""A fair queue in front of the backends.

Slots go round by guild, and within a guild by person, so that neither a busy server nor a busy
person makes others wait for more than its share (start-time fair queueing, Goyal et al. 1996,
with one unit of service a turn).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.errors import Busy

_SMOOTHING = 0.2
"""Weight of the newest turn in the mean duration that waits are estimated from."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A granted slot. `waited` is in seconds; `place` is where in the queue it stood, from 0."""

    waited: float
    place: int


@dataclass(slots=True, eq=False)
class _Waiter:
    ready: asyncio.Future[None]
    guild: Hashable
    person: Hashable


@dataclass(slots=True)
class _Flow:
    """The waiting turns of one guild, by person, and the service it has had."""

    served: float = 0.0
    people: dict[Hashable, deque[_Waiter]] = field(default_factory=dict)


class FairQueue:
    """Grants at most `capacity()` slots at once.

    `capacity` is asked at every grant: hosts come and go. At most `limit` turns wait.
    """

    def __init__(self, capacity: Callable[[], int], *, limit: int = 500) -> None:
        self._capacity = capacity
        self._limit = limit
        self._running = 0
        self._flows: dict[Hashable, _Flow] = {}
        self._waiting = 0
        self._virtual = 0.0
        self._mean = 0.0
        """Seconds that a slot was held, lately; 0 until the first one is over."""

    @property
    def depth(self) -> int:
        """How many turns wait."""
        return self._waiting

    @property
    def running(self) -> int:
        """How many slots are in use."""
        return self._running

    @asynccontextmanager
    async def slot(
        self, person: Hashable, guild: Hashable, *, timeout: float
    ) -> AsyncIterator[Slot]:
        """Hold a slot for the block, after waiting at most `timeout` seconds for it.

        Raises:
            Busy: the queue is full, or the wait is expected to be, or was, longer than `timeout`.
        """
        loop = asyncio.get_running_loop()
        asked = loop.time()
        place = await self._enter(person, guild, timeout)
        began = loop.time()
        try:
            yield Slot(began - asked, place)
        finally:
            held = loop.time() - began
            self._mean += _SMOOTHING * (held - self._mean) if self._mean else held
            self._running -= 1
            self.wake()

    async def _enter(self, person: Hashable, guild: Hashable, timeout: float) -> int:
        capacity = max(1, self._capacity())
        if self._running < capacity and not self._waiting:
            self._running += 1
            return 0
        place = self._waiting + 1
        expected = self._mean * place / capacity
        if self._waiting >= self._limit or expected > timeout:
            raise self._busy(place, expected)
        waiter = _Waiter(asyncio.get_running_loop().create_future(), guild, person)
        self._add(waiter)
        self.wake()
        try:
            async with asyncio.timeout(timeout):
                await waiter.ready
        except TimeoutError:
            self._leave(waiter)
            raise self._busy(place, self._mean) from None
        except asyncio.CancelledError:
            self._leave(waiter)
            raise
        return place

    def _add(self, waiter: _Waiter) -> None:
        flow = self._flows.get(waiter.guild)
        if flow is None:
            # A newcomer starts at the present: idle time earns no credit.
            flow = self._flows[waiter.guild] = _Flow(served=self._virtual)
        flow.people.setdefault(waiter.person, deque()).append(waiter)
        self._waiting += 1

    def _leave(self, waiter: _Waiter) -> None:
        """Take a waiter out, or give its slot on if it was granted in the same instant."""
        if waiter.ready.done() and not waiter.ready.cancelled():
            self._running -= 1
            self.wake()
            return
        flow = self._flows.get(waiter.guild)
        line = flow.people.get(waiter.person) if flow else None
        if flow is not None and line is not None and waiter in line:
            line.remove(waiter)
            self._waiting -= 1
            self._tidy(waiter, flow)

    def _tidy(self, waiter: _Waiter, flow: _Flow) -> None:
        if not flow.people[waiter.person]:
            del flow.people[waiter.person]
        if not flow.people:
            del self._flows[waiter.guild]

    def wake(self) -> None:
        """Grant what can be granted; call it when the capacity has grown."""
        while self._waiting and self._running < max(1, self._capacity()):
            flow = min(self._flows.values(), key=lambda each: each.served)
            self._virtual = max(self._virtual, flow.served)
            flow.served += 1.0
            person, line = next(iter(flow.people.items()))
            waiter = line.popleft()
            # The person goes to the end of their guild's round.
            flow.people[person] = flow.people.pop(person)
            self._tidy(waiter, flow)
            self._waiting -= 1
            if not waiter.ready.done():
                self._running += 1
                waiter.ready.set_result(None)

    @staticmethod
    def _busy(place: int, expected: float) -> Busy:
        seconds = max(5, round(expected / 5) * 5)
        return Busy(
            "I'm busy: you would be number {place} in the queue. Please try again "
            "in about {seconds} seconds.",
            place=place,
            seconds=seconds,
            retry_after=float(seconds),
        )
