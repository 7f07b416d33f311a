"""Writes that outlast an outage of the store, for a reply that its reader has seen already."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from bot.errors import StoreError

log = structlog.get_logger(__name__)

T = TypeVar("T")

PAUSES: Final = (0.5, 1.0, *([2.0] * 300))
"""Seconds between tries: ten minutes, after which a successor would not take the turn up either."""


async def once_back(step: Callable[[], Awaitable[T]]) -> T:
    """Return what a step returns, begun anew while the store is away.

    Raises:
        StoreError: it stayed away too long.
    """
    for pause in PAUSES:
        try:
            return await step()
        except StoreError as error:
            if type(error) is not StoreError:
                raise  # no outage: it would be the same once more
            log.debug("waiting for the store", reason=str(error))
        await asyncio.sleep(pause)
    return await step()
