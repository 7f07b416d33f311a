"""What the fake saw: the request log and the counts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Record:
    """One request. Times are `time.time()`; counts are tokens."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    at: float = field(default_factory=time.time)
    outcome: str = "running"
    """running, done, load, unload, refused, faulted or cancelled."""
    status: int = 0
    prompt_tokens: int = 0
    evaluated: int = 0
    reused: int = 0
    generated: int = 0
    slot_wait: float = 0.0
    first_token_at: float | None = None
    finished_at: float | None = None
    text: str = ""
    peer: object = None
    """The client's socket address: equal for requests over one kept connection."""

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages") or [])

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))


class Log:
    """The last requests that meant work (chat, generate, embed), and the sums of all."""

    def __init__(self, keep: int) -> None:
        self.records: deque[Record] = deque(maxlen=keep)
        self.polls = 0
        self.clear()

    def clear(self) -> None:
        self.records.clear()
        self.total = self.cancelled = self.finished = self.peak = self.running = 0
        self.prompt_tokens = self.evaluated = self.reused = self.generated = 0

    def begin(self, record: Record) -> None:
        self.records.append(record)
        self.total += 1

    def end(self, record: Record, outcome: str) -> None:
        if record.finished_at is not None:
            return
        record.outcome, record.finished_at = outcome, time.time()
        self.cancelled += outcome == "cancelled"
        self.finished += outcome == "done"
        self.prompt_tokens += record.prompt_tokens
        self.evaluated += record.evaluated
        self.reused += record.reused
        self.generated += record.generated

    def entered(self) -> None:
        self.running += 1
        self.peak = max(self.peak, self.running)

    def left(self) -> None:
        self.running -= 1

    def sums(self) -> dict[str, int]:
        """Return the counts for the control API."""
        names = "total finished cancelled running peak prompt_tokens evaluated reused generated"
        return {name: getattr(self, name) for name in names.split()} | {"polls": self.polls}


def as_json(record: Record, *, bodies: bool) -> dict[str, Any]:
    """Return a record for the control API."""
    found = asdict(record)
    found["headers"] = dict(record.headers)
    if not bodies:
        found.pop("body")
        found["model"] = record.model
    return found
