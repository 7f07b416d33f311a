"""Whose fault an error answer is."""

from __future__ import annotations

import json

import pytest

from bot.adapters.ollama.refusals import MAX_SHOWN, UNKNOWN, classify, message_of, shown_of
from bot.errors import (
    BackendError,
    BackendUnavailable,
    ContextOverflow,
    ModelMissing,
    NotOffered,
    RequestRejected,
)

OVERFLOW = {
    "error": json.dumps(
        {
            "error": {
                "code": 400,
                "message": "request (9000 tokens) exceeds the available context size (4096 tokens)",
                "type": "exceed_context_size_error",
            }
        }
    )
}


@pytest.mark.parametrize(
    ("status", "body", "kind", "sick"),
    [
        (400, OVERFLOW, ContextOverflow, False),
        (500, {"error": "the input length exceeds the context length"}, ContextOverflow, False),
        (404, {"error": "model 'x' not found"}, ModelMissing, False),
        (404, "404 page not found", NotOffered, True),
        (400, {"error": "invalid role"}, RequestRejected, False),
        (500, {"error": 'option "num_ctx" must be of type integer'}, RequestRejected, False),
        (
            500,
            {"error": "Conversation roles must alternate user/assistant/…"},
            RequestRejected,
            False,
        ),
        (400, {"error": '"x" does not support thinking'}, RequestRejected, False),
        (501, {"error": "this model does not support embeddings"}, RequestRejected, False),
        (401, "Unauthorized", BackendUnavailable, True),
        (403, "", BackendUnavailable, True),
        (429, "slow down", BackendUnavailable, False),
        (503, {"error": "server busy, please try again."}, BackendUnavailable, False),
        (503, "<html>down</html>", BackendUnavailable, True),
        (500, {"error": "llama runner process has terminated"}, BackendUnavailable, True),
        (502, "<html><h1>Bad Gateway</h1></html>", BackendUnavailable, True),
        (302, "", BackendUnavailable, True),
        (200, "", BackendUnavailable, True),
    ],
)
def test_the_message_decides(
    status: int, body: object, kind: type[BackendError], sick: bool
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    found = classify(status, text, backend="http://h", model="x")
    assert type(found.error) is kind
    assert found.sick is sick
    assert found.error.backend == "http://h"


def test_the_innermost_message_is_shown() -> None:
    assert message_of(json.dumps(OVERFLOW)) == (
        "request (9000 tokens) exceeds the available context size (4096 tokens) "
        "(exceed_context_size_error)"
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", "null", '{"error": null}', '{"error": [1]}', "[" * 99_999, "x" * 9999],
)
def test_any_page_has_a_short_message(text: str) -> None:
    found = message_of(text)
    assert len(found) <= MAX_SHOWN
    assert "\n" not in found


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_what_may_quote_a_person_is_not_shown(status: int) -> None:
    body = json.dumps({"error": "bad request: my secret diary"})
    error = classify(status, body, backend="b", model="m").error
    assert "diary" not in str(error)
    assert UNKNOWN in str(error)
    assert shown_of(body) == UNKNOWN


def test_what_ollama_says_of_itself_is_shown() -> None:
    memory = "model requires more system memory (5.6 GiB) than is available (3.1 GiB)"
    assert memory in str(classify(500, json.dumps({"error": memory}), backend="b", model="m").error)


def test_no_page_is_shown_as_a_reason() -> None:
    found = classify(502, "<html><script>x</script></html>", backend="b", model="m")
    assert "script" not in str(found.error)
