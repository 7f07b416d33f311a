"""What guilds have set, held in memory: read once, and anew when somebody changed it.

Each change gets a number; every process asks each second or two what changed since the last
number it saw. That needs no connection of its own, and misses nothing over a lost one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from bot.adapters.redis.connect import Client
from bot.adapters.redis.scripts import Script
from bot.errors import StoreError
from bot.recent import Recent

POLL_S: Final = 1.5
"""How often to ask for changes, in seconds."""
FRESH_S: Final = 300.0
"""A guild is read anew after this long, should a change have missed its number (a process that
died between the two writes)."""
GUILDS: Final = 5000
"""Guilds held in memory; the least recently used goes first."""
CHANGES: Final = 500
"""Owners that one answer names; who missed more reads everything anew."""

CHANGED: Final = Script("changed")
CHANGES_SINCE: Final = Script("changes_since")

T = TypeVar("T")


class Followed(Generic[T]):
    """Values by owner, a guild id or `dm<channel>`; cached once `start` has been called."""

    def __init__(
        self,
        redis: Client,
        *,
        sequence: str,
        changes: str,
        read: Callable[[str], Awaitable[T]],
        poll_s: float = POLL_S,
    ) -> None:
        """`sequence` and `changes` are the keys of the numbers; `read` asks Redis."""
        self._redis = redis
        self._names = [sequence, changes]
        self._read = read
        self._poll_s = poll_s
        self._held = Recent[str, tuple[float, T]](GUILDS)
        self._seen = 0
        self._epoch = 0
        self._poll: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Hold values in memory from now on, and follow changes until `close`.

        Raises:
            StoreError: Redis is away.
        """
        await self._follow()
        if self._poll is None:
            name = f"follow {self._names[1]}"
            self._poll = asyncio.create_task(self._keep_following(), name=name)

    async def close(self) -> None:
        """Stop following changes."""
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.gather(self._poll, return_exceptions=True)
            self._poll = None
        self._held.clear()

    async def get(self, owner: str) -> T:
        """Return an owner's value; from memory once it was read."""
        held = self._held.get(owner)
        if held is not None and time.monotonic() - held[0] < FRESH_S:
            self._held.move_to_end(owner)
            return held[1]
        epoch = self._epoch
        value = await self._read(owner)
        if self._poll is not None and epoch == self._epoch:  # nothing changed while Redis answered
            self._held[owner] = (time.monotonic(), value)
        return value

    async def announce(self, owner: str) -> None:
        """Tell everybody, ourselves first, that an owner's value has changed."""
        self._forget([owner])
        await CHANGED.run(self._redis, self._names, [owner])

    def _forget(self, owners: Sequence[str]) -> None:
        self._epoch += 1
        for owner in owners:
            self._held.pop(owner, None)

    async def _keep_following(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            # While Redis is away what is held stays good; the next answer names what changed.
            with contextlib.suppress(StoreError):
                await self._follow()

    async def _follow(self) -> None:
        answer = await CHANGES_SINCE.run(self._redis, self._names, [self._seen, CHANGES])
        number, owners = int(answer[0]), answer[1:]
        if number < self._seen or len(owners) > CHANGES:  # another database, or far behind
            self._epoch += 1
            self._held.clear()
        elif owners:
            self._forget([owner.decode("ascii", "replace") for owner in owners])
        self._seen = number
