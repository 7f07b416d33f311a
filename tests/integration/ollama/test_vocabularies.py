"""What hosts know of their models' vocabularies reaches the estimator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.opening import vocabularies
from bot.opening.vocabularies import Vocabularies
from bot.prompting import TokenEstimator
from bot.prompting.vocabulary import _BYTES, available
from tests.fakes import PATIENCE
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama.catalogue import FakeModel

GREEK = "Η τιμή έχει σωστή μορφή"


@asynccontextmanager
async def learning(estimator: TokenEstimator, model: FakeModel) -> AsyncIterator[None]:
    async with FakeOllama(models=[model]) as host:
        words = Vocabularies(estimator, ["http://127.0.0.1:9", host.url], {})
        task = asyncio.create_task(words.run())
        try:
            yield
        finally:
            task.cancel()


async def until_it_differs(estimator: TokenEstimator, model: str, before: int) -> int:
    async with asyncio.timeout(PATIENCE):
        while (now := estimator.estimate(GREEK, model)) == before:
            await asyncio.sleep(0.02)
    return now


async def test_a_small_vocabulary_is_learnt_before_the_first_reply() -> None:
    estimator = TokenEstimator()
    before = estimator.estimate(GREEK, "old:7b")
    async with learning(estimator, FakeModel("old:7b", vocabulary_size=32_000)):
        assert await until_it_differs(estimator, "old:7b", before) > before * 1.5


async def test_it_is_learnt_also_after_the_hosts_were_away_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vocabularies, "EVERY", 0.0)
    estimator, model = TokenEstimator(), FakeModel("old:7b", vocabulary_size=32_000)
    before = estimator.estimate(GREEK, "old:7b")
    async with FakeOllama(models=[model]) as host:
        away = 2 * (vocabularies.TRIES + 1)  # each is asked a second time
        host.fail_next("abort", path="/api/show", times=away)
        task = asyncio.create_task(Vocabularies(estimator, [host.url], {}).run())
        assert await until_it_differs(estimator, "old:7b", before) > before
        task.cancel()


@pytest.mark.skipif(not available(), reason="the extra is not installed")
async def test_with_the_extra_tokens_are_counted_by_the_model_s_own_vocabulary() -> None:
    estimator = TokenEstimator()
    before = estimator.estimate(GREEK, "new:7b")
    model = FakeModel("new:7b", vocabulary=tuple(sorted(_BYTES)), merges=("Ã Ã",))
    async with learning(estimator, model):
        # No merge applies: each byte is a token.
        assert await until_it_differs(estimator, "new:7b", before) == len(GREEK.encode())
