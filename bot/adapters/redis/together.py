"""A client whose commands travel together: what is asked for at the same moment is one pipeline.

A turn asks for several things at once, and turns run side by side. Each command by itself costs
a connection taken and given back, a task, a write and a read; in one pipeline they share these.
redis-py's own pipeline takes twice the CPU: it also counts, prepares field sets and watches keys,
packs commands in Python, and has a clock run for each answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.commands.core import AsyncDataAccessCommands
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

AT_ONCE = 64
"""Commands in one pipeline; what comes then begins the next one, on another connection."""
KEPT = 8
"""Connections that pipelines hand on to each other: by way of the pool it takes a quarter more."""

_Command: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]
"""A command and its options."""
_Asked: TypeAlias = tuple[tuple[Any, ...], dict[str, Any], asyncio.Future[Any]]
"""The same, and where its answer goes."""


class Together(Redis):
    """Gathers commands for one turn of the event loop. No command may block in the server."""

    most_kept = KEPT

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: list[AbstractConnection] = []
        self._gathering: list[_Asked] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Return the answer to one command; see `Redis`."""
        (answer,) = await self._ask([(args, options)])
        return await answer

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Any:
        """Return what takes several commands at once; without a transaction a light one."""
        return super().pipeline(transaction, shard_hint) if transaction else Several(self)  # type: ignore[abstract]  # redis-py

    async def several(self, commands: Sequence[_Command]) -> list[Any]:
        """Return the answers to commands that take effect in this order.

        Raises:
            ResponseError: the first one that a command was answered with.
        """
        asked = await self._ask(commands)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers

    async def _ask(self, commands: Sequence[_Command]) -> list[asyncio.Future[Any]]:
        """Let commands go out, all on one connection, with what others ask for meanwhile."""
        batch = self._gathering
        leads = batch is None or len(batch) + len(commands) > AT_ONCE
        if batch is None or leads:
            batch = self._gathering = []
        loop = asyncio.get_running_loop()
        own: list[_Asked] = [(args, options, loop.create_future()) for args, options in commands]
        batch += own
        if leads and await self._alone(batch, len(own)):
            await self._exchange(batch)
        return [answer for _, _, answer in own]

    async def _alone(self, batch: list[_Asked], own: int) -> bool:
        """Wait a moment for others. When there are some, the batch is on its way: False."""
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._send(batch[own:])
            raise
        finally:
            if self._gathering is batch:
                self._gathering = None
        if len(batch) == own:
            return True
        self._send(batch)
        return False

    def _send(self, batch: list[_Asked]) -> None:
        if batch:
            # A task of its own: who asked may be cancelled, the others still want their answers.
            task = asyncio.create_task(self._exchange(batch), name="redis pipeline")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _exchange(self, batch: list[_Asked]) -> None:
        try:
            connection = await self._take()
            try:
                answers = await connection.retry.call_with_retry(
                    lambda: self._answers(connection, batch), lambda _: connection.disconnect()
                )
            finally:
                await self._give(connection)
        except Exception as error:  # noqa: BLE001  # every command's owner is to hear of it
            answers = [error] * len(batch)
        for (_, _, asked), answer in zip(batch, answers, strict=True):
            if asked.done():
                continue
            if isinstance(answer, Exception):
                asked.set_exception(answer)
            else:
                asked.set_result(answer)

    async def _take(self) -> AbstractConnection:
        """Return a connection: one that was kept, if there is any."""
        if not self._kept:
            taken: AbstractConnection = await self.connection_pool.get_connection()  # type: ignore[no-untyped-call]  # redis-py
            return taken
        connection = self._kept.pop()
        with contextlib.suppress(RedisConnectionError):  # it is closed already
            if connection.is_connected and await connection.can_read():
                await connection.disconnect()  # the server closed it; sending opens it again
        return connection

    async def _give(self, connection: AbstractConnection) -> None:
        if len(self._kept) < self.most_kept:
            self._kept.append(connection)
        else:
            await self.connection_pool.release(connection)

    async def _answers(self, connection: AbstractConnection, batch: Sequence[_Asked]) -> list[Any]:
        """Send the commands in one write, and return the answer to each, or its error.

        All are read, whatever they are: who uses the connection next gets their own. The time
        that the connection gives each of them is given to all.
        """
        patience, connection.socket_timeout = connection.socket_timeout, None
        try:
            async with asyncio.timeout(patience):
                await connection.send_packed_command(
                    b"".join(_packed(args) for args, _, _ in batch)
                )
                return [await self._answer(connection, args, more) for args, more, _ in batch]
        except TimeoutError:
            await connection.disconnect(nowait=True)
            raise RedisTimeoutError("no answer in time") from None
        finally:
            connection.socket_timeout = patience

    async def _answer(self, connection: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Return the next answer, or the error with which the server answered."""
        try:
            return await self.parse_response(connection, args[0], **options)
        except ResponseError as error:
            return error


class Several(AsyncDataAccessCommands):
    """Takes commands as a client does, and sends them when they are executed."""

    def __init__(self, client: Together) -> None:
        self._client = client
        self._commands: list[_Command] = []

    def __len__(self) -> int:
        return len(self._commands)

    def execute_command(self, *args: Any, **options: Any) -> None:
        """Take a command; its answer is one of those that `execute` returns."""
        self._commands.append((args, options))

    async def execute(self) -> list[Any]:
        """Send the commands, and return their answers; see `Together.several`."""
        return await self._client.several(self._commands) if self._commands else []


def _packed(args: tuple[Any, ...]) -> bytes:
    """Return a command as it is sent. Some of redis-py's have two words, such as `CLIENT LIST`."""
    packed: bytes = hiredis.pack_command((*args[0].split(), *args[1:]))
    return packed
