"""Typed classification, over a real socket: newer servers have it, others are asked once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import ollama
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.ollama import OllamaClassifier, OllamaPool
from bot.adapters.ollama.classifier import MAX_BYTES, shares_of
from bot.errors import BackendError, BackendStalled
from bot.ports import Choices
from tests.fakes import PATIENCE
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama.catalogue import FakeModel
from tests.integration.pools import pool_over

MODEL = "sorter:1b"
NAMES = ["factual", "creative", "companion"]
CHOICES = Choices(MODEL, "the message \ud800", "sort it", dict.fromkeys(NAMES, "some kind"))


@pytest.fixture
async def host() -> AsyncIterator[FakeOllama]:
    models: list[str | FakeModel] = [FakeModel(MODEL, ("completion", "systemone")), "llama3.2:3b"]
    async with FakeOllama(models) as fake:
        fake.leaning = {"companion": 0.7}
        yield fake


@pytest.fixture
async def pool(host: FakeOllama) -> AsyncIterator[OllamaPool]:
    async with pool_over(host.url) as found:
        yield found


async def test_a_newer_server_gives_each_choice_a_share(pool: OllamaPool, host: FakeOllama) -> None:
    shares = await OllamaClassifier(pool).shares(CHOICES, timeout=PATIENCE)
    assert shares == pytest.approx({"factual": 0.15, "creative": 0.15, "companion": 0.7})
    question = host.requests[-1].body["questions"]["route"]
    assert (question["type"], list(question["criteria"])) == ("choice", NAMES)


async def test_the_official_client_finds_the_fake_to_be_what_it_expects(host: FakeOllama) -> None:
    client = ollama.AsyncClient(host=host.url)
    question = {"type": "choice", "instructions": "sort it", "criteria": {"a": None, "b": None}}
    host.leaning = {"b": 0.9}
    try:
        found = await client.systemone(MODEL, "a text", {"q": question})
        assert found.answers["q"].type == "choice"
        assert found.answers["q"].probabilities == pytest.approx({"a": 0.1, "b": 0.9})
        with pytest.raises(ollama.ResponseError, match="does not support") as refused:
            await client.systemone("llama3.2:3b", "a text", {"q": question})
        assert refused.value.status_code == 400
        host.leaning = None
        with pytest.raises(ollama.ResponseError) as missing:
            await client.systemone(MODEL, "a text", {"q": question})
        assert missing.value.status_code == 404
    finally:
        await client.close()


async def test_an_older_server_is_asked_once_until_it_is_a_newer_one(
    pool: OllamaPool, host: FakeOllama
) -> None:
    classifier = OllamaClassifier(pool)
    host.leaning = None
    for _ in range(3):
        assert await classifier.shares(CHOICES, timeout=PATIENCE) is None
    assert [each.path for each in host.requests] == []
    host.leaning, host.version = {"creative": 0.8}, "9.0.0"
    async with asyncio.timeout(PATIENCE):
        while pool.status()[0].version != "9.0.0":
            await asyncio.sleep(0.05)
    assert await classifier.shares(CHOICES, timeout=PATIENCE) is not None


async def test_a_model_that_is_not_made_for_it_is_remembered_alone(
    pool: OllamaPool, host: FakeOllama
) -> None:
    classifier = OllamaClassifier(pool)
    other = Choices("llama3.2:3b", "hm", "sort it", CHOICES.criteria)
    assert await classifier.shares(other, timeout=PATIENCE) is None
    assert await classifier.shares(other, timeout=PATIENCE) is None
    assert len(host.requests) == 1
    assert await classifier.shares(CHOICES, timeout=PATIENCE) is not None


async def test_a_second_host_that_has_it_is_found(host: FakeOllama) -> None:
    older = FakeOllama([FakeModel(MODEL, ("completion",))])
    async with older, pool_over(older.url, host.url) as pool:
        assert await OllamaClassifier(pool).shares(CHOICES, timeout=PATIENCE) is not None


@pytest.mark.parametrize("kind", ["error", "html", "garbage", "abort"])
async def test_a_failure_is_told_and_does_not_last(
    kind: str, pool: OllamaPool, host: FakeOllama
) -> None:
    classifier = OllamaClassifier(pool)
    host.fail_next(kind, path="/v1/systemone", times=2 if kind == "abort" else 1)
    with pytest.raises(BackendError):
        await classifier.shares(CHOICES, timeout=PATIENCE)
    assert await classifier.shares(CHOICES, timeout=PATIENCE) is not None


async def test_a_host_that_does_not_answer_costs_the_deadline(
    pool: OllamaPool, host: FakeOllama
) -> None:
    host.fail_next("slow", seconds=5.0, path="/v1/systemone")
    with pytest.raises(BackendStalled):
        await OllamaClassifier(pool).shares(CHOICES, timeout=0.1)


async def test_an_answer_without_end_is_cut(pool: OllamaPool, host: FakeOllama) -> None:
    name = "x" * (2 * MAX_BYTES)
    huge = Choices(MODEL, "hm", "sort it", {"a": "", name: ""})
    assert await OllamaClassifier(pool).shares(huge, timeout=PATIENCE) is None


def answer(probabilities: Any, choice: Any = "factual", kind: Any = "choice") -> Mapping[str, Any]:
    found = {"type": kind, "choice": choice, "probabilities": probabilities, "confidence": 0.5}
    return {"answers": {"route": found}}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"answers": []},
        {"answers": {"route": None}},
        {"answers": {"other": {}}},
        answer({"factual": 0.5, "creative": 0.3, "companion": 0.2}, kind="score"),
        answer({"factual": 0.5, "creative": 0.3, "companion": 0.2}, choice="chat"),
        answer({"factual": 0.5, "creative": 0.3, "companion": 0.2}, choice=["factual"]),
        answer({"factual": 0.5, "creative": 0.5}),
        answer({"factual": 0.5, "creative": 0.3, "chat": 0.2}),
        answer({"factual": 0.5, "creative": 0.3, "companion": 0.1, "chat": 0.1}),
        answer({"factual": 0.9, "creative": 0.9, "companion": 0.9}),
        answer({"factual": 1.5, "creative": -0.25, "companion": -0.25}),
        answer({"factual": float("nan"), "creative": 0.5, "companion": 0.5}),
        answer({"factual": float("inf"), "creative": 0.5, "companion": 0.5}),
        answer({"factual": True, "creative": False, "companion": False}),
        answer({"factual": "1", "creative": 0, "companion": 0}),
        answer({"factual": 10**400, "creative": 0, "companion": 0}),
        answer([0.5, 0.3, 0.2]),
    ],
)
def test_what_is_no_distribution_over_our_choices_is_refused(given: Mapping[str, Any]) -> None:
    with pytest.raises(BackendError):
        shares_of(given, NAMES, "http://host")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["answers", "route", "probabilities", *NAMES]), inner)
        ),
        max_leaves=12,
    )
)
def test_any_json_is_refused_or_a_distribution(value: Any) -> None:
    try:
        shares = shares_of({"answers": {"route": value}}, NAMES, "http://host")
    except BackendError:
        return
    assert sum(shares.values()) == pytest.approx(1.0)
