"""A client whose commands travel together: what is asked for at the same moment is one pipeline.

A turn asks for several things at once, and turns run side by side. Each command by itself costs
a connection taken and given back, a task, a write and a read; in one pipeline they share these.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

from redis.asyncio import Redis

AT_ONCE = 64
"""Commands in one pipeline; what comes then begins the next one, on another connection."""

_Asked: TypeAlias = tuple[tuple[Any, ...], dict[str, Any], asyncio.Future[Any]]
"""A command, its options, and where its answer goes."""


class Together(Redis):
    """Gathers commands for one turn of the event loop. No command may block in the server."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._gathering: list[_Asked] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Return the answer to one command; see `Redis`."""
        batch = self._gathering
        leads = batch is None or len(batch) >= AT_ONCE
        if batch is None or leads:
            batch = self._gathering = []
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        batch.append((args, options, answer))
        if leads and await self._alone(batch):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py
        return await answer

    async def _alone(self, batch: list[_Asked]) -> bool:
        """Wait a moment for others. When there are some, the batch is on its way: False."""
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._send(batch[1:])
            raise
        finally:
            if self._gathering is batch:
                self._gathering = None
        if len(batch) == 1:
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
        pipeline = self.pipeline(transaction=False)
        for args, options, _ in batch:
            pipeline.execute_command(*args, **options)
        try:
            answers = await pipeline.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001  # every command's owner is to hear of it
            answers = [error] * len(batch)
        for (_, _, asked), answer in zip(batch, answers, strict=True):
            if asked.done():
                continue
            if isinstance(answer, Exception):
                asked.set_exception(answer)
            else:
                asked.set_result(answer)
