"""What the fake model says: scripted, or made up from the request."""

from __future__ import annotations

import json
import random
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.adapters.ollama.rehearsal.schema import fulfil
from tests.fakes.ollama.catalogue import FakeModel
from tests.fakes.ollama.faults import last_text

Script = str | Callable[[Mapping[str, Any]], str]

HAZARDS: tuple[tuple[str, str], ...] = (
    (r"\b(kill|murder|stab|shoot)\b", "S1"),
    (r"\b(steal|rob|launder)\b", "S2"),
    (r"\b(rape)\b", "S3"),
    (r"\b(password|home address|ssn)\b", "S7"),
    (r"\b(bomb|nerve agent|explosive)\b", "S9"),
    (r"\b(subhuman|vermin)\b", "S10"),
    (r"\b(suicide|end my life|hurt myself)\b", "S11"),
    (r"\b(nude|porn)\b", "S12"),
)
_WORDS = [
    "well",
    "I",
    "have",
    "been",
    "thinking",
    "about",
    "that",
    "since",
    "the",
    "morning",
    "and",
    "the",
    "short",
    "of",
    "it",
    "is",
    "simple:",
    "the",
    "rain",
    "will",
    "stop,",
    "the",
    "kettle",
    "is",
    "on,",
    "and",
    "there",
    "is",
    "a",
    "chair",
    "for",
    "you",
    "by",
    "the",
    "window.",
    "",
]


@dataclass(slots=True)
class Scripts:
    """Standing replies and queues, apart for chat, `format` requests and guard models."""

    standing: dict[str, Script] = field(default_factory=dict)
    queues: dict[str, deque[Script]] = field(
        default_factory=lambda: {kind: deque() for kind in ("chat", "json", "guard")}
    )
    default_tokens: int = 60

    def clear(self) -> None:
        self.standing.clear()
        for queue in self.queues.values():
            queue.clear()

    def reply(self, model: FakeModel, body: Mapping[str, Any]) -> str:
        """Return the text for a request."""
        kind = "guard" if model.guard else "json" if body.get("format") else "chat"
        script: Script | None = (
            self.queues[kind].popleft() if self.queues[kind] else self.standing.get(kind)
        )
        if script is not None:
            return script if isinstance(script, str) else script(body)
        if model.guard:
            return judge(model.guard, body)
        if body.get("format"):
            text = last_text(body)
            return json.dumps(fulfil(body["format"], text, re.findall(r"\w+", text)[:12]))
        return made_up(body, self.default_tokens)


def made_up(body: Mapping[str, Any], tokens: int) -> str:
    """Return a reply of about `tokens` tokens; equal requests get equal replies."""
    rng = random.Random(last_text(body))
    start = rng.randrange(len(_WORDS))
    words = [_WORDS[(start + at) % len(_WORDS)] for at in range(max(1, tokens * 3 // 4))]
    return " ".join(word for word in words if word).capitalize()


def judge(guard: str, body: Mapping[str, Any]) -> str:
    """Answer as a guard model would, by a few plain words in the last message."""
    text = last_text(body).lower()
    hits = [code for pattern, code in HAZARDS if re.search(pattern, text)]
    match guard:
        case "llama-guard3":
            return "unsafe\n" + ",".join(hits) if hits else "safe"
        case "granite3.3-guardian":
            return f"<score> {'yes' if hits else 'no'} </score>"
        case "gpt-oss-safeguard":
            return "unsafe" if hits else "safe"
        case _:
            return "Yes" if hits else "No"
