"""What is done on a sink though nobody is left to tell should Discord refuse it."""

from __future__ import annotations

from collections.abc import Awaitable

import structlog

from bot.errors import DeliveryError

log = structlog.get_logger(__name__)


async def quietly(effect: Awaitable[object]) -> bool:
    """Await an effect on a sink. False when Discord refuses."""
    try:
        await effect
    except DeliveryError as error:
        log_undelivered(error)
        return False
    return True


def log_undelivered(error: DeliveryError) -> None:
    """Say why something was not delivered."""
    log.warning("not delivered", kind=type(error).__name__, reason=str(error))
