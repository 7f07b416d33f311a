"""The router's model stage against an Ollama: one letter, within a deadline, or not at all."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from bot.adapters.ollama import OllamaPool
from bot.chat.place import ChannelId, Place, UserId
from bot.errors import SettingsRejected
from bot.routing import PreviousRoute, Route, Router
from bot.routing.asked_model import FAILURES, OPEN_S
from bot.routing.dispatch import Ask, Dispatcher
from bot.routing.features import BITS
from bot.routing.model_stage import Asked, ModelStage, load_model_stage
from bot.routing.table import RouteTable, TableHeader
from tests.fakes.ollama import FakeOllama
from tests.integration.ollama.conftest import MODEL, PoolOf

BLANK = Router(RouteTable(TableHeader(scale=0.02), bytes([128]) * (4 << BITS)))
"""A table that knows nothing: every route is as likely as any other."""
ASKED = Asked("7", "hm, the other one then", (("user", "name my cat"), ("assistant", "Moth")))
NOW = 1_000_000.0


class Noted:
    """An observer that remembers outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def asked_model(self, seconds: float, outcome: str) -> None:
        self.outcomes.append(outcome)


@pytest.fixture
async def pool(ollama: FakeOllama, pool_of: PoolOf) -> OllamaPool:
    return await pool_of(ollama)


def ask(message: str = "hm, the other one then", previous: Route | None = None) -> Ask:
    before = PreviousRoute(previous, NOW - 5) if previous else None
    return Ask(message, Place(ChannelId(7)), UserId(1), NOW, before)


async def test_the_letters_probabilities_become_shares(
    ollama: FakeOllama, pool: OllamaPool
) -> None:
    ollama.reply_with("B")
    opinion = await ModelStage(pool, MODEL, deadline_s=2).opinion(ASKED)
    assert opinion.failure is None
    assert opinion.shares is not None
    assert opinion.shares[Route.CREATIVE] > 0.9
    assert 0 < opinion.shares[Route.COMPANION] < 0.1
    assert sum(opinion.shares.values()) == pytest.approx(1.0)
    body = ollama.chats[0].body
    assert body["options"]["num_predict"] == 1
    assert body["options"]["temperature"] == 0
    assert body["logprobs"] is True
    assert body["think"] is False
    assert "Moth" in body["messages"][1]["content"]


async def test_a_model_without_letters_is_asked_for_a_word(
    ollama: FakeOllama, pool: OllamaPool
) -> None:
    ollama.reply_with("Well")
    ollama.reply_with('{"route": "creative"}', kind="json")
    opinion = await ModelStage(pool, MODEL, deadline_s=2).opinion(ASKED)
    assert opinion.shares is not None
    assert opinion.shares[Route.CREATIVE] == pytest.approx(0.8)
    assert ollama.chats[1].body["format"]["properties"]["route"]["enum"] == list(Route)


@pytest.mark.parametrize("word", ["{}", "[]", '{"route": "villain"}', "nonsense", '{"route": 7}'])
async def test_a_word_that_names_no_route_is_no_opinion(
    ollama: FakeOllama, pool: OllamaPool, word: str
) -> None:
    ollama.reply_with("Well")
    ollama.reply_with(word, kind="json")
    opinion = await ModelStage(pool, MODEL, deadline_s=2).opinion(ASKED)
    assert (opinion.shares, opinion.failure) == (None, "unreadable")


async def test_the_deadline_holds_whatever_the_model_does(
    ollama: FakeOllama, pool: OllamaPool
) -> None:
    ollama.set_pace(first_token=5.0)
    noted = Noted()
    began = time.monotonic()
    opinion = await ModelStage(pool, MODEL, observer=noted).opinion(ASKED)
    assert opinion.failure in ("deadline", "backend")
    assert time.monotonic() - began < 1.5
    assert noted.outcomes == [opinion.failure]


async def test_a_conversation_is_asked_about_once_at_a_time(
    ollama: FakeOllama, pool: OllamaPool
) -> None:
    ollama.set_pace(first_token=0.2)
    ollama.reply_with("A")
    stage = ModelStage(pool, MODEL, deadline_s=3)
    other = Asked("8", ASKED.message)
    first, second, third = await asyncio.gather(
        stage.opinion(ASKED), stage.opinion(ASKED), stage.opinion(other)
    )
    assert (first.failure, second.failure, third.failure) == (None, "busy", None)
    assert (await stage.opinion(ASKED)).failure is None


async def test_after_failures_nobody_is_asked_for_a_while(
    ollama: FakeOllama, pool: OllamaPool
) -> None:
    now = 100.0
    ollama.fail_next("error", status=400, message="no", times=FAILURES)
    stage = ModelStage(pool, MODEL, deadline_s=2, clock=lambda: now)
    for _ in range(FAILURES):
        assert (await stage.opinion(ASKED)).failure == "backend"
    asked = len(ollama.chats)
    assert (await stage.opinion(ASKED)).failure == "open"
    assert len(ollama.chats) == asked
    now += OPEN_S + 1
    ollama.reply_with("A")
    assert (await stage.opinion(ASKED)).failure is None


async def test_a_doubt_is_settled_by_the_model(ollama: FakeOllama, pool: OllamaPool) -> None:
    ollama.reply_with("B")
    dispatcher = Dispatcher(BLANK, second=ModelStage(pool, MODEL, deadline_s=2))
    decision = await dispatcher.route(ask())
    assert (decision.route, decision.source) == (Route.CREATIVE, "model")
    assert not decision.uncertain
    assert sum(decision.probabilities.values()) == pytest.approx(1.0)


async def test_without_its_opinion_facts_are_left_alone(
    ollama: FakeOllama, pool: OllamaPool
) -> None:
    ollama.fail_next("error", status=400, message="no", times=-1)
    dispatcher = Dispatcher(BLANK, second=ModelStage(pool, MODEL, deadline_s=2))
    decision = await dispatcher.route(ask())
    assert (decision.route, decision.source) == (Route.FACTUAL, "table")
    assert "safe order" in decision.reasons[-1]
    stays = await dispatcher.route(ask("and then", previous=Route.CREATIVE))
    assert stays.route is Route.CREATIVE


async def test_a_sure_message_never_asks(ollama: FakeOllama, pool: OllamaPool) -> None:
    dispatcher = Dispatcher(Router.load(), second=ModelStage(pool, MODEL))
    decision = await dispatcher.route(ask("What is the capital of Mongolia?"))
    assert not decision.uncertain
    assert ollama.chats == []


async def test_a_stranger_s_message_can_not_make_the_request_long(
    ollama: FakeOllama, pool: OllamaPool
) -> None:
    ollama.reply_with("A")
    long = Asked("7", "x" * 100_000, (("user", "y" * 9_000), ("assistant", "z" * 9_000)))
    await ModelStage(pool, MODEL, deadline_s=2).opinion(long)
    assert len(ollama.chats[0].body["messages"][1]["content"]) < 1_500


def test_the_stage_is_off_unless_the_operator_switches_it_on(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text("")
    assert not load_model_stage(file).enabled
    file.write_text('[model_stage]\nenabled = true\nmodel = "small"\ndeadline_ms = 250\n')
    stage = load_model_stage(file)
    assert (stage.enabled, stage.model, stage.deadline_s) == (True, "small", 0.25)


@pytest.mark.parametrize(
    "line",
    ["enabled = 1", "deadline_ms = 5", "deadline_ms = true", 'model = ""', "speed = 3"],
)
def test_a_wrong_setting_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(f"[model_stage]\n{line}\n")
    with pytest.raises(SettingsRejected) as rejected:
        load_model_stage(file)
    assert line.split()[0] in str(rejected.value)
