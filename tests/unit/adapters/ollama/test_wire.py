"""Requests in Ollama's words, lines in ours, and lines of a hostile host."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.ollama.wire import chat_body, finished_of, parse_line, piece_of, plain_piece
from bot.errors import StreamBroken
from bot.ports import ChatMessage, ChatRequest, Finished, Piece


def body_of(**changes: Any) -> dict[str, Any]:
    request = ChatRequest("m", (ChatMessage("user", "hi \ud800", ("aGk=",)),), **changes)
    found: dict[str, Any] = json.loads(chat_body(request, 2048))
    return found


def test_a_body_carries_what_was_asked_and_nothing_else() -> None:
    assert body_of() == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi ?", "images": ["aGk="]}],
        "stream": True,
        "think": False,
        "truncate": False,
        "shift": False,
        "keep_alive": -1,
        "options": {"num_ctx": 2048},
    }


def test_load_options_are_ours_alone() -> None:
    given_options: dict[str, Any] = {"num_ctx": 9, "num_gpu": 1, "num_keep": 3, "top_p": 0.5}
    assert body_of(options=given_options)["options"] == {"num_ctx": 2048, "top_p": 0.5}


def test_format_logprobs_and_num_keep_are_passed_on() -> None:
    body = body_of(format={"type": "object"}, logprobs=99, num_keep=12)
    assert body["format"] == {"type": "object"}
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)
    assert body["options"]["num_keep"] == 12


def end_of(**values: Any) -> Finished:
    return finished_of({"done": True, "done_reason": "stop"} | values, backend="b", model="m")


def test_absent_counts_are_zero_and_nanoseconds_become_seconds() -> None:
    end = end_of(total_duration=2_500_000_000, load_duration=1_000_000_000, eval_count=7)
    assert (end.prompt_tokens, end.reply_tokens) == (0, 7)
    assert (end.total, end.load, end.eval) == (2.5, 1.0, 0.0)
    assert end.slot_wait == 1.5


@pytest.mark.parametrize("value", ["x", None, True, -1, float("inf"), float("nan"), 1e30, [1]])
def test_counts_that_are_none_count_as_zero(value: Any) -> None:
    end = end_of(prompt_eval_count=value, total_duration=value)
    assert (end.prompt_tokens, end.total) == (0, 0.0)


@pytest.mark.parametrize("reason", ["load", "unload", "", 5, None, ["stop"]])
def test_an_end_for_another_reason_is_no_end(reason: Any) -> None:
    with pytest.raises(StreamBroken):
        end_of(done_reason=reason)


@pytest.mark.parametrize(
    "line", [b"[]", b"1", b'"x"', b"{", b"\xff\xfe", b"nope", b"[" * 100_000, b"null"]
)
def test_a_line_that_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(StreamBroken):
        parse_line(line)


@pytest.mark.parametrize(
    "message",
    [
        "text",
        ["text"],
        {"content": 5},
        {"content": ["x"]},
        {"content": "x", "thinking": {"a": 1}},
    ],
)
def test_a_message_of_another_shape_is_refused(message: Any) -> None:
    with pytest.raises(StreamBroken):
        piece_of({"message": message})


@pytest.mark.parametrize(
    "logprobs",
    [
        5,
        "ab",
        [1],
        [{}],
        [{"token": "a"}],
        [{"token": "a", "logprob": "x"}],
        [{"token": "a", "logprob": -(10**400)}],
        {"a": 1},
    ],
)
def test_log_probabilities_of_another_shape_are_refused(logprobs: Any) -> None:
    with pytest.raises(StreamBroken):
        piece_of({"message": {"content": "x"}, "logprobs": logprobs})


def test_a_lone_surrogate_never_reaches_a_store() -> None:
    line = parse_line(rb'{"message": {"content": "a\ud800b"}}')
    piece = piece_of(line)
    assert piece == Piece("a?b")


@pytest.mark.parametrize("line", [{}, {"message": {}}, {"message": {"content": ""}}])
def test_a_line_without_text_is_no_piece(line: dict[str, Any]) -> None:
    assert piece_of(line) is None


def test_a_line_of_text_and_nothing_else_is_a_plain_piece() -> None:
    line = b'{"message": {"content": "a", "thinking": "b"}, "done": false}'
    assert plain_piece(line) == Piece("a", "b")


@pytest.mark.parametrize(
    "line",
    [
        b'{"message": {"content": "a"}, "done": true}',
        b'{"message": {"content": "a"}, "error": "out of memory"}',
        b'{"message": {"content": "a"}, "logprobs": []}',
        b'{"message": {"content": 5}}',
        b'{"message": {"content": ""}}',
        b"{",
    ],
)
def test_a_line_with_anything_else_is_none(line: bytes) -> None:
    assert plain_piece(line) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["message", "content", "logprobs", "done_reason", "eval_count", "token"])


@settings(max_examples=60, deadline=None)
@given(line=st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON)))
def test_any_line_is_read_or_refused(line: dict[str, Any]) -> None:
    for reader in (piece_of, lambda value: finished_of(value, backend="b", model="m")):
        try:
            found = reader(line)
        except StreamBroken:
            continue
        assert found is None or isinstance(found, Piece | Finished)
