"""The image's health check, run against the real operations server."""

import asyncio
import json
import re
import sys

import pytest

from bot.adapters.web import WebServer, ops_app
from bot.observability import Health, Metrics
from tests.fakes import PATIENCE
from tests.unit.deploy.conftest import DEPLOY


@pytest.mark.parametrize("alive", [True, False])
async def test_the_containers_health_is_the_process_health(alive: bool) -> None:
    health = Health()
    health.expect("loop", live=True, ok=alive, reason="scripted")
    server = WebServer(ops_app(Metrics("1"), health), "127.0.0.1", 0)
    port = (await server.start()).rsplit(":", 1)[1]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    found = re.search(r"HEALTHCHECK.*\\\n\s*CMD (\[.*\])", dockerfile)
    assert found
    _, *arguments = json.loads(found.group(1))
    try:
        check = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            env={"OPS_PORT": port},
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert (await asyncio.wait_for(check.wait(), PATIENCE) == 0) is alive
    finally:
        await server.stop()
