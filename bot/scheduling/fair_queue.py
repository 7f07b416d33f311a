"""The fair queue in front of the backends: slots for turns, granted in the turnstile's order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.errors import Busy
from bot.scheduling.line import Urgency, Waiter
from bot.scheduling.turnstile import Turnstile

TELL_AFTER = 3.0
"""Seconds after which somebody who waits is told their place."""
TELL_EVERY = 10.0
"""Seconds after which they are told again, if it has changed."""

Told = Callable[[int, float], None]
"""Is told the place in the queue, from 1, and the seconds to wait that are expected."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A granted slot. `waited` is in seconds."""

    waited: float


class FairQueue:
    """Grants at most `capacity()` slots at once.

    `capacity` is asked at every grant: hosts come and go. At most `limit` turns wait; `weight`
    tells a guild's share.
    """

    def __init__(
        self,
        capacity: Callable[[], int],
        *,
        limit: int = 500,
        weight: Callable[[Hashable], float] = lambda _: 1.0,
        turned_away: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`turned_away` hears why somebody gets no slot: `full`, `displaced` or `late`."""
        self._capacity = capacity
        self._turned_away = turned_away
        self._stile = Turnstile(limit=limit, weight=weight)
        self._ready: dict[Waiter, asyncio.Future[None]] = {}

    @property
    def depth(self) -> int:
        """How many turns wait."""
        return self._stile.waiting

    @property
    def running(self) -> int:
        """How many slots are in use."""
        return self._stile.running

    @asynccontextmanager
    async def slot(
        self,
        person: Hashable,
        guild: Hashable,
        *,
        timeout: float,
        urgency: Urgency = Urgency.DIRECT,
        told: Told | None = None,
    ) -> AsyncIterator[Slot]:
        """Hold a slot for the block, after waiting at most `timeout` seconds for it.

        Cancelling the wait leaves the queue at once. `told` hears the place while it waits.

        Raises:
            Busy: the queue is full, or the wait is expected to be, or was, longer than `timeout`;
                or somebody with a better claim took the place.
        """
        loop = asyncio.get_running_loop()
        asked = loop.time()
        waiter = Waiter(guild, person, urgency)
        await self._enter(waiter, timeout, told)
        began = loop.time()
        try:
            yield Slot(began - asked)
        finally:
            now = loop.time()
            self._stile.over(waiter, now - began, now)
            self.wake()

    async def _enter(self, waiter: Waiter, timeout: float, told: Told | None) -> None:
        """Wait for a slot."""
        ready = asyncio.get_running_loop().create_future()
        victim = self._stile.enter(waiter)
        if victim is waiter:
            raise self._busy(self.depth + 1, "full")
        if victim is not None:
            self._displace(victim)
        self._ready[waiter] = ready
        self.wake()
        if ready.done():
            return
        capacity = self._capacity()
        if self._stile.wait_at(self.depth, capacity) > timeout:  # at worst; the exact place is dear
            place = self._stile.place(waiter)
            if self._stile.wait_at(place, capacity) > timeout:
                self._leave(waiter, ready)
                raise self._busy(place, "late")
        try:
            async with asyncio.timeout(timeout):
                pause, known = TELL_AFTER, 0
                while not (await asyncio.wait((ready,), timeout=pause))[0]:
                    standing = self._stile.place(waiter)
                    if told is not None and standing != known:
                        told(standing, self._stile.wait_at(standing, self._capacity()))
                    pause, known = TELL_EVERY, standing
        except TimeoutError:
            if not ready.done():
                place = self._stile.place(waiter)
                self._leave(waiter, ready)
                raise self._busy(place, "late") from None
        except BaseException:  # mostly a cancellation: the place, or the slot, is given on
            self._leave(waiter, ready)
            raise
        ready.result()  # raises what `_displace` has set

    def wake(self) -> None:
        """Grant what can be granted; call it when the capacity has grown."""
        loop = asyncio.get_running_loop()
        while (waiter := self._stile.admit(self._capacity(), loop.time())) is not None:
            self._ready.pop(waiter).set_result(None)

    def _displace(self, victim: Waiter) -> None:
        ready = self._ready.pop(victim)
        ready.set_exception(self._busy(self.depth + 1, "displaced"))
        ready.exception()  # seen: whoever waits may have been cancelled in the same instant

    def _leave(self, waiter: Waiter, ready: asyncio.Future[None]) -> None:
        """Take a waiter out, or give its slot on if it was granted in the same instant."""
        self._ready.pop(waiter, None)
        if not ready.done():
            self._stile.leave(waiter)
        elif ready.exception() is None:
            self._stile.over(waiter, None, asyncio.get_running_loop().time())
            self.wake()

    def _busy(self, place: int, reason: str) -> Busy:
        self._turned_away(reason)
        expected = self._stile.wait_at(place, self._capacity())
        seconds = max(5, round(expected / 5) * 5)
        return Busy(
            "I'm busy: you would be number {place} in the queue. Please try again "
            "in about {seconds} seconds.",
            place=place,
            seconds=seconds,
            retry_after=float(seconds),
        )
