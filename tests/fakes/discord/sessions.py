"""Gateway sessions: numbered events, a buffer to replay, and one connection at a time."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from aiohttp import web

BUFFERED_EVENTS = 5000
RESUME_SECONDS = 180.0

GUILDS, GUILD_MEMBERS, GUILD_WEBHOOKS = 1 << 0, 1 << 1, 1 << 5
GUILD_MESSAGES, GUILD_REACTIONS, GUILD_TYPING = 1 << 9, 1 << 10, 1 << 11
DM_MESSAGES, DM_REACTIONS, DM_TYPING = 1 << 12, 1 << 13, 1 << 14
MESSAGE_CONTENT = 1 << 15
PRIVILEGED = GUILD_MEMBERS | 1 << 8 | MESSAGE_CONTENT


class _Compressor(Protocol):
    def pack(self, text: str) -> bytes: ...


class _Zlib:
    def __init__(self) -> None:
        self._stream = zlib.compressobj(level=1)

    def pack(self, text: str) -> bytes:
        return self._stream.compress(text.encode()) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class _Zstd:
    def __init__(self) -> None:
        # A client asks for zstd only where the module is installed.
        zstandard = import_module("zstandard")
        self._flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        self._stream = zstandard.ZstdCompressor(level=1).compressobj()

    def pack(self, text: str) -> bytes:
        packed: bytes = self._stream.compress(text.encode()) + self._stream.flush(self._flush)
        return packed


class Connection:
    """A websocket with an outgoing queue, so that dispatching never waits."""

    def __init__(self, request: web.BaseRequest, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.left = False
        self._request = request
        self._queue: deque[str] = deque()
        self._ready = asyncio.Event()
        compress = request.query.get("compress")
        self._compressor: _Compressor | None = None
        if compress == "zlib-stream":
            self._compressor = _Zlib()
        elif compress == "zstd-stream":
            self._compressor = _Zstd()

    def send(self, text: str) -> None:
        """Queue a payload."""
        self._queue.append(text)
        self._ready.set()

    def send_op(self, op: int, data: Any = None) -> None:
        """Queue a payload that is no event."""
        self.send(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def abort(self) -> None:
        """Cut the TCP connection, with no closing frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def write(self) -> None:
        """Send what is queued until cancelled or the connection breaks."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._queue:
                text = self._queue.popleft()
                try:
                    if self._compressor:
                        await self.socket.send_bytes(self._compressor.pack(text))
                    else:
                        await self.socket.send_str(text)
                except ConnectionError:
                    return


@dataclass(slots=True, eq=False)
class Session:
    """One IDENTIFY and what followed."""

    id: str
    shard: tuple[int, int]
    intents: int
    connection: Connection | None = None
    sequence: int = 0
    buffer: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=BUFFERED_EVENTS))
    detached_at: float = 0.0
    again: list[tuple[str, str]] = field(default_factory=list)
    """Events to repeat on the next RESUME: name and body."""

    def owns(self, guild_id: int | None) -> bool:
        """Whether a guild, or direct messages (None), belong to this shard."""
        shard, count = self.shard
        return (guild_id >> 22) % count == shard if guild_id is not None else shard == 0

    def dispatch(self, event: str, body: str) -> None:
        """Number an event, keep it for a replay, and send it if connected."""
        self.sequence += 1
        text = f'{{"op":0,"t":"{event}","s":{self.sequence},"d":{body}}}'
        self.buffer.append((self.sequence, text))
        if self.connection is not None:
            self.connection.send(text)

    def can_resume(self, sequence: int) -> bool:
        """Whether everything after `sequence` is still here."""
        if sequence > self.sequence:
            return False
        if self.detached_at and time.monotonic() - self.detached_at > RESUME_SECONDS:
            return False
        return sequence == self.sequence or bool(self.buffer and self.buffer[0][0] <= sequence + 1)

    def resume(self, connection: Connection, sequence: int) -> None:
        """Go on with a new connection: replay, repeat what was asked for, RESUMED."""
        self.connection, self.detached_at = connection, 0.0
        for number, text in self.buffer:
            if number > sequence:
                connection.send(text)
        repeated, self.again = self.again, []
        for event, body in repeated:
            self.dispatch(event, body)
        self.dispatch("RESUMED", "{}")
