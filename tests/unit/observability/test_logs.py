"""Logs: one line a record, with the turn's id, without content, secrets or forged lines."""

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from bot.errors import BackendStalled, InvalidChoice
from bot.observability import LogOutput, Metrics, tell_losses, turn_logs
from bot.observability import logs as logs_module
from bot.observability.redaction import redact, scrub

BOT_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GAbCdE.abcdefghijklmnopqrstuvwxyz0123456789AB"


class Page:
    """What a `LogOutput` wrote, after it was closed."""

    def __init__(self, form: str = "json", level: str = "INFO") -> None:
        self.stream = io.StringIO()
        self.output = LogOutput(level, form, self.stream)  # type: ignore[arg-type]

    def __enter__(self) -> "Page":
        self.output.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.output.close()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(autouse=True)
def _logging_left_as_found() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    yield
    assert (root.level, list(root.handlers)) == before


def test_a_line_carries_the_turns_id_and_its_labels() -> None:
    with Page() as page, turn_logs("1234", route="factual"):
        structlog.get_logger("bot.chat").info("answered", seconds=1.5)
    (line,) = page.lines
    assert line["event"] == "answered"
    assert (line["turn"], line["route"], line["seconds"]) == ("1234", "factual", 1.5)
    assert (line["level"], line["logger"]) == ("info", "bot.chat")


def test_foreign_lines_are_routed_in_with_the_turn() -> None:
    with Page() as page, turn_logs("99"):
        logging.getLogger("discord.gateway").info("Shard ID %s has connected", 0)
    (line,) = page.lines
    assert line["event"] == "Shard ID 0 has connected"
    assert line["turn"] == "99"


def test_payloads_of_libraries_are_not_logged_even_at_debug() -> None:
    with Page(level="DEBUG") as page:
        logging.getLogger("discord.gateway").debug("Event: %s", {"content": "my diary"})
        logging.getLogger("httpx").info("HTTP Request: POST http://x")
        logging.getLogger("bot.own").debug("ours")
    assert [line["event"] for line in page.lines] == ["ours"]


def test_content_and_secrets_are_dropped_and_numbers_stay() -> None:
    with Page() as page:
        structlog.get_logger("x").info(
            "turn",
            content="my diary",
            replyText="dear you",
            nested={"deep": [{"authorization": "Bearer abc"}]},
            api_key=b"k",
            anything=SecretStr("hunter2"),
            prompt_tokens=512,
            raw=b"\x00\x01",
        )
    (line,) = page.lines
    assert line["content"] == line["replyText"] == line["api_key"] == line["anything"]
    assert line["nested"] == {"deep": [{"authorization": "[redacted]"}]}
    assert line["prompt_tokens"] == 512
    assert line["raw"] == "[2 bytes]"
    for secret in ("diary", "dear you", "hunter2", "abc"):
        assert secret not in page.text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("redis://app:hunter2@10.0.0.1:6379/0 is away", "hunter2"),
        ("redis://:hunter2@host", "hunter2"),
        ("redis://app:hunt@er2@host", "er2"),
        ("https://hunter2@host:11434 is away", "hunter2"),
        ("POST /webhooks/123456/" + "tok3n_" * 10 + " got 429", "tok3n_"),
        ("POST /interactions/1/" + "aW50ZXJ" * 9 + "/callback", "aW50ZXJ"),
        (f"login with {BOT_TOKEN} failed", BOT_TOKEN[20:40]),
        ("Authorization: Bearer abcdefgh12345", "abcdefgh"),
    ],
)
def test_credentials_within_a_line_are_masked(text: str, secret: str) -> None:
    assert secret not in scrub(text)
    with Page() as page:
        logging.getLogger("redis").warning(text)
    assert secret not in page.text


def test_a_name_with_line_breaks_forges_no_line() -> None:
    with Page("console") as page:
        structlog.get_logger("x").info("joined", name="eve\n2026-01-01 [error] disk gone\x1b[2J")
    assert len(page.text.splitlines()) == 1
    assert "\x1b" not in page.text


def test_an_error_is_logged_with_its_frames_and_cause() -> None:
    with Page() as page:
        try:
            try:
                raise BackendStalled("no token for 20 s", backend="http://a")
            except BackendStalled as stalled:
                raise RuntimeError("turn failed") from stalled
        except RuntimeError:
            structlog.get_logger("x").exception("oops")
    (line,) = page.lines
    assert "RuntimeError: turn failed" in line["exception"]
    assert "BackendStalled: no token for 20 s" in line["exception"]
    assert "test_logs.py" in line["exception"]


def test_errors_that_quote_a_person_are_logged_without_the_quote() -> None:
    class Strict(BaseModel):
        age: int

    words = " ".join(("my", "diary"))
    with Page() as page:
        try:
            Strict(age=words)  # type: ignore[arg-type]
        except ValidationError:
            structlog.get_logger("x").exception("bad input")
        try:
            raise InvalidChoice("no persona called {name}", name=words)
        except InvalidChoice:
            structlog.get_logger("x").exception("bad choice")
    assert words not in page.text
    assert "ValidationError: 1 problems in Strict" in page.lines[0]["exception"]
    assert "InvalidChoice: no persona called {name}" in page.lines[1]["exception"]


@pytest.mark.parametrize("words", ["my diary", "it's my diary", 'my "diary"', "my\ndiary's \\ end"])
@pytest.mark.parametrize("use", [int, float, {}.__getitem__, [].index, "x".index])
def test_what_python_s_own_errors_quote_is_left_out(words: str, use: Callable[[str], Any]) -> None:
    with Page() as page:
        try:
            use(words)
        except (ValueError, LookupError):
            structlog.get_logger("x").exception("bad value")
    assert "bad value" in page.text
    assert "diary" not in page.lines[0]["exception"].rpartition("\n")[2]


class SlowStream(io.StringIO):
    """A stream whose reader takes nothing for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.may_write = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.may_write.wait(10)
        return super().write(text)


def test_a_slow_reader_loses_lines_and_not_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "QUEUE_LINES", 3)
    slow = SlowStream()
    metrics = Metrics("test", embedded_redis=False)
    with LogOutput("INFO", "json", slow):
        log = structlog.get_logger("bot")
        log.info("first")
        assert slow.reached.wait(5)  # the writer holds it; three more find room
        for number in range(5):
            log.info("more", number=number)
        tell_losses(metrics.log_lines_lost)
        log.info("one more")
        lost = metrics.registry.get_sample_value("troupe_log_lines_lost_total")
        slow.may_write.set()
    assert lost == 3


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=40) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=12), json_values, max_size=6))
@settings(max_examples=60, deadline=None)
def test_redaction_takes_anything_and_lets_no_control_character_out(event: dict[str, Any]) -> None:
    event.pop("exception", None)
    event.pop("stack", None)
    out = redact(None, "info", {**event, "content": "my diary"})
    dumped = repr(out["content"]) + "".join(v for v in out.values() if isinstance(v, str))
    assert "my diary" not in dumped
    assert not any(ord(char) < 32 and char != "\t" for char in dumped)
