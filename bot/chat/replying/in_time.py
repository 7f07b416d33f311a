"""Answers that can be given by the token of a command or a press alone, while it is good."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bot.chat.turn import Turn
from bot.errors import UserFacing
from bot.ports import Clock

TOKEN_LASTS: Final = 870.0
"""Seconds: half a minute less than Discord's quarter of an hour, so that its person can be told."""


@asynccontextmanager
async def in_time(turn: Turn, clock: Clock) -> AsyncIterator[None]:
    """Give the block up in time where only the token reaches its person.

    Raises:
        UserFacing: it was given up.
    """
    if not turn.by_token:
        yield
        return
    left = turn.messages[-1].at + TOKEN_LASTS - clock.now()
    bound = asyncio.timeout(max(0.0, left))
    try:
        async with bound:
            yield
    except TimeoutError as error:
        if not bound.expired():
            raise
        raise UserFacing(
            "That took longer than Discord lets me answer here. Please ask again."
        ) from error
