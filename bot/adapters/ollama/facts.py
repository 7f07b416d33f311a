"""What a host says of a model while somebody waits: never raises, never waits long."""

from __future__ import annotations

import aiohttp
import structlog

from bot.adapters.ollama.health import names_of
from bot.adapters.ollama.host import Host, tagged
from bot.adapters.ollama.http import call_json
from bot.errors import BackendError

log = structlog.get_logger(__name__)

SECONDS = 2.0
VISION = "vision"
"""The capability of models that take pictures."""


async def sees(session: aiohttp.ClientSession, host: Host, model: str) -> bool | None:
    """Whether a model takes pictures, by what its host says of it; remembered. None: unknown."""
    known = host.capabilities.get(tagged(model))
    if known is None:
        try:
            found = await call_json(
                session,
                "POST",
                host.base,
                "/api/show",
                {"model": model},
                timeout=SECONDS,
                model=model,
            )
        except BackendError as error:
            log.info("model facts not read", backend=host.base, error=str(error))
            return None
        listed = found.get("capabilities")
        known = frozenset(map(str, listed[:32] if isinstance(listed, list) else ()))
        host.learn(model, known)
    return VISION in known


async def is_loaded(session: aiohttp.ClientSession, host: Host, model: str) -> bool:
    """Whether a host has a model in memory by now; by its last list when it does not say."""
    try:
        found = await call_json(session, "GET", host.base, "/api/ps", timeout=SECONDS)
    except BackendError:
        return tagged(model) in host.loaded
    host.loaded = names_of(found)
    return tagged(model) in host.loaded
