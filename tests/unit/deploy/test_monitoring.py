"""Alerts and dashboard ask only for series, and labels, that the program really has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bot.chat.replying.variety import Varied
from bot.observability import Metrics
from bot.ports import Finished, Outcome
from tests.unit.deploy.conftest import DEPLOY

DASHBOARD: dict[str, Any] = json.loads(
    (DEPLOY / "grafana/dashboards/troupe.json").read_text(encoding="utf-8")
)
ALERTS: dict[str, Any] = yaml.safe_load(
    (DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8")
)
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS: list[dict[str, Any]] = [p for p in DASHBOARD["panels"] if p["type"] != "row"]

OF_PROMETHEUS = {"instance", "job", "le"}
SERIES = re.compile(r"\b(troupe_\w+|process_\w+|up)\b(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}|\$labels\.(\w+)")


def exercised() -> dict[str, set[str]]:
    """Return the labels of every series, by its name, after each method was called."""
    metrics = Metrics("1")
    metrics.turns.started()
    metrics.turns.ended(route="factual", trigger="mention", outcome=Outcome.ANSWERED)
    metrics.turns.stage("prompt", 0.1)
    metrics.turns.queue_depth(1)
    metrics.turns.turned_away("full")
    metrics.pool.first_token("a", 0.1)
    metrics.pool.finished(Finished("stop", "a", "m", 9, 9, 1.0, 0.1, 0.1, 0.1), 0.5)
    metrics.pool.failed("a", "BackendStalled")
    metrics.pool.breaker("a", "open")
    metrics.discord.rest("GET /x", 200, 0.1)
    metrics.discord.rate_limited("GET /x")
    metrics.discord.heartbeat(0, 0.1)
    metrics.discord.event(0, 1.0)
    metrics.routing.decided(
        "factual",
        stage="table",
        source="table",
        confidence=0.9,
        uncertain=True,
        gate=0.1,
        abstained="margin",
        flipped=True,
    )
    metrics.routing.corrected("factual", "creative")
    metrics.routing.asked_model(0.1, "answered")
    metrics.routing.asked_encoder(0.01, "answered")
    metrics.routing.reloaded("loaded")
    metrics.routing.model("0123456789abcdef", "1.7")
    metrics.guard.judged("input", "allow")
    metrics.guard.took("input", 0.001)
    metrics.guard.opinion(0.1, "BackendStalled")
    metrics.guard.degraded("companion", "refuse")
    metrics.guard.held_back(0.1)
    metrics.guard.disclosed("first")
    metrics.guard.referred("active")
    metrics.guard.mistaken("illicit")
    metrics.guard.reported()
    metrics.guard.reloaded(ok=True)
    metrics.memory.recalled(0.1, outcome="found")
    metrics.memory.stored("fact")
    metrics.memory.evicted("fact")
    metrics.memory.extracted("learned")
    metrics.memory.refused("sensitive")
    metrics.memory.denied(1)
    metrics.memory.embedding_fallback("BackendUnavailable")
    metrics.replies.voted("factual", up=True)
    metrics.replies.wished("regenerate")
    metrics.replies.scored("creative", 0.3)
    metrics.replies.drifted("character", "regenerated")
    metrics.replies.cut("loop")
    metrics.replies.undelivered("closed")
    metrics.replies.judged("answered")
    metrics.tools.ordered("brainstorm", "command")
    metrics.tools.varied("brainstorm", Varied((), 0.9, 1, 1))
    metrics.redis_error("x")
    metrics.file_reloaded("routes.toml", True)
    metrics.loop_lag(0.1)
    metrics.log_lines_lost(1)
    return {
        sample.name: set(sample.labels)
        for family in metrics.registry.collect()
        for sample in family.samples
    }


KNOWN = exercised() | {"up": set()}


def expressions() -> Iterator[Any]:
    for rule in RULES:
        yield pytest.param(rule["expr"], id=rule["alert"])
    for panel in PANELS:
        for target in panel["targets"]:
            yield pytest.param(target["expr"], id=f"{panel['title']} {target['refId']}")


def labels_at_hand(expression: str) -> set[str]:
    found = [KNOWN[name] for name, _ in SERIES.findall(expression)]
    return set.intersection(*found) | OF_PROMETHEUS


def test_the_exercise_reaches_every_series() -> None:
    ours = {name for name in Metrics("1").names() if name.startswith("troupe_")}
    assert {name for name in ours if not name.endswith("_info")} <= set(KNOWN)


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_asks_for_what_exists(expression: str) -> None:
    series = SERIES.findall(expression)
    assert series
    for name, selector in series:
        assert name in KNOWN
        asked = set(re.findall(r"(\w+)\s*[=!]~?", selector))
        assert asked <= KNOWN[name] | OF_PROMETHEUS
    for group in GROUPED.findall(expression):
        assert {each.strip() for each in group.split(",")} <= labels_at_hand(expression)


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_is_well_formed(expression: str) -> None:
    bare = re.sub(r'"[^"]*"', "", expression)
    for opening, closing in ("()", "{}", "[]"):
        assert bare.count(opening) == bare.count(closing)
    for name, _ in SERIES.findall(expression):
        if name.endswith("_total"):
            assert re.search(rf"(?:rate|increase)\({name}", expression), f"{name} without a rate"
        if name.endswith("_bucket"):
            assert "histogram_quantile" in expression
            assert re.search(r"by \(le\b", expression)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"Troupe[A-Za-z]+", rule["alert"])
    assert rule["labels"]["severity"] in {"page", "warn", "info"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["action"].endswith(".")
    grouped = {w.strip() for group in GROUPED.findall(rule["expr"]) for w in group.split(",")}
    left = grouped or labels_at_hand(rule["expr"])
    for _, label in PLACEHOLDER.findall(" ".join(rule["annotations"].values())):
        if label:
            assert label in left


def test_no_alert_waits_for_a_breaker_to_stay_open_longer_than_it_ever_does() -> None:
    """After its rest it is half-open until a probe, and for a moment between two of them."""
    assert not [rule["alert"] for rule in RULES if 'state="open"' in rule["expr"]]


def test_alerts_have_names_of_their_own() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_names_its_curves_by_labels_that_are_left(panel: dict[str, Any]) -> None:
    assert panel["datasource"]["uid"] == "prometheus"
    for target in panel["targets"]:
        grouped = GROUPED.findall(target["expr"])
        left = {word.strip() for group in grouped for word in group.split(",")}
        for label, _ in PLACEHOLDER.findall(target["legendFormat"]):
            assert label in (left if grouped else labels_at_hand(target["expr"]))


def test_panels_have_their_own_places() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    asked = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    asked += DASHBOARD["templating"]["list"][0]["query"]
    families = {re.sub(r"_(total|bucket|sum|count|created)$", "", name) for name in KNOWN}
    ours = {name for name in families if name.startswith("troupe_")}
    assert {name for name in ours if name not in asked} == set()


def test_grafana_finds_datasource_and_dashboard() -> None:
    folder = DEPLOY / "grafana/provisioning"
    source = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())
    assert source["datasources"][0]["uid"] == "prometheus"
    provider = yaml.safe_load((folder / "dashboards/troupe.yml").read_text())
    path = provider["providers"][0]["options"]["path"]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    mounted = compose["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{path}:ro" in mounted


def test_prometheus_scrapes_the_operations_port_and_reads_the_alerts() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "troupe"
    assert job["static_configs"][0]["targets"] == ["troupe:9464"]
    for name in config["rule_files"]:
        assert (DEPLOY / "prometheus" / name).is_file()


def test_the_operators_guide_has_a_line_on_every_series() -> None:
    guide = (DEPLOY / "README.md").read_text(encoding="utf-8")
    own = {name for name in exercised() if name.startswith("troupe_")}
    families = {re.sub(r"_(?:bucket|sum|count|created)$", "", name) for name in own}
    assert not {
        name for name in families if f"`{name}`" not in guide and f"`{name}_total`" not in guide
    }
