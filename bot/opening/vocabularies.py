"""Learns from the hosts how the models in use count tokens, before they say so themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from bot.adapters.ollama import model_info
from bot.errors import BackendError, BackendUnreachable
from bot.prompting import TokenEstimator
from bot.prompting.tokens import SMALL_VOCABULARY
from bot.prompting.vocabulary import available, exact_counter

EVERY = 20.0
"""Seconds between two looks for a model that nothing is known of."""
TRIES = 5
"""Looks at which a host answered, but not with the model's vocabulary."""

log = structlog.get_logger(__name__)


class Vocabularies:
    """Asks for each model that prompts were made for, once.

    With the `tokenizers` extra the estimator counts by the model's own vocabulary from then on;
    without it, it learns at least whether the vocabulary is a small one.
    """

    def __init__(
        self, estimator: TokenEstimator, bases: Sequence[str], headers: Mapping[str, str]
    ) -> None:
        self._estimator = estimator
        self._bases = tuple(bases)
        self._headers = headers
        self._tries: dict[str, int] = {}

    async def run(self) -> None:
        """Look for models to ask about, for ever."""
        while True:
            for model in self._estimator.met:
                if self._tries.get(model, 0) < TRIES:
                    await self._learn(model)
            await asyncio.sleep(EVERY)

    async def _learn(self, model: str) -> None:
        answered = False
        for base in self._bases:
            try:
                info = await model_info(base, model, self._headers, verbose=available())
            except BackendUnreachable:
                continue  # it may be back by the next look, however long that takes
            except BackendError as error:
                answered = True
                log.info("vocabulary unknown", model=model, reason=str(error))
                continue
            self._tries[model] = TRIES
            await self._take(model, info)
            return
        self._tries[model] = self._tries.get(model, 0) + answered

    async def _take(self, model: str, info: Mapping[str, Any]) -> None:
        if _entries(info) in range(1, SMALL_VOCABULARY):
            self._estimator.expect_small(model)
        count = await asyncio.to_thread(exact_counter, {"model_info": info})
        if count is not None:
            self._estimator.teach(model, count)
            log.info("tokens are counted exactly", model=model)


def _entries(info: Mapping[str, Any]) -> int:
    """Return the size of a model's vocabulary; 0 when it does not say."""
    sizes = (value for key, value in info.items() if str(key).endswith(".vocab_size"))
    return next((size for size in sizes if isinstance(size, int)), 0)
