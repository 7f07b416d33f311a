"""Several hosts: who takes a request, and what happens when one is away."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from bot.adapters.ollama import OllamaEmbedder, breaker, health
from bot.adapters.ollama import pool as pool_module
from bot.errors import BackendStalled, BackendUnavailable, ModelMissing, StreamBroken
from tests.fakes import PATIENCE
from tests.fakes.ollama import FakeOllama
from tests.integration.ollama.conftest import MODEL, Observed, PoolOf, ask, told


async def test_a_conversation_stays_with_its_host(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama, other)

    backends = [(await told(pool, ask(affinity="place-1")))[1].backend for _ in range(6)]

    assert len(set(backends)) == 1


async def test_conversations_spread_over_the_hosts(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama, other)

    backends = [(await told(pool, ask(affinity=f"place-{n}")))[1].backend for n in range(40)]

    assert 8 <= backends.count(ollama.url) <= 32


async def test_a_full_host_shares_its_work(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama, other, num_parallel=2)
    ollama.set_pace(first_token=0.2)
    other.set_pace(first_token=0.2)

    await asyncio.gather(*(told(pool, ask(affinity="one place")) for _ in range(4)))

    assert len(ollama.chats) == len(other.chats) == 2


async def test_no_host_gets_more_than_its_slots(ollama: FakeOllama, pool_of: PoolOf) -> None:
    ollama.scheduler.num_parallel = 16
    ollama.set_pace(first_token=0.02)
    pool = await pool_of(ollama, num_parallel=3)

    await asyncio.gather(*(told(pool, ask(str(n))) for n in range(12)))

    assert ollama.peak == 3


async def test_the_queue_has_an_end(ollama: FakeOllama, pool_of: PoolOf) -> None:
    ollama.set_pace(first_token=0.3)
    pool = await pool_of(ollama, num_parallel=1, queue_limit=2)
    running = [asyncio.create_task(told(pool, ask(str(n)))) for n in range(3)]
    await ollama.until(lambda: pool.queue_depth == 2)

    with pytest.raises(BackendUnavailable, match="queue"):
        await told(pool, ask("one too many"))

    await asyncio.gather(*running)
    assert pool.queue_depth == 0


async def test_waiting_in_our_queue_ends_with_the_first_token_timeout(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed
) -> None:
    ollama.set_pace(first_token=30)
    pool = await pool_of(ollama, num_parallel=1)
    blocker = asyncio.create_task(told(pool, ask("a")))
    await ollama.until(lambda: len(ollama.chats) == 1)

    with pytest.raises(BackendUnavailable, match="busy"):
        await told(pool, ask("b", first_token_timeout=0.1))

    blocker.cancel()
    await asyncio.gather(blocker, return_exceptions=True)
    assert observed.breakers == []


async def test_a_guard_model_never_waits_for_chat(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama, num_parallel=1)
    ollama.set_pace(rate=20)
    async with aclosing(pool.stream(ask())) as chat:
        await anext(chat)
        ollama.set_pace(rate=None)
        verdict, _ = await asyncio.wait_for(told(pool, ask(model="llama-guard3:1b")), PATIENCE)
    assert verdict == "safe"


@pytest.mark.parametrize("kind", ["error", "html", "abort", "eof", "error_line", "garbage"])
async def test_another_host_takes_over_before_the_first_piece(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf, kind: str
) -> None:
    pool = await pool_of(ollama, other)
    for fake in (ollama, other):
        fake.reply_with("done")
    ollama.fail_next(kind, times=-1)

    for n in range(40):  # whom each prefers hangs on the ports
        text, end = await told(pool, ask(affinity=f"place-{n}"))
        assert (text, end.backend) == ("done", other.url)
    assert ollama.chats, "some conversation preferred the sick host"


async def test_no_other_host_is_asked_after_the_first_piece(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama, other)
    for fake in (ollama, other):
        fake.fail_next("error_line", after=1, times=-1)
    seen = []

    async def listen() -> None:
        async with aclosing(pool.stream(ask())) as stream:
            async for piece in stream:
                seen.append(piece)

    with pytest.raises(StreamBroken, match="runner process"):
        await listen()

    assert len(seen) == 1
    assert len(ollama.chats) + len(other.chats) == 1


async def test_a_model_that_one_host_lacks_is_found_on_the_other(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf, observed: Observed
) -> None:
    other.add_model("mistral-nemo:12b")
    pool = await pool_of(ollama, other)

    for n in range(4):
        _, end = await told(pool, ask(model="mistral-nemo:12b", affinity=str(n)))
        assert end.backend == other.url
    assert ollama.chats == []


async def test_a_model_that_was_removed_is_no_failure_of_the_host(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed
) -> None:
    pool = await pool_of(ollama)
    ollama.remove_model(MODEL)

    with pytest.raises(ModelMissing):
        await told(pool, ask())
    assert MODEL not in pool.status()[0].models

    ollama.add_model(MODEL)
    assert (await told(pool, ask()))[0], "pulled since the last poll: the host is asked"
    assert observed.breakers == []


async def test_three_failures_open_the_breaker(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "PATIENCE", 0.0)
    pool = await pool_of(ollama)
    ollama.fail_next("error", times=-1)

    for _ in range(3):
        with pytest.raises(BackendUnavailable, match="terminated"):
            await told(pool, ask())
    asked = len(ollama.chats)
    with pytest.raises(BackendUnavailable, match="no Ollama host"):
        await told(pool, ask())

    assert len(ollama.chats) == asked == 3
    assert observed.breakers == [(ollama.url, "open")]
    assert pool.status()[0].breaker == "open"
    assert pool.capacity == 0


async def test_the_only_host_is_soon_tried_again_and_nobody_is_refused_meanwhile(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "ALONE_SECONDS", (0.05, 0.2))
    monkeypatch.setattr(pool_module, "PROBE_POLL", 0.01)
    pool = await pool_of(ollama)
    ollama.fail_next("error", times=4)
    for _ in range(3):
        with pytest.raises(BackendUnavailable, match="terminated"):
            await told(pool, ask())
    with pytest.raises(BackendUnavailable, match="terminated"):
        await told(pool, ask("the first probe"))
    answers = await asyncio.gather(*(told(pool, ask(f"{n}")) for n in range(4)))
    assert all(text for text, _ in answers)
    assert [state for _, state in observed.breakers] == [
        "open", "half-open", "open", "half-open", "closed",
    ]  # fmt: skip


async def test_a_host_that_rests_is_left_alone_while_another_can_take_over(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "ALONE_SECONDS", (0.0, 0.0))
    pool = await pool_of(ollama, other)
    ollama.fail_next("error", times=-1)
    for n in range(30):
        assert (await told(pool, ask(f"{n}")))[0]
    assert len(ollama.chats) <= breaker.FAILURES
    assert pool.capacity


@pytest.mark.parametrize(("patience", "state"), [(60.0, "closed"), (0.05, "open")])
async def test_a_host_is_not_to_blame_for_somebodys_short_patience(
    ollama: FakeOllama, pool_of: PoolOf, patience: float, state: str
) -> None:
    pool = await pool_of(ollama, first_token_timeout=patience)
    ollama.set_pace(first_token=30)
    for _ in range(breaker.FAILURES):
        with pytest.raises(BackendStalled):
            await told(pool, ask(first_token_timeout=0.05))

    assert pool.status()[0].breaker == state


@pytest.mark.parametrize(("patience", "state"), [(60.0, "closed"), (0.05, "open")])
async def test_nor_for_a_slow_vector_that_a_question_did_not_wait_for(
    ollama: FakeOllama, pool_of: PoolOf, patience: float, state: str
) -> None:
    pool = await pool_of(ollama, first_token_timeout=patience)
    ollama.fail_next("slow", path="/api/embed", times=-1)
    for _ in range(breaker.FAILURES):
        with pytest.raises(BackendStalled):
            await OllamaEmbedder(pool, "embeddinggemma").embed(["tea"], timeout=0.1)

    assert pool.status()[0].breaker == state


async def test_a_busy_answer_is_no_sickness(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed
) -> None:
    pool = await pool_of(ollama)
    ollama.fail_next("error", status=503, message="server busy, please try again.", times=5)

    for _ in range(5):
        with pytest.raises(BackendUnavailable, match="busy"):
            await told(pool, ask())

    assert observed.breakers == []


async def test_a_host_that_died_is_avoided_and_found_again(
    ollama: FakeOllama,
    other: FakeOllama,
    pool_of: PoolOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "POLL_SECONDS", (0.05, 0.05))
    monkeypatch.setattr(health, "SICK_POLL_SECONDS", 0.05)
    pool = await pool_of(ollama, other)
    await pool.warm(MODEL)
    await ollama.stop()

    for n in range(8):
        assert (await told(pool, ask(affinity=str(n))))[1].backend == other.url
    await other.until(lambda: not pool.status()[0].healthy)
    assert pool.capacity == 4
    assert "Connect" in (pool.status()[0].reason or "")

    await ollama.start()
    await ollama.until(lambda: pool.status()[0].healthy and ollama.loads == 2)
    assert pool.capacity == 8
    backends = {(await told(pool, ask(affinity=str(n))))[1].backend for n in range(40)}
    assert backends == {ollama.url, other.url}


async def test_a_restarted_host_is_used_before_its_breaker_would_close(
    ollama: FakeOllama, pool_of: PoolOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "SICK_POLL_SECONDS", 0.05)
    monkeypatch.setattr(health, "POLL_SECONDS", (0.05, 0.05))
    pool = await pool_of(ollama)
    await ollama.stop()
    for _ in range(3):
        with pytest.raises(BackendUnavailable):
            await told(pool, ask())
    assert pool.status()[0].breaker == "open"

    await ollama.start()
    await ollama.until(lambda: pool.capacity == 4)

    assert (await told(pool, ask()))[0]


async def test_a_kept_connection_that_the_host_closed_is_replaced(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed
) -> None:
    pool = await pool_of(ollama)
    await told(pool, ask())
    await ollama.stop()
    await ollama.start()

    assert (await told(pool, ask()))[0]
    assert observed.failures == []


async def test_a_pool_without_a_host_says_so_at_once(ollama: FakeOllama, pool_of: PoolOf) -> None:
    await ollama.stop()
    pool = await pool_of(ollama)

    assert pool.capacity == 0
    with pytest.raises(BackendUnavailable):
        await pool.warm(MODEL)
    with pytest.raises(BackendUnavailable):
        await told(pool, ask())


async def test_status_tells_what_a_host_has(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    await pool.warm(MODEL)

    status = pool.status()[0]

    assert (status.url, status.healthy, status.breaker) == (ollama.url, True, "closed")
    assert status.loaded == (MODEL,)
    assert "embeddinggemma:latest" in status.models
    assert (status.version, status.reason, status.outstanding) == ("0.33.0", None, 0)


async def test_warming_loads_once_and_for_ever(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)

    await pool.warm(MODEL)
    await told(pool, ask())

    assert ollama.loads == 1
    runner = next(iter(ollama.scheduler.runners.values()))
    assert runner.expires_at == float("inf")


async def test_warming_needs_one_host_that_can(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf
) -> None:
    other.add_model("mistral-nemo:12b")
    pool = await pool_of(ollama, other)

    await pool.warm("mistral-nemo:12b")
    with pytest.raises(ModelMissing):
        await pool.warm("nobody:7b")


async def test_traffic_waits_for_the_load_only_where_it_must(
    ollama: FakeOllama, other: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama, other)
    await pool.warm(MODEL)
    ollama.scheduler.close()
    ollama.scheduler.load_seconds = 30
    warming = asyncio.create_task(pool.warm(MODEL))
    await ollama.until(lambda: len(ollama.requests) == 2)

    backends = {(await told(pool, ask(affinity=str(n))))[1].backend for n in range(8)}

    warming.cancel()
    await asyncio.gather(warming, return_exceptions=True)
    assert backends == {other.url}


async def test_after_its_rest_one_probe_decides(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "OPEN_SECONDS", (0.1, 0.1))
    monkeypatch.setattr(pool_module, "PATIENCE", 0.0)
    pool = await pool_of(ollama)
    ollama.fail_next("error", times=3)
    for _ in range(3):
        with pytest.raises(BackendUnavailable):
            await told(pool, ask())
    await asyncio.sleep(0.12)
    ollama.set_pace(first_token=0.1)

    probe = asyncio.create_task(told(pool, ask("probe")))
    await ollama.until(lambda: len(ollama.chats) == 4)
    with pytest.raises(BackendUnavailable, match="no Ollama host"):
        await told(pool, ask("second"))

    assert (await probe)[0]
    assert [state for _, state in observed.breakers] == ["open", "half-open", "closed"]


async def test_a_host_that_only_resets_its_chats_does_open_its_breaker(
    ollama: FakeOllama, pool_of: PoolOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ALARM_SECONDS", 0.0)
    pool = await pool_of(ollama)
    ollama.fail_next("abort", times=-1)
    for _ in range(3):
        with pytest.raises(BackendUnavailable):
            await told(pool, ask())
        await ollama.until(lambda: pool.status()[0].healthy)

    assert pool.status()[0].breaker == "open"


async def test_one_lost_request_does_not_take_the_host_away_for_long(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama)
    ollama.fail_next("abort", times=2)
    with pytest.raises(BackendUnavailable):
        await told(pool, ask())

    assert pool.capacity == 0
    await ollama.until(lambda: pool.capacity == 4, seconds=1)


@pytest.mark.parametrize("path", ["/api/tags", "/api/ps", "/api/version"])
@pytest.mark.parametrize("kind", ["html", "garbage", "error"])
async def test_a_host_that_is_no_ollama_is_not_healthy(
    ollama: FakeOllama, pool_of: PoolOf, path: str, kind: str
) -> None:
    ollama.fail_next(kind, path=path, times=-1)
    pool = await pool_of(ollama)

    assert not pool.status()[0].healthy
    assert pool.status()[0].reason


async def test_a_hanging_health_check_does_not_hold_up_the_start(
    ollama: FakeOllama, pool_of: PoolOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "POLL_TIMEOUT", 0.1)
    ollama.fail_next("slow", path="/api/ps", times=-1)

    pool = await asyncio.wait_for(pool_of(ollama), PATIENCE)

    assert not pool.status()[0].healthy
    assert (await told(pool, ask()))[0], "the only host is asked all the same"
