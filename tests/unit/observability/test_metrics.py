"""Metrics: units in names, labels bounded, whatever a stranger sends."""

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from bot.observability import Metrics
from bot.observability.labels import OTHER, Vocabulary
from bot.ports import Finished, Outcome


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def finished(**changes: object) -> Finished:
    base: dict[str, object] = {
        "reason": "stop",
        "backend": "http://a:11434",
        "model": "llama3.2:3b",
        "prompt_tokens": 1000,
        "reply_tokens": 50,
        "total": 4.0,
        "load": 0.5,
        "prompt_eval": 0.5,
        "eval": 1.0,
    }
    return Finished(**{**base, **changes})  # type: ignore[arg-type]


def test_a_turn_counts_by_route_trigger_and_outcome(metrics: Metrics) -> None:
    metrics.turns.started()
    assert value(metrics, "troupe_turns_running") == 1
    metrics.turns.ended(route="factual", trigger="mention", outcome=Outcome.ANSWERED)
    assert value(metrics, "troupe_turns_running") == 0
    labels = {"route": "factual", "trigger": "mention", "outcome": "answered"}
    assert value(metrics, "troupe_turns_total", **labels) == 1


def test_a_turn_without_a_route_counts_as_none(metrics: Metrics) -> None:
    metrics.turns.count(route=None, trigger="dm", outcome=Outcome.BUSY)
    labels = {"route": "none", "trigger": "dm", "outcome": "busy"}
    assert value(metrics, "troupe_turns_total", **labels) == 1
    assert value(metrics, "troupe_turns_running") == 0


def test_stages_are_observed_in_seconds(metrics: Metrics) -> None:
    metrics.turns.stage("prompt", 0.02, route="creative")
    labels = {"stage": "prompt", "route": "creative"}
    assert value(metrics, "troupe_turn_seconds_sum", **labels) == pytest.approx(0.02)


def test_a_finished_stream_counts_tokens_waits_and_reuse(metrics: Metrics) -> None:
    metrics.pool.first_token("http://a:11434", 0.7)
    metrics.pool.finished(finished(), 0.75)
    by_model = {"backend": "http://a:11434", "model": "llama3.2:3b"}
    assert value(metrics, "troupe_ollama_prompt_tokens_total", **by_model) == 1000
    assert value(metrics, "troupe_ollama_reply_tokens_total", **by_model) == 50
    reused = "troupe_ollama_reused_prompt_tokens_estimate_total"
    assert value(metrics, reused, **by_model) == 750
    slot = value(metrics, "troupe_ollama_slot_wait_seconds_sum", backend="http://a:11434")
    assert slot == pytest.approx(2.0)
    first = value(metrics, "troupe_ollama_first_token_seconds_count", backend="http://a:11434")
    assert first == 1


@pytest.mark.parametrize(("share", "tokens"), [(-3.0, 0), (7.0, 1000)])
def test_an_impossible_reuse_is_clamped(metrics: Metrics, share: float, tokens: int) -> None:
    metrics.pool.finished(finished(), share)
    by_model = {"backend": "http://a:11434", "model": "llama3.2:3b"}
    reused = "troupe_ollama_reused_prompt_tokens_estimate_total"
    assert value(metrics, reused, **by_model) == tokens


def test_an_unknown_reuse_counts_on_neither_side(metrics: Metrics) -> None:
    metrics.pool.finished(finished(), None)
    by_model = {"backend": "http://a:11434", "model": "llama3.2:3b"}
    assert value(metrics, "troupe_ollama_judged_prompt_tokens_total", **by_model) is None
    assert value(metrics, "troupe_ollama_prompt_tokens_total", **by_model) == 1000


@pytest.mark.parametrize("state", ["closed", "half-open", "open"])
def test_a_breaker_is_in_exactly_one_state(metrics: Metrics, state: str) -> None:
    metrics.pool.breaker("http://a", "open")
    metrics.pool.breaker("http://a", state)
    seen = {
        each: value(metrics, "troupe_ollama_breaker_state", backend="http://a", state=each)
        for each in ("closed", "half-open", "open")
    }
    assert seen == {each: float(each == state) for each in seen}


def test_rest_calls_429s_and_the_gateway(metrics: Metrics) -> None:
    route = "POST /channels/{channel_id}/messages"
    metrics.discord.rest(route, 200, 0.08)
    metrics.discord.rest(route, 0, 30.0)
    metrics.discord.rate_limited(route, "shared")
    metrics.discord.heartbeat(3, 0.04)
    metrics.discord.event(3, 1_700_000_000.0)
    assert value(metrics, "troupe_discord_requests_total", route=route, status="2xx") == 1
    assert value(metrics, "troupe_discord_requests_total", route=route, status="failed") == 1
    assert value(metrics, "troupe_discord_rate_limited_total", route=route, scope="shared") == 1
    assert value(metrics, "troupe_discord_gateway_latency_seconds", shard="3") == 0.04
    last = "troupe_discord_gateway_last_event_timestamp_seconds"
    assert value(metrics, last, shard="3") == 1_700_000_000.0


def test_decisions_of_router_and_guard(metrics: Metrics) -> None:
    metrics.routing.decided(
        "companion", stage="table", source="table", confidence=0.55, uncertain=True
    )
    metrics.guard.judged("input", "support", category="sh_crisis")
    metrics.guard.took("input", 0.001)
    labels = {"route": "companion", "stage": "table", "source": "table"}
    assert value(metrics, "troupe_route_decisions_total", **labels) == 1
    assert value(metrics, "troupe_route_uncertain_total") == 1
    labels = {"stage": "input", "category": "sh_crisis", "action": "support", "route": "none"}
    assert value(metrics, "troupe_guard_decisions_total", **labels) == 1
    assert value(metrics, "troupe_guard_seconds_count", stage="input") == 1


def test_operations_lag_queue_and_build(metrics: Metrics) -> None:
    metrics.redis_error("journal.accept")
    metrics.loop_lag(0.003)
    metrics.log_lines_lost(2)
    metrics.turns.queue_depth(7)
    assert value(metrics, "troupe_redis_errors_total", operation="journal.accept") == 1
    assert value(metrics, "troupe_event_loop_lag_seconds_count") == 1
    assert value(metrics, "troupe_log_lines_lost_total") == 2
    assert value(metrics, "troupe_queue_depth", queue="turns") == 7
    assert 'troupe_build_info{python="' in metrics.exposition().decode()


def test_two_processes_in_one_interpreter_do_not_share_metrics() -> None:
    one, two = Metrics("1"), Metrics("1")
    one.redis_error("x")
    assert value(two, "troupe_redis_errors_total", operation="x") is None


def test_every_name_of_ours_has_the_prefix_and_a_unit_where_it_has_one(metrics: Metrics) -> None:
    for family in metrics.registry.collect():
        if family.name.startswith(("process_", "python_gc_")):
            continue
        assert re.fullmatch(r"troupe_[a-z0-9_]+", family.name)
        assert family.documentation.strip()
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_ratio"))


@given(st.lists(st.text(max_size=120), min_size=1, max_size=60))
@settings(max_examples=40, deadline=None)
def test_no_stranger_multiplies_series(words: list[str]) -> None:
    bounded = Vocabulary("known", limit=5)
    seen = {bounded.word(word) for word in [*words, *(f"w{i}" for i in range(50))]}
    assert len(seen) <= 5 + 3
    assert bounded.word("known") == "known"
    assert bounded.word("w999") == OTHER


@pytest.mark.parametrize("bad", ['a"b', "line\nbreak", "x" * 97, "émoji 🎭", "{}\\"])
def test_a_label_of_a_wrong_form_is_other(bad: str) -> None:
    assert Vocabulary(limit=5).word(bad) == OTHER


def test_the_page_can_be_parsed_after_hostile_labels(metrics: Metrics) -> None:
    hostile = ['x"} 1\nevil 1', "\\", "\u2028", "a" * 5000]
    for one, two in product(hostile, hostile):
        metrics.guard.judged(one, two, category=one, route=two)
        metrics.pool.failed(one, two)
        metrics.discord.rate_limited(one, two)
        metrics.turns.stage(one, 1.0, route=two)
    names = {f.name for f in text_string_to_metric_families(metrics.exposition().decode())}
    assert "evil" not in names
    assert metrics.names() >= {"troupe_turns_total", "troupe_turn_seconds_bucket"}
