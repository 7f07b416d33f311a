"""The operations server over a real socket."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.adapters.web import WebServer, ops_app
from bot.observability import Health, Metrics


@pytest.fixture
def health() -> Health:
    health = Health()
    health.expect("loop", live=True, ok=True, reason="running")
    health.expect("gateway")
    health.expect("redis")
    return health


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("0.1.0")


@pytest.fixture
async def ops(metrics: Metrics, health: Health) -> AsyncIterator[str]:
    server = WebServer(ops_app(metrics, health), "127.0.0.1", 0)
    yield await server.start()
    await server.stop()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_metrics_are_a_page_that_prometheus_reads(
    ops: str, metrics: Metrics, http: aiohttp.ClientSession
) -> None:
    metrics.redis_error("journal.accept")
    async with http.get(f"{ops}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        families = {f.name: f for f in text_string_to_metric_families(await response.text())}
    (sample,) = (s for s in families["troupe_redis_errors"].samples if s.name.endswith("_total"))
    assert (sample.labels, sample.value) == ({"operation": "journal.accept"}, 1.0)


async def test_ready_says_why_not(ops: str, health: Health, http: aiohttp.ClientSession) -> None:
    health.report("gateway", False, "resuming shard 0")
    health.report("redis", True, "pong in 1 ms")
    async with http.get(f"{ops}/readyz") as response:
        assert response.status == 503
        answer = await response.json()
    reasons = {check["name"]: (check["ok"], check["reason"]) for check in answer["checks"]}
    assert reasons["gateway"] == (False, "resuming shard 0")
    assert reasons["redis"] == (True, "pong in 1 ms")


async def test_ready_when_all_is_well(
    ops: str, health: Health, http: aiohttp.ClientSession
) -> None:
    health.report("gateway", True)
    health.report("redis", True)
    async with http.get(f"{ops}/readyz") as response:
        assert response.status == 200
        assert (await response.json())["ok"] is True


async def test_alive_without_gateway_and_dead_without_a_loop(
    ops: str, health: Health, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{ops}/livez") as response:
        assert response.status == 200
    health.report("loop", False, "supervisor gave up")
    async with http.get(f"{ops}/livez") as response:
        assert response.status == 503


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405)]
)
async def test_there_is_nothing_else(
    ops: str, http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with http.request(method, f"{ops}{path}") as response:
        assert response.status == status


async def test_a_taken_port_is_an_error_at_start(ops: str, metrics: Metrics) -> None:
    port = int(ops.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="address"):
        await WebServer(ops_app(metrics, Health()), "127.0.0.1", port).start()
