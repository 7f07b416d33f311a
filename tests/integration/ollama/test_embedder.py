"""Texts to vectors, and questions to one host."""

from __future__ import annotations

import math

import pytest

from bot.adapters.ollama import OllamaEmbedder, answers, model_info, model_names
from bot.errors import BackendError, BackendStalled, ModelMissing, RequestRejected
from tests.fakes import PATIENCE
from tests.fakes.ollama import FakeOllama
from tests.integration.ollama.conftest import PoolOf


def cosine(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    return sum(a * b for a, b in zip(one, two, strict=True))


async def test_like_texts_have_like_vectors(ollama: FakeOllama, pool_of: PoolOf) -> None:
    embedder = OllamaEmbedder(await pool_of(ollama), "embeddinggemma")

    found = await embedder.embed(["I love tea", "I really love tea", "tax law"], timeout=PATIENCE)

    tea, more_tea, tax = found.vectors
    assert found.space == "embeddinggemma@768"
    assert all(math.isclose(cosine(v, v), 1.0, rel_tol=1e-6) for v in found.vectors)
    assert cosine(tea, more_tea) > cosine(tea, tax)


async def test_dimensions_are_part_of_the_space(ollama: FakeOllama, pool_of: PoolOf) -> None:
    embedder = OllamaEmbedder(await pool_of(ollama), "embeddinggemma", 256)

    found = await embedder.embed(["tea"], timeout=PATIENCE)

    assert (found.space, len(found.vectors[0])) == ("embeddinggemma@256", 256)


async def test_many_texts_go_in_batches_and_keep_their_order(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    embedder = OllamaEmbedder(await pool_of(ollama), "embeddinggemma", 32)
    texts = [f"text number {n}" for n in range(150)]

    found = await embedder.embed(texts, timeout=PATIENCE)
    alone = await embedder.embed([texts[149]], timeout=PATIENCE)

    assert len(found.vectors) == 150
    assert found.vectors[149] == alone.vectors[0]
    assert [len(record.body["input"]) for record in ollama.requests] == [64, 64, 22, 1]


async def test_no_text_needs_no_host(ollama: FakeOllama, pool_of: PoolOf) -> None:
    embedder = OllamaEmbedder(await pool_of(ollama), "embeddinggemma")
    assert (await embedder.embed([], timeout=PATIENCE)).vectors == ()


async def test_a_text_that_is_no_unicode_is_still_embedded(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    embedder = OllamaEmbedder(await pool_of(ollama), "embeddinggemma")
    assert len((await embedder.embed(["bad \ud800 text"], timeout=PATIENCE)).vectors) == 1


async def test_a_slow_host_meets_the_timeout(ollama: FakeOllama, pool_of: PoolOf) -> None:
    embedder = OllamaEmbedder(await pool_of(ollama), "embeddinggemma")
    ollama.fail_next("slow", path="/api/embed", seconds=30)

    with pytest.raises(BackendStalled):
        await embedder.embed(["tea"], timeout=0.15)
    await ollama.until(lambda: ollama.cancelled == 1)


async def test_another_host_embeds_when_one_fails(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf
) -> None:
    embedder = OllamaEmbedder(await pool_of(ollama, other), "embeddinggemma")
    ollama.fail_next("error", path="/api/embed", times=-1)
    for _ in range(3):
        assert (await embedder.embed(["tea"], timeout=PATIENCE)).vectors


async def test_a_chat_model_does_not_embed(ollama: FakeOllama, pool_of: PoolOf) -> None:
    embedder = OllamaEmbedder(await pool_of(ollama), "llama3.2:3b")
    with pytest.raises(RequestRejected, match="does not support embeddings"):
        await embedder.embed(["tea"], timeout=PATIENCE)


async def test_answers_is_a_plain_yes_or_no(ollama: FakeOllama) -> None:
    assert await answers(ollama.url, {})
    ollama.fail_next("garbage", path="/api/version")
    assert not await answers(ollama.url, {})
    ollama.fail_next("slow", path="/api/version", seconds=30)
    assert not await answers(ollama.url, {}, timeout=0.1)
    await ollama.stop()
    assert not await answers(ollama.url, {})
    assert not await answers("http://not a url", {})


async def test_a_host_can_be_asked_what_it_has(ollama: FakeOllama, pool_of: PoolOf) -> None:
    await (await pool_of(ollama)).warm("llama3.2:3b")

    names = await model_names(ollama.url + "/", {})
    info = await model_info(ollama.url, "llama3.2:3b", {})
    verbose = await model_info(ollama.url, "llama3.2:3b", {}, verbose=True)

    assert names == ("llama3.2:3b", "embeddinggemma:latest", "llama-guard3:1b")
    assert not info.get("tokenizer.ggml.tokens")
    assert verbose["tokenizer.ggml.tokens"]


async def test_questions_fail_with_our_errors(ollama: FakeOllama) -> None:
    with pytest.raises(ModelMissing):
        await model_info(ollama.url, "nobody", {})
    ollama.fail_next("html", path="/api/tags")
    with pytest.raises(BackendError, match="not Ollama"):
        await model_names(ollama.url, {})
    await ollama.stop()
    with pytest.raises(BackendError):
        await model_names(ollama.url, {})
