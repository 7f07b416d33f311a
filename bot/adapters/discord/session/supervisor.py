"""Keeps one client for each shard alive.

An exception in discord.py's event parser ends `Client.start` while its socket may stay open: a
client that nobody watches goes deaf. So each is watched from outside, and replaced rather than
repaired.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import discord
import structlog

from bot.adapters.discord.session.client import TroupeBot
from bot.adapters.discord.session.outages import outage_in, tell_in_one_line
from bot.errors import SettingsRejected

log = structlog.get_logger(__name__)

DEAF_AFTER: Final = 100.0
"""Seconds without event or heartbeat answer; Discord asks for a heartbeat every 41 s."""
_LOOK_EVERY: Final = 5.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
_WELL_AFTER: Final = 300.0
"""Seconds of life after which the pauses begin anew."""
DISCONNECTED_WITHIN: Final = 10.0

_FATAL_CODES: Final = {
    4004: "DISCORD_TOKEN: Discord does not accept it; make a new one in the developer portal",
    4010: "DISCORD_SHARD_IDS: Discord does not accept the shard",
    4011: "DISCORD_SHARD_COUNT: the bot is in too many guilds for so few shards",
    4013: "DISCORD_MESSAGE_CONTENT_INTENT: Discord does not know an intent",
    4014: "DISCORD_MESSAGE_CONTENT_INTENT: switch the intent on in the developer portal, or set "
    "this to false",
}


class IdentifyBudget:
    """Spaces IDENTIFYs: one in five seconds, and never near Discord's 1,000 a day, at which it
    resets the token."""

    def __init__(self, *, spacing: float = 5.0, daily: int = 800) -> None:
        self._spacing = spacing
        self._times: deque[float] = deque(maxlen=daily)
        self._lock = asyncio.Lock()

    async def wait(self) -> None:
        """Wait until another IDENTIFY is allowed, and count it."""
        async with self._lock:
            loop = asyncio.get_running_loop()
            if self._times:
                due = self._times[-1] + self._spacing
                if len(self._times) == self._times.maxlen:
                    due = max(due, self._times[0] + 86_400.0)
                    log.error("identify budget spent", wait=round(due - loop.time()))
                await asyncio.sleep(max(0.0, due - loop.time()))
            self._times.append(loop.time())


@dataclass(frozen=True, slots=True)
class ShardHealth:
    """How one shard is. Seconds; `heard_age` since the last event or heartbeat answer."""

    shard: int
    connected: bool
    heard_age: float | None
    latency: float | None
    restarts: int


class Supervisor:
    """Runs the shards of this process."""

    def __init__(
        self,
        make: Callable[[int], TroupeBot],
        token: str,
        shards: Sequence[int],
        *,
        deaf_after: float = DEAF_AFTER,
        look_every: float = _LOOK_EVERY,
        first_pause: float = _FIRST_PAUSE,
    ) -> None:
        """`make` builds the client of a shard."""
        self._make = make
        self._token = token
        self._clients: dict[int, TroupeBot | None] = dict.fromkeys(shards)
        self._restarts = dict.fromkeys(shards, 0)
        self._deaf_after = deaf_after
        self._look_every = look_every
        self._first_pause = first_pause
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Keep every shard connected until `stop`.

        Raises:
            SettingsRejected: Discord refuses what no retry can change.
        """
        tell_in_one_line()
        try:
            async with asyncio.TaskGroup() as group:
                for shard in self._clients:
                    group.create_task(self._keep(shard), name=f"discord-shard-{shard}")
        except* SettingsRejected as rejected:
            raise SettingsRejected(_problems(rejected)) from None

    async def stop(self, timeout: float = DISCONNECTED_WITHIN) -> None:
        """Let event handlers end within `timeout` seconds, and disconnect; all shards at once, for
        whoever ends the program does not wait longer where there are more of them."""
        self._stopping.set()
        await asyncio.gather(*(_end(client, timeout) for client in self.clients))

    @property
    def clients(self) -> tuple[TroupeBot, ...]:
        """Return the clients that are there at present."""
        return tuple(client for client in self._clients.values() if client is not None)

    def health(self) -> tuple[ShardHealth, ...]:
        """Return how each shard is."""
        return tuple(
            self._health_of(shard, client) for shard, client in sorted(self._clients.items())
        )

    def _health_of(self, shard: int, client: TroupeBot | None) -> ShardHealth:
        restarts = self._restarts[shard]
        if client is None:
            return ShardHealth(shard, False, None, None, restarts)
        age, latency = client.heard_age(), client.latency
        connected = client.is_connected() and age < self._deaf_after
        known = latency if 0 <= latency < float("inf") else None
        return ShardHealth(shard, connected, age, known, restarts)

    async def _keep(self, shard: int) -> None:
        loop = asyncio.get_running_loop()
        pause = self._first_pause
        while not self._stopping.is_set():
            began = loop.time()
            client = self._clients[shard] = self._make(shard)
            try:
                await self._watch(client)
            finally:
                self._clients[shard] = None
                await _close(client)
            if self._stopping.is_set():
                return
            if loop.time() - began > _WELL_AFTER:
                pause = self._first_pause
            self._restarts[shard] += 1
            await self._pause(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _watch(self, client: TroupeBot) -> None:
        """Run a client until it ends, goes deaf, or everything stops."""
        running = asyncio.create_task(client.start(self._token), name="discord-client")
        stopping = asyncio.create_task(self._stopping.wait(), name="discord-stopping")
        try:
            while True:
                done, _ = await asyncio.wait(
                    (running, stopping),
                    timeout=self._look_every,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if running in done:
                    _say_why(running)
                    return
                if stopping in done:
                    return
                if client.heard_age() > self._deaf_after:
                    log.error("gateway deaf", shard=client.shard_id, seconds=client.heard_age())
                    return
        finally:
            stopping.cancel()
            running.cancel()
            await asyncio.gather(running, stopping, return_exceptions=True)


async def _end(client: TroupeBot, timeout: float) -> None:
    await client.drain(timeout)
    await _close(client)


async def _close(client: TroupeBot) -> None:
    """Close a client, however broken it is."""
    try:
        async with asyncio.timeout(DISCONNECTED_WITHIN):
            await client.close()
    except Exception as error:  # noqa: BLE001  # a broken client may fail in any way; it is done
        log.warning("client not closed", reason=type(error).__name__)


def _say_why(running: asyncio.Task[None]) -> None:
    """Log why a client ended; raise if starting it again can't help."""
    error = None if running.cancelled() else running.exception()
    if error is None:
        log.warning("client ended")
        return
    problem = _fatal(error)
    if problem is not None:
        raise SettingsRejected([problem])
    if (kind := outage_in(error)) is not None:
        log.warning("Discord away: a new session is tried", kind=kind)
        return
    log.error("client died", kind=type(error).__name__, exc_info=error)


def _fatal(error: BaseException) -> str | None:
    """Return the line for the operator if no retry can help."""
    if isinstance(error, discord.LoginFailure):
        return _FATAL_CODES[4004]
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return _FATAL_CODES[4014]
    if isinstance(error, discord.ConnectionClosed):
        return _FATAL_CODES.get(error.code)
    return None


def _problems(group: BaseExceptionGroup[SettingsRejected]) -> list[str]:
    """Return the lines of all shards, each once."""
    lines: dict[str, None] = {}
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            lines.update(dict.fromkeys(_problems(error)))
        else:
            lines.update(dict.fromkeys(error.problems))
    return list(lines)
