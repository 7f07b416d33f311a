"""Questions to one host, for start-up checks, the doctor and pickers; no pool needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.adapters.ollama.http import call_json, new_session
from bot.errors import BackendError, BackendUnavailable

SECONDS = 10.0
MAX_MODELS = 1000
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a host has. `size` is in bytes."""

    name: str
    size: int
    digest: str
    family: str
    parameters: str
    quantization: str


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What `/api/show` says. `context_length` and `embedding_length` are 0 when unknown."""

    name: str
    capabilities: tuple[str, ...]
    context_length: int
    embedding_length: int
    family: str
    info: Mapping[str, Any]
    """The model's metadata; with `verbose` its tokenizer's vocabulary and merges too."""


async def answers(base: str, headers: Mapping[str, str], timeout: float = 2.0) -> bool:
    """Return whether an Ollama answers at `base` within `timeout` seconds. Never raises."""
    try:
        found = await _ask(base, headers, "GET", "/api/version", timeout=timeout)
    except BackendError:
        return False
    return isinstance(found.get("version"), str)


async def version(base: str, headers: Mapping[str, str]) -> str:
    """Return the host's version. Raises BackendError."""
    found = await _ask(base, headers, "GET", "/api/version")
    return _text(found.get("version"))


async def list_models(base: str, headers: Mapping[str, str]) -> tuple[ModelInfo, ...]:
    """Return the models that the host has. Raises BackendError."""
    return _models(await _ask(base, headers, "GET", "/api/tags"), base)


async def loaded(base: str, headers: Mapping[str, str]) -> tuple[ModelInfo, ...]:
    """Return the models that are in the host's memory. Raises BackendError."""
    return _models(await _ask(base, headers, "GET", "/api/ps"), base)


async def show(
    base: str, model: str, headers: Mapping[str, str], *, verbose: bool = False
) -> ModelDetails:
    """Return what the host knows of a model.

    Raises:
        ModelMissing: the host does not have it.
        BackendError: anything else.
    """
    body: dict[str, Any] = {"model": model}
    if verbose:
        body["verbose"] = True
    seconds = 6 * SECONDS if verbose else SECONDS
    found = await _ask(base, headers, "POST", "/api/show", body, model=model, timeout=seconds)
    info, details = found.get("model_info"), found.get("details")
    info = info if isinstance(info, dict) else {}
    details = details if isinstance(details, dict) else {}
    capabilities = found.get("capabilities")
    return ModelDetails(
        name=model,
        capabilities=tuple(_text(one) for one in capabilities[:32])
        if isinstance(capabilities, list)
        else (),
        context_length=_count(info, ".context_length"),
        embedding_length=_count(info, ".embedding_length"),
        family=_text(details.get("family")),
        info=info,
    )


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


def _models(found: Mapping[str, Any], base: str) -> tuple[ModelInfo, ...]:
    models = found.get("models")
    if models is None:
        return ()
    if not isinstance(models, list):
        raise BackendUnavailable("the list of models is no list", backend=base)
    return tuple(_model(one) for one in models[:MAX_MODELS] if isinstance(one, dict))


def _model(one: Mapping[str, Any]) -> ModelInfo:
    details = one.get("details")
    details = details if isinstance(details, dict) else {}
    size = one.get("size")
    return ModelInfo(
        name=_text(one.get("name")),
        size=size if isinstance(size, int) else 0,
        digest=_text(one.get("digest")),
        family=_text(details.get("family")),
        parameters=_text(details.get("parameter_size")),
        quantization=_text(details.get("quantization_level")),
    )


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _count(info: Mapping[str, Any], ending: str) -> int:
    found = (value for key, value in info.items() if str(key).endswith(ending))
    return next((value for value in found if isinstance(value, int)), 0)
