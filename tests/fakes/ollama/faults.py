"""What can be made to go wrong, one request at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "error",  # an error before the stream: `status` and `message`
    "html",  # a proxy's 502 page instead of the API
    "garbage",  # 200 with a body that is no JSON
    "slow",  # `seconds` before the first token (or before any answer of another route)
    "error_line",  # a last line {"error": …} after `after` tokens
    "abort",  # the TCP connection is reset after `after` tokens
    "eof",  # the stream ends well, without `done`, after `after` tokens
    "stall",  # no token for `seconds` after `after` tokens
    "blank_line",  # an empty line after `after` tokens
    "odd_text",  # U+0085, U+2028 and astral characters in the reply
    "thinking",  # thinking chunks before the reply, asked for or not
    "truncated_json",  # the connection ends well in the middle of a line
    "huge_line",  # a line of `size` bytes without an end
    "length",  # done_reason `length` after `after` tokens
]


@dataclass(slots=True)
class Fault:
    """A fault for the next `times` matching requests (-1: for all)."""

    kind: Kind
    after: int = 0
    """Tokens before it happens."""
    seconds: float = 3600.0
    status: int = 500
    message: str = "llama runner process has terminated: exit status 2"
    times: int = 1
    path: str = "/api/chat"
    model: str | None = None
    contains: str | None = None
    """Only requests whose last message contains this text."""
    size: int = 8 * 1024 * 1024
    when: Callable[[Mapping[str, Any]], bool] | None = None

    def matches(self, path: str, body: Mapping[str, Any]) -> bool:
        if self.times == 0 or path != self.path:
            return False
        if self.model is not None and body.get("model") != self.model:
            return False
        if self.contains is not None and self.contains not in last_text(body):
            return False
        return self.when is None or self.when(body)


class FaultPlan:
    """Faults in the order they were set."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def pick(self, path: str, body: Mapping[str, Any]) -> Fault | None:
        """Return the fault for this request, and count it as spent."""
        for fault in self._faults:
            if fault.matches(path, body):
                if fault.times > 0:
                    fault.times -= 1
                return fault
        return None


def last_text(body: Mapping[str, Any]) -> str:
    """Return the text of the last message, or the prompt."""
    messages = body.get("messages")
    if isinstance(messages, list) and messages and isinstance(messages[-1], Mapping):
        return str(messages[-1].get("content") or "")
    return str(body.get("prompt") or body.get("input") or "")
