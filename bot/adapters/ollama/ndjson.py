"""Lines of a streamed answer.

Split on `\\n` alone: U+0085 and U+2028 may stand raw within a reply's text, and line splitters
that know them cut the JSON in two.
"""

from __future__ import annotations

import asyncio
from collections import deque
from math import inf

from aiohttp import StreamReader

from bot.errors import StreamBroken

MAX_LINE = 4 * 1024 * 1024
"""Bytes. A line holds a token, or with log-probabilities a few kilobytes."""
MAX_STREAM = 64 * 1024 * 1024
"""Bytes of one answer."""
_TICK = 0.001
"""Seconds by which the event loop's timers may be early."""


class LineReader:
    """Reads lines from a response body, without the line ends and without blank lines."""

    def __init__(self, content: StreamReader, *, max_line: int = MAX_LINE) -> None:
        self._content = content
        self._max_line = max_line
        self._lines: deque[bytes] = deque()
        self._rest = bytearray()
        self._total = 0
        self._until = inf
        """When the wait that is under way ends; `inf` while there is none."""
        self._timer: asyncio.TimerHandle | None = None
        self._due = inf

    def close(self) -> None:
        """Nothing will be read any more."""
        if self._timer is not None:
            self._timer.cancel()

    def pop(self) -> bytes | None:
        """Return a line that is already here: most of a fast stream needs no waiting."""
        return self._lines.popleft() if self._lines else None

    def put_back(self, line: bytes) -> None:
        """Let the next line be this one, which was just popped."""
        self._lines.appendleft(line)

    async def next(self, until: float) -> bytes | None:
        """Return the next line; None at the end of the body. `until` is loop time.

        Raises:
            TimeoutError: nothing came in time.
            StreamBroken: the host sent more than any answer has.
            aiohttp.ClientError: the connection broke.
        """
        lines = self._lines
        while not lines:
            chunk = self._content.read_nowait()
            if not chunk:
                if self._content.at_eof():
                    return self._last()
                chunk = await self._within(until)
            self._feed(chunk)
        return lines.popleft()

    async def _within(self, until: float) -> bytes:
        """Wait for more until then. One timer serves a whole stream: `asyncio.timeout` makes one
        for each token, which was a twentieth of an answer's CPU."""
        self._until = until
        if until < self._due:
            self.close()
            self._due = until
            self._timer = asyncio.get_running_loop().call_at(until, self._look_at_the_time)
        try:
            return await self._wait()
        finally:
            self._until = inf

    def _look_at_the_time(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer, self._due = None, inf
        if self._until <= loop.time() + _TICK:
            self._content.set_exception(TimeoutError("nothing came in time"))
        elif self._until < inf:
            self._due = self._until
            self._timer = loop.call_at(self._until, self._look_at_the_time)

    @property
    def ended(self) -> bool:
        """Whether the whole body was read, so that the connection can be used again."""
        return self._content.at_eof()

    async def drain(self, seconds: float) -> None:
        """Read up to the end of the body, for at most `seconds`. Raises as `next`."""
        async with asyncio.timeout(seconds):
            while not self._content.at_eof():
                self._feed(await self._wait())

    async def _wait(self) -> bytes:
        try:
            return await self._content.readany()
        except RuntimeError as error:
            # aiohttp's word for a connection that we closed ourselves: the pool goes down.
            raise StreamBroken("the connection was closed") from error

    def _feed(self, chunk: bytes) -> None:
        self._total += len(chunk)
        if b"\n" in chunk:
            first, *others = chunk.split(b"\n")
            self._rest += first
            self._lines.extend(
                line for line in (bytes(self._rest), *others[:-1]) if line and not line.isspace()
            )
            self._rest = bytearray(others[-1])
        else:
            self._rest += chunk
        if len(self._rest) > self._max_line or self._total > MAX_STREAM:
            raise StreamBroken("the host sent a line, or an answer, beyond any measure")

    def _last(self) -> bytes | None:
        rest, self._rest = bytes(self._rest), bytearray()
        return rest if rest.strip() else None
