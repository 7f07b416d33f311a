"""Typed classification over `/v1/systemone`, which newer servers have for models made for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from bot.adapters.ollama.pool import OllamaPool
from bot.adapters.ollama.wire import FOREVER
from bot.errors import BackendError, BackendUnavailable, NotOffered, RequestRejected
from bot.ports import Choices

log = structlog.get_logger(__name__)

PATH: Final = "/v1/systemone"
MAX_BYTES: Final = 64 * 1024
"""Bytes of an answer: a few numbers and names."""
ROUNDING: Final = 0.02
"""How far the probabilities' sum may be from one."""
_QUESTION: Final = "route"


class OllamaClassifier:
    """Implements `ports.Classifier`. A host that lacks it is not asked for that model again,
    until its version is another."""

    def __init__(self, pool: OllamaPool) -> None:
        self._pool = pool
        self._lacking: dict[tuple[str, str], str | None] = {}
        """By host and model: the version that could not."""

    async def shares(self, choices: Choices, *, timeout: float) -> Mapping[str, float] | None:
        """Return a probability for each choice; None where no host offers it. See `ports`."""
        until = asyncio.get_running_loop().time() + timeout
        while (hosts := self._able(choices.model)) and (
            left := until - asyncio.get_running_loop().time()
        ) > 0:
            try:
                answer, base = await self._pool.call_one(
                    PATH,
                    _body(choices),
                    model=choices.model,
                    timeout=left,
                    among=hosts,
                    most=MAX_BYTES,
                )
            except (NotOffered, RequestRejected) as error:
                if error.backend not in hosts:
                    raise
                self._lacking[error.backend, choices.model] = hosts[error.backend]
                log.info("typed choice not taken", backend=error.backend, model=choices.model)
                continue
            return shares_of(answer, list(choices.criteria), base)
        return None

    def _able(self, model: str) -> dict[str, str | None]:
        """Return the hosts, with their versions, that are not known to lack it for the model."""
        absent = object()
        return {
            host.url: host.version
            for host in self._pool.status()
            if self._lacking.get((host.url, model), absent) != host.version
        }


def _body(choices: Choices) -> dict[str, Any]:
    question = {
        "type": "choice",
        "instructions": choices.instructions,
        "criteria": dict(choices.criteria),
    }
    return {
        "model": choices.model,
        # Lone surrogates have no UTF-8 form and would be refused as invalid JSON.
        "state": choices.text.encode("utf-8", "replace").decode(),
        "questions": {_QUESTION: question},
        "keep_alive": FOREVER,
    }


def shares_of(answer: Mapping[str, Any], names: Sequence[str], base: str) -> dict[str, float]:
    """Return the probabilities of exactly these choices, brought to a sum of one.

    Raises:
        BackendError: the answer is anything else.
    """
    answers = answer.get("answers")
    found = answers.get(_QUESTION) if isinstance(answers, dict) else None
    if not isinstance(found, dict) or found.get("type") != "choice":
        raise _unusable("no answer of a choice", base)
    given = found.get("probabilities")
    if not isinstance(given, dict) or set(given) != set(names) or found.get("choice") not in names:
        raise _unusable("other choices than were asked", base)
    if not all(type(given[name]) in (int, float) for name in names):
        raise _unusable("probabilities that are no numbers", base)
    sane = all(0.0 <= given[name] <= 1.0 for name in names)
    total = math.fsum(given.values()) if sane else 0.0
    if abs(total - 1.0) > ROUNDING:
        raise _unusable("numbers that are no probabilities", base)
    return {name: given[name] / total for name in names}


def _unusable(what: str, base: str) -> BackendError:
    return BackendUnavailable(f"{PATH}: {what}", backend=base)
