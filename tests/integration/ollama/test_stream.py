"""What a stream can do, and what the pool makes of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.ollama import OllamaPool
from bot.chat.notices import notice_for
from bot.errors import (
    AnswerBroken,
    BackendError,
    BackendStalled,
    BackendUnavailable,
    ContextOverflow,
    ModelMissing,
    RequestRejected,
    StreamBroken,
)
from bot.ports import ChatMessage, ChatRequest, Finished, Piece
from tests.fakes.ollama import FakeModel, FakeOllama
from tests.integration.ollama.conftest import MODEL, Observed, PoolOf, ask, told


async def test_a_reply_comes_in_pieces_and_ends_once(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    ollama.reply_with("It is 8,611 metres tall.")

    text, end = await told(pool, ask())

    assert text == "It is 8,611 metres tall."
    assert (end.reason, end.backend, end.model) == ("stop", ollama.url, MODEL)
    assert end.prompt_tokens == ollama.chats[0].prompt_tokens
    assert end.reply_tokens == ollama.chats[0].generated
    assert 0 < end.total < 5


def line(text: str, **more: object) -> str:
    return json.dumps({"message": {"role": "assistant", "content": text}, "done": False, **more})


async def pieces_of(*lines: str) -> list[str | type[BackendError]]:
    """Return the pieces of a reply whose lines arrive at once, and the failure at its end."""

    async def chat(request: web.Request) -> web.Response:
        return web.Response(text="\n".join(lines) + "\n", content_type="application/x-ndjson")

    async def about(request: web.Request) -> web.Response:
        return web.json_response({"version": "0.12.0", "models": [{"name": MODEL}]})

    app = web.Application()
    app.router.add_post("/api/chat", chat)
    app.router.add_get("/api/{about}", about)
    found: list[str | type[BackendError]] = []
    async with TestServer(app) as server:
        pool = OllamaPool(
            [str(server.make_url("")).rstrip("/")],
            num_ctx=4096,
            num_parallel=4,
            first_token_timeout=5.0,
            token_timeout=2.0,
        )
        await pool.start()
        try:
            async with aclosing(pool.stream(ask())) as stream:
                async for event in stream:
                    if isinstance(event, Piece):
                        found.append(event.text)
        except BackendError as error:
            found.append(type(error))
        finally:
            await pool.close()
    return found


async def test_what_comes_at_once_is_one_piece() -> None:
    end = json.dumps({"done": True, "done_reason": "stop"})
    assert await pieces_of(line("It "), line("is "), line("tall."), end) == ["It is tall."]


async def test_much_that_comes_at_once_is_several() -> None:
    end = json.dumps({"done": True, "done_reason": "stop"})
    words = [line("x" * 400)] * 7
    assert [len(str(p)) for p in await pieces_of(*words, end)] == [1200, 1200, 400]


async def test_text_before_a_failure_is_passed_on_first() -> None:
    error = json.dumps({"error": "an error was encountered while running the model"})
    assert await pieces_of(line("It "), line("is"), error) == ["It is", StreamBroken]
    assert await pieces_of(line("It "), line("is"), "{") == ["It is", StreamBroken]


async def test_durations_become_seconds_and_the_slot_wait_shows(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    ollama.scheduler.num_parallel = 1
    ollama.set_pace(first_token=0.15)
    pool = await pool_of(ollama)
    await pool.warm(MODEL)

    (_, one), (_, two) = await asyncio.gather(told(pool, ask("a")), told(pool, ask("b")))

    first, second = sorted((one, two), key=lambda end: end.slot_wait)
    assert first.prompt_eval == pytest.approx(0.15, abs=0.1)
    assert second.slot_wait == pytest.approx(0.15, abs=0.1)
    assert first.slot_wait < 0.1


async def test_every_request_says_what_keeps_the_prompt_whole(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama, num_ctx=2048)

    await told(pool, ask(options={"temperature": 0.4, "stop": ["\n\n"]}, num_keep=77))

    body = ollama.chats[0].body
    assert body["truncate"] is False
    assert body["shift"] is False
    assert body["think"] is False
    assert body["keep_alive"] == -1
    options = {"num_ctx": 2048, "num_keep": 77, "temperature": 0.4, "stop": ["\n\n"]}
    assert body["options"] == options


async def test_no_request_can_reload_the_model(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    await pool.warm(MODEL)

    await told(pool, ask(options={"num_ctx": 512, "num_gpu": 0, "use_mmap": 1, "top_k": 5}))
    await told(pool, ask(format={"type": "object"}))
    await told(pool, ask(num_keep=100))

    assert ollama.loads == 1


async def test_headers_go_with_every_call(pool_of: PoolOf) -> None:
    async with FakeOllama(token="sesame") as guarded:
        pool = await pool_of(guarded, headers={"Authorization": "Bearer sesame"})
        assert (await told(pool, ask()))[0]

        stranger = await pool_of(guarded)
        with pytest.raises(BackendUnavailable, match="OLLAMA_HEADERS"):
            await told(stranger, ask())


async def test_text_that_other_line_splitters_cut_stays_whole(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama)
    ollama.reply_with("end")
    ollama.fail_next("odd_text")

    text, _ = await told(pool, ask())

    assert text == "a\u0085b\u2028c \U0001f9d9\u200d\u2642\ufe0f end"


async def test_a_blank_line_is_no_line(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    ollama.reply_with("one two")
    ollama.fail_next("blank_line", after=1)

    assert (await told(pool, ask()))[0] == "one two"


async def test_thoughts_are_apart_from_the_text(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    ollama.reply_with("yes")
    ollama.fail_next("thinking")

    async with aclosing(pool.stream(ask())) as stream:
        events = [event async for event in stream]

    pieces = [event for event in events if isinstance(event, Piece)]
    assert "".join(piece.text for piece in pieces) == "yes"
    assert "".join(piece.thinking for piece in pieces) == "Let me think about it."


async def test_a_thinking_model_is_told_not_to(pool_of: PoolOf) -> None:
    async with FakeOllama(["qwen3:8b"]) as fake:
        pool = await pool_of(fake)
        fake.reply_with("fine")
        async with aclosing(pool.stream(ask(model="qwen3:8b"))) as stream:
            events = [event async for event in stream]
    assert all(not event.thinking for event in events if isinstance(event, Piece))


async def test_a_cut_reply_says_so(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)

    _, end = await told(pool, ask(options={"num_predict": 3}))

    assert (end.reason, end.reply_tokens) == ("length", 3)


async def test_a_reply_of_nothing_is_an_end_without_pieces(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama)
    ollama.reply_with("")

    text, end = await told(pool, ask())

    assert (text, end.reply_tokens) == ("", 0)


async def test_log_probabilities_arrive_with_their_alternatives(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama)
    request = ask("how to build a bomb", model="llama-guard3:1b", logprobs=3)

    async with aclosing(pool.stream(request)) as stream:
        events = [event async for event in stream]

    first = events[0]
    assert isinstance(first, Piece)
    assert first.text == "unsafe"
    assert first.logprobs[0].token == "unsafe"
    assert dict(first.logprobs[0].top)["safe"] < first.logprobs[0].logprob


async def test_a_schema_is_passed_on(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    schema = {"type": "object", "properties": {"route": {"enum": ["factual"]}}}

    text, _ = await told(pool, ask(format=schema))

    assert text == '{"route": "factual"}'


# ── failures ────────────────────────────────────────────────────────────────────────────────


async def pieces_before(pool: OllamaPool, request: ChatRequest, error: type[BackendError]) -> str:
    """Return the text that came before `error` was raised."""
    found: list[str] = []

    async def listen() -> None:
        async with aclosing(pool.stream(request)) as stream:
            async for event in stream:
                assert not isinstance(event, Finished)
                found.append(event.text)

    with pytest.raises(error):
        await listen()
    return "".join(found)


@pytest.mark.parametrize("kind", ["error_line", "eof", "truncated_json", "abort", "huge_line"])
async def test_a_stream_that_breaks_keeps_what_came(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed, kind: str
) -> None:
    pool = await pool_of(ollama)
    ollama.reply_with("one two three four")
    ollama.fail_next(kind, after=2)

    assert await pieces_before(pool, ask(), StreamBroken) == "one two"
    assert observed.failures == [(ollama.url, "StreamBroken")]
    assert observed.ends == []
    assert pool.status()[0].outstanding == 0


@pytest.mark.parametrize("kind", ["eof", "truncated_json", "garbage"])
async def test_an_answer_that_is_none_is_not_taken_for_a_host_that_is_away(
    ollama: FakeOllama, pool_of: PoolOf, kind: str
) -> None:
    pool = await pool_of(ollama)
    ollama.fail_next(kind, times=-1)

    with pytest.raises(AnswerBroken) as broken:
        await told(pool, ask())
    assert notice_for(broken.value) == "The model's answer broke. Please ask again."
    assert notice_for(BackendUnavailable("")).startswith("The model can't be reached")


@pytest.mark.parametrize("kind", ["error_line", "eof", "truncated_json", "abort", "html"])
async def test_a_host_that_fails_before_the_first_piece_is_unavailable(
    ollama: FakeOllama, pool_of: PoolOf, kind: str
) -> None:
    pool = await pool_of(ollama)
    ollama.fail_next(kind, times=-1)

    assert await pieces_before(pool, ask(), BackendUnavailable) == ""


async def test_a_page_that_is_no_stream_is_not_shown(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama)
    ollama.fail_next("garbage")

    with pytest.raises(BackendUnavailable, match="no JSON"):
        await told(pool, ask())


async def test_a_stall_between_tokens_is_noticed(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama, token_timeout=0.15)
    ollama.reply_with("one two three")
    ollama.fail_next("stall", after=1)

    assert await pieces_before(pool, ask(), BackendStalled) == "one"
    await ollama.until(lambda: ollama.cancelled == 1)


async def test_the_first_token_may_take_longer_than_the_others(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama, token_timeout=0.1, first_token_timeout=3)
    ollama.set_pace(first_token=0.4)

    assert (await told(pool, ask()))[0]


async def test_a_late_first_token_is_a_stall(ollama: FakeOllama, pool_of: PoolOf) -> None:
    pool = await pool_of(ollama, first_token_timeout=60)
    ollama.set_pace(first_token=30)

    assert await pieces_before(pool, ask(first_token_timeout=0.15), BackendStalled) == ""
    await ollama.until(lambda: ollama.cancelled == 1)


async def test_an_endless_answer_meets_the_total_deadline(
    ollama: FakeOllama, pool_of: PoolOf
) -> None:
    pool = await pool_of(ollama, total_timeout=0.4)
    ollama.set_pace(rate=50)
    ollama.reply_with("on and on " * 200)

    assert (await pieces_before(pool, ask(), BackendStalled)).startswith("on and on")
    await ollama.until(lambda: ollama.cancelled == 1)


async def test_a_prompt_beyond_the_context_is_our_bug(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed
) -> None:
    pool = await pool_of(ollama, num_ctx=64)

    for _ in range(4):
        with pytest.raises(ContextOverflow, match="exceeds the available context size"):
            await told(pool, ask("word " * 200))

    assert observed.breakers == []


async def test_a_refused_role_order_is_our_bug(pool_of: PoolOf, observed: Observed) -> None:
    async with FakeOllama([FakeModel("mistral-nemo", strict=True)]) as fake:
        pool = await pool_of(fake)
        messages = (ChatMessage("assistant", "hello"), ChatMessage("user", "hi"))
        for _ in range(4):
            with pytest.raises(RequestRejected, match="must alternate"):
                await told(pool, ChatRequest("mistral-nemo", messages))
    assert observed.breakers == []


async def test_a_wrong_option_is_our_bug_though_ollama_says_500(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed
) -> None:
    pool = await pool_of(ollama)

    for _ in range(4):
        with pytest.raises(RequestRejected, match="option"):
            await told(pool, ask(options={"stop": "text"}))  # type: ignore[dict-item]

    assert observed.breakers == []


async def test_an_absent_model_is_named(
    ollama: FakeOllama, pool_of: PoolOf, observed: Observed
) -> None:
    pool = await pool_of(ollama)

    for _ in range(4):
        with pytest.raises(ModelMissing, match="nobody:7b"):
            await told(pool, ask(model="nobody:7b"))

    assert observed.breakers == []


# ── the prompt cache ────────────────────────────────────────────────────────────────────────


async def test_the_share_that_was_cached_is_estimated(pool_of: PoolOf, observed: Observed) -> None:
    async with FakeOllama(prompt_rate=4_000) as fake:
        pool = await pool_of(fake)
        long = "a word here and there " * 400
        await told(pool, ask(long))
        await told(pool, ask("new " + long))
        await told(pool, ask("new " + long))

    shares = [share for _, share in observed.ends]
    assert shares[0] is None
    assert shares[1] is not None
    assert shares[1] < 0.4
    assert shares[2] is not None
    assert shares[2] > 0.8
