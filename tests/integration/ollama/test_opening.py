"""What talks is opened: every host is known to the metrics before it ever fails."""

from __future__ import annotations

from contextlib import AsyncExitStack

from bot.observability import Metrics
from bot.opening.models import open_models
from bot.settings import (
    CoreSettings,
    DiscordSettings,
    OllamaSettings,
    OpsSettings,
    PlaySettings,
    RedisSettings,
    Settings,
)
from tests.fakes.ollama import FakeOllama


async def test_a_host_that_never_failed_has_a_breaker_in_the_metrics(
    ollama: FakeOllama, other: FakeOllama
) -> None:
    hosts = [ollama.url, other.url]
    settings = Settings(
        discord=DiscordSettings(),
        ollama=OllamaSettings(hosts=",".join(hosts)),  # type: ignore[arg-type]  # split
        redis=RedisSettings(),
        ops=OpsSettings(),
        play=PlaySettings(),
        core=CoreSettings(),
    )
    metrics = Metrics("1")
    async with AsyncExitStack() as stack:
        await open_models(settings, metrics, stack)

    for host in hosts:
        labels = {"backend": host, "state": "closed"}
        assert metrics.registry.get_sample_value("troupe_ollama_breaker_state", labels) == 1
