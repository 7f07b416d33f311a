"""Models are fetched by Ollama's own client; it also finds our servers to be what it expects."""

from __future__ import annotations

from collections.abc import AsyncIterator

import ollama
import pytest

from bot.adapters.ollama import Rehearsal
from bot.commandline.pull import pull_missing
from bot.settings import OllamaSettings
from tests.fakes.ollama import FakeOllama
from tests.integration.ollama.conftest import MODEL


@pytest.fixture
async def host() -> AsyncIterator[FakeOllama]:
    async with FakeOllama([MODEL]) as server:
        yield server


def settings(*hosts: str, **more: str) -> OllamaSettings:
    return OllamaSettings(_env_file=None, hosts=",".join(hosts), model=MODEL, **more)  # type: ignore[call-arg,arg-type]


async def test_only_what_a_host_lacks_is_fetched(
    host: FakeOllama, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = settings(host.url, guard_model="llama-guard3:1b", channel_models="gemma3:12b")
    assert await pull_missing(wanted) == 0
    said = capsys.readouterr().out
    assert f"ok   {MODEL}: on {host.url}" in said
    assert "llama-guard3:1b: pulling manifest" in said
    assert f"ok   gemma3:12b: fetched to {host.url}" in said
    assert {"llama-guard3:1b", "gemma3:12b"} <= set(host.models)
    assert await pull_missing(wanted) == 0
    assert "fetched" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["error", "html", "garbage", "abort"])
async def test_a_host_that_fails_is_named_and_the_others_go_on(
    kind: str, host: FakeOllama, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeOllama([]) as other:
        other.fail_next(kind, path="/api/pull")
        assert await pull_missing(settings(other.url, host.url)) == 1
    said = capsys.readouterr().out
    assert f"FAIL {MODEL}" in said
    assert f"ok   {MODEL}: on {host.url}" in said
    assert "Traceback" not in said


async def test_a_host_that_is_away_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert await pull_missing(settings("http://127.0.0.1:9")) == 1
    assert "FAIL http://127.0.0.1:9" in capsys.readouterr().out


async def test_the_official_client_talks_with_the_stand_in_and_with_the_fake(
    host: FakeOllama,
) -> None:
    stand_in = Rehearsal(rate=4000, models=[MODEL])
    await stand_in.start()
    try:
        for base in (stand_in.url, host.url):
            client = ollama.AsyncClient(host=base)
            try:
                listed = await client.list()
                assert [model.model for model in listed.models] == [MODEL]
                assert "completion" in ((await client.show(MODEL)).capabilities or ())
                asked = [{"role": "user", "content": "how do lighthouses work?"}]
                parts = [p async for p in await client.chat(MODEL, messages=asked, stream=True)]
                assert parts[-1].done
                assert "".join(part.message.content or "" for part in parts)
            finally:
                await client.close()
    finally:
        await stand_in.close()
