"""Questions to one host, for start-up checks, the doctor and pickers; no pool needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.adapters.ollama.http import call_json, new_session
from bot.errors import BackendError, BackendUnavailable

SECONDS = 10.0
MAX_MODELS = 1000
MAX_NAME = 200


async def answers(base: str, headers: Mapping[str, str], timeout: float = 2.0) -> bool:
    """Return whether an Ollama answers at `base` within `timeout` seconds. Never raises."""
    try:
        found = await _ask(base, headers, "GET", "/api/version", timeout=timeout)
    except BackendError:
        return False
    return isinstance(found.get("version"), str)


async def model_names(base: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the models that the host has. Raises BackendError."""
    found = (await _ask(base, headers, "GET", "/api/tags")).get("models")
    if found is None:
        return ()
    if not isinstance(found, list):
        raise BackendUnavailable("the list of models is no list", backend=base)
    names = (one.get("name") for one in found[:MAX_MODELS] if isinstance(one, dict))
    return tuple(name[:MAX_NAME] for name in names if isinstance(name, str))


async def model_info(
    base: str, model: str, headers: Mapping[str, str], *, verbose: bool = False
) -> Mapping[str, Any]:
    """Return a model's metadata; with `verbose` its tokenizer's vocabulary and merges too.

    Raises:
        ModelMissing: the host does not have it.
        BackendError: anything else.
    """
    body: dict[str, Any] = {"model": model}
    if verbose:
        body["verbose"] = True
    seconds = 6 * SECONDS if verbose else SECONDS
    found = await _ask(base, headers, "POST", "/api/show", body, model=model, timeout=seconds)
    info = found.get("model_info")
    return info if isinstance(info, dict) else {}


async def _ask(
    base: str,
    headers: Mapping[str, str],
    method: str,
    path: str,
    body: Any = None,
    *,
    model: str = "",
    timeout: float = SECONDS,
) -> dict[str, Any]:
    async with new_session(headers) as session:
        return await call_json(
            session, method, base.rstrip("/"), path, body, timeout=timeout, model=model
        )
