"""The model's second opinion, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from bot.adapters.ollama import OllamaClassifier, OllamaPool
from bot.chat.place import ChannelId, Place, UserId
from bot.cli import main
from bot.routing import PreviousRoute, Route, RouteDecision, Router
from bot.routing.asked_model import FAILURES
from bot.routing.dispatch import Ask, Dispatcher, why_unsure
from bot.routing.model_stage import Asked, ModelStage
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama.catalogue import FakeModel
from tests.integration.pools import pool_over

MODEL = "llama3.2:3b"
DOUBTFUL = ("green", "1984", "the dark side", "cars")


@dataclass
class Told:
    """What the stage told its observer."""

    outcomes: list[str] = field(default_factory=list)

    def asked_model(self, seconds: float, outcome: str) -> None:
        self.outcomes.append(outcome)


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    async with FakeOllama([MODEL]) as fake:
        yield fake


@pytest.fixture
async def pool(ollama: FakeOllama) -> AsyncIterator[OllamaPool]:
    async with pool_over(ollama.url) as pool:
        await pool.warm(MODEL)
        yield pool


async def test_one_token_with_log_probabilities_is_asked_for_first(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.reply_with("C")
    ollama.reply_with('{"route": "companion"}', kind="json")
    opinion = await ModelStage(pool, MODEL, deadline_s=2.0).opinion(Asked("here", "school"))
    assert opinion.shares is not None
    assert max(opinion.shares, key=lambda each: opinion.shares[each]) is Route.COMPANION  # type: ignore[index]
    first = ollama.chats[0].body
    assert first["options"]["num_predict"] == 1
    assert first["logprobs"] is True
    assert "format" not in first


async def test_when_the_letters_are_not_among_the_top_the_schema_decides(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.reply_with("Well")
    ollama.reply_with('{"route": "factual"}', kind="json")
    opinion = await ModelStage(pool, MODEL, deadline_s=2.0).opinion(Asked("here", "hm"))
    assert opinion.shares is not None
    assert opinion.shares[Route.FACTUAL] > 0.5
    assert ollama.chats[-1].body["format"]["properties"]["route"]["enum"]


async def test_a_slow_model_costs_no_more_than_the_deadline(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.set_pace(rate=None, first_token=3.0)
    began = monotonic()
    opinion = await ModelStage(pool, MODEL, deadline_s=0.2).opinion(Asked("here", "hm"))
    assert opinion.failure == "deadline"
    assert monotonic() - began < 3.0


async def test_after_failures_in_a_row_the_model_is_left_alone_for_a_while(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    now, told = 100.0, Told()
    stage = ModelStage(pool, MODEL, deadline_s=2.0, observer=told, clock=lambda: now)
    ollama.reply_with("Well")
    ollama.reply_with("no json", kind="json")
    for _ in range(FAILURES):
        assert (await stage.opinion(Asked("here", "hm"))).failure == "unreadable"
    asked = len(ollama.chats)
    assert (await stage.opinion(Asked("here", "hm"))).failure == "open"
    assert len(ollama.chats) == asked
    assert told.outcomes == ["unreadable"] * FAILURES + ["open"]
    now += 31.0
    assert (await stage.opinion(Asked("here", "hm"))).failure == "unreadable"


async def test_failures_that_are_not_in_a_row_close_nothing(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    stage = ModelStage(pool, MODEL, deadline_s=2.0)
    ollama.reply_with("no json", kind="json")
    for _ in range(3):
        ollama.reply_with("Well")
        for _ in range(FAILURES - 1):
            assert (await stage.opinion(Asked("here", "hm"))).failure == "unreadable"
        ollama.reply_with("C")
        assert (await stage.opinion(Asked("here", "hm"))).shares is not None


async def test_a_conversation_asks_one_question_at_a_time(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.reply_with("B")
    ollama.reply_with('{"route": "creative"}', kind="json")
    ollama.set_pace(rate=None, first_token=0.2)
    told = Told()
    stage = ModelStage(pool, MODEL, deadline_s=2.0, observer=told)
    both = await asyncio.gather(*(stage.opinion(Asked("here", "hm")) for _ in range(2)))
    assert sorted(each.failure or "answered" for each in both) == ["answered", "busy"]
    assert sorted(told.outcomes) == ["answered", "busy"]


async def test_a_route_held_in_the_talk_is_a_doubt_that_the_model_settles(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.reply_with("B")
    ollama.reply_with('{"route": "creative"}', kind="json")
    router, talk = Router.load(), PreviousRoute(Route.COMPANION, 0.0)
    texts = ("hold my hand metaphorically", "tier list of made up gods", "made up gods, ranked")
    asks = [Ask(each, Place(ChannelId(1)), UserId(1), 1.0, previous=talk) for each in texts]
    ask = next(each for each in asks if router.route(each.message, previous=talk, now=1.0).held)
    alone = await Dispatcher(router).route(ask)
    assert (alone.route, why_unsure(alone)) == (Route.COMPANION, "held")
    second = ModelStage(pool, MODEL, deadline_s=2.0)
    settled = await Dispatcher(router, second=second).route(ask)
    assert (settled.source, settled.held) == ("model", False)
    away = Dispatcher(router, second=ModelStage(pool, MODEL, deadline_s=0.0))
    assert (await away.route(ask)).route is Route.COMPANION


async def test_a_sure_model_moves_a_torn_table(pool: OllamaPool) -> None:
    torn = RouteDecision(
        Route.CREATIVE,
        {Route.FACTUAL: 0.36, Route.CREATIVE: 0.38, Route.COMPANION: 0.26},
        uncertain=True,
        source="table",
    )
    shares = {Route.FACTUAL: 0.05, Route.CREATIVE: 0.05, Route.COMPANION: 0.9}
    decision = ModelStage(pool, MODEL).fused(torn, shares, 0.65)
    assert (decision.route, decision.source) == (Route.COMPANION, "model")


async def test_what_the_two_together_are_not_sure_of_is_still_a_doubt(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.add_model(FakeModel(MODEL, ("completion", "systemone")))
    ollama.leaning = {"creative": 0.5, "companion": 0.3}
    second = ModelStage(pool, MODEL, classifier=OllamaClassifier(pool), deadline_s=2.0)
    router = Router.load()
    asks = [Ask(each, Place(ChannelId(1)), UserId(1), 1.0) for each in DOUBTFUL]
    ask = next(
        each
        for each in asks
        if router.route(each.message, previous=None, now=1.0).confidence < router.threshold
    )
    decision = await Dispatcher(router, second=second).route(ask)
    assert decision.source == "model"
    assert decision.confidence < router.threshold
    assert decision.uncertain
    assert why_unsure(decision) in {"threshold", "margin"}


async def test_a_host_with_typed_classification_is_asked_in_its_own_way(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.add_model(FakeModel(MODEL, ("completion", "systemone")))
    ollama.leaning = {"creative": 0.8}
    stage = ModelStage(pool, MODEL, classifier=OllamaClassifier(pool), deadline_s=2.0)
    asked = Asked("here", "now the chorus", (("user", "a song"), ("assistant", "a verse")))
    opinion = await stage.opinion(asked)
    assert opinion.shares == pytest.approx(
        {Route.FACTUAL: 0.1, Route.CREATIVE: 0.8, Route.COMPANION: 0.1}
    )
    assert "a verse" in ollama.requests[-1].body["state"]
    assert ollama.chats == []


@pytest.mark.parametrize("older", [True, False])
async def test_without_it_one_token_is_asked_for(
    older: bool, pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.leaning = None if older else {"creative": 0.8}
    ollama.reply_with("C")
    stage = ModelStage(pool, MODEL, classifier=OllamaClassifier(pool), deadline_s=2.0)
    for _ in range(2):
        shares = (await stage.opinion(Asked("here", "school"))).shares or {}
        assert max(shares, key=lambda each: shares[each]) is Route.COMPANION
    assert len(ollama.chats) == 2
    assert sum(each.path == "/v1/systemone" for each in ollama.requests) <= 1


async def test_an_unreadable_typed_answer_counts_as_a_failure(
    pool: OllamaPool, ollama: FakeOllama
) -> None:
    ollama.add_model(FakeModel(MODEL, ("completion", "systemone")))
    ollama.leaning = {"creative": 3.0}
    stage = ModelStage(pool, MODEL, classifier=OllamaClassifier(pool), deadline_s=2.0)
    for _ in range(FAILURES):
        assert (await stage.opinion(Asked("here", "hm"))).failure == "backend"
    assert (await stage.opinion(Asked("here", "hm"))).failure == "open"


async def test_eval_in_full_asks_the_model_that_routes_toml_names(
    ollama: FakeOllama, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ollama.add_model(FakeModel("sorter:1b"))
    ollama.set_pace(rate=None, first_token=0.5)
    (tmp_path / "routes.toml").write_text(
        '[model_stage]\nmodel = "sorter:1b"\ndeadline_ms = 100\n', encoding="utf-8"
    )
    env, lines = tmp_path / "env", tmp_path / "lines.jsonl"
    env.write_text(f"OLLAMA_HOSTS={ollama.url}\nOLLAMA_MODEL={MODEL}\nPERSONAS_DIR={tmp_path}\n")
    lines.write_text("".join(f'{{"text": "{each}", "label": "factual"}}\n' for each in DOUBTFUL))
    words = ["--env-file", str(env), "route", "eval", str(lines), "--stage", "full"]
    assert await asyncio.to_thread(main, [*words, "--data-dir", str(tmp_path)]) == 0
    assert "model stage (sorter:1b): {'deadline':" in capsys.readouterr().err
    assert {each.body["model"] for each in ollama.chats} == {"sorter:1b"}


async def test_a_stall_of_it_costs_the_deadline(pool: OllamaPool, ollama: FakeOllama) -> None:
    ollama.leaning = {}
    ollama.fail_next("slow", seconds=5.0, path="/v1/systemone")
    stage = ModelStage(pool, MODEL, classifier=OllamaClassifier(pool), deadline_s=0.2)
    began = monotonic()
    assert (await stage.opinion(Asked("here", "hm"))).failure in ("deadline", "backend")
    assert monotonic() - began < 5.0
