"""A small company that plays from a script: a whole `Stage` without a model behind it."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from bot.adapters.web import PersonaSummary, Playground, PlaySink, Spoken, StageStatus, WebServer
from bot.errors import BackendStalled, Busy
from bot.prompting.report import Part, PromptReport


def png(red: int, green: int, blue: int, size: int = 64) -> bytes:
    """Return a small plain picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = (b"\x00" + bytes((red, green, blue)) * size) * size
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


CAST = (
    PersonaSummary(
        "ada",
        "Ada Quill",
        "Archivist who checks twice before she answers",
        ("facts", "dry wit"),
        ("*looks up from a card index* Ask away. I file nothing I can't source.",),
        True,
        ("factual",),
    ),
    PersonaSummary(
        "bram",
        "Bram Underlamp",
        "Lamplighter and teller of tall tales",
        ("stories",),
        ("Evening! Mind the ladder.", "*tips his hat* You look like a second chapter."),
        False,
        ("creative",),
    ),
    PersonaSummary("mira", "Mira", "Keeps the kettle on and listens", (), (), True, ("companion",)),
)


def report_of(*parts: Part) -> dict[str, Any]:
    """Return the account of a prompt of these parts."""
    total = sum(part.tokens for part in parts if part.kept)
    return PromptReport(parts, total, 7168).to_json()


@dataclass
class Account:
    """An account with the keys of a real one."""

    text: str
    persona: PersonaSummary
    reply: str
    extra: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "turn": "1172839405",
            "trigger": "play",
            "route": {
                "route": "factual",
                "probabilities": {"factual": 0.8127, "creative": 0.0641, "companion": 0.1232},
                "confidence": 0.8127,
                "continuation": 0.11,
                "uncertain": False,
                "source": "table",
                "reasons": ["asks how tall a thing is", "no scene is open"],
            },
            "persona": {"id": self.persona.id, "name": self.persona.name},
            "model": "llama3.2:3b",
            "backend": "http://127.0.0.1:11434",
            "messages": [
                {"role": "system", "content": f"You are {self.persona.name}.\n<b>Stay</b> honest."},
                {"role": "user", "content": self.text},
            ],
            "report": report_of(
                Part("system message", 412),
                Part("history", 1310),
                Part("history", 220, kept=False, note="3 oldest exchanges did not fit"),
                Part("lore", 96),
                Part("message", 58),
            ),
            "lore": ["The archive lost its east wing to the flood of 1911."],
            "memories": ["likes mountains"],
            "verdicts": [
                {"stage": "input", "action": "allow", "category": None, "rule": None},
                {"stage": "output", "action": "steer", "category": "advice", "rule": "medical"},
            ],
            "timings": {"guard": 0.0004, "route": 0.0011, "first_token": 0.42, "total": 2.31},
            "tokens": {"prompt": 1876, "reply": 84},
            "outcome": "answered",
            "reply": self.reply,
            "notice": None,
            **self.extra,
        }


class Company:
    """Plays by the first word of what it is told; keeps a record of what happened."""

    def __init__(self, *, rehearsal: bool = False, pace: float = 0.0) -> None:
        self.rehearsal = rehearsal
        self.pace = pace
        self.locale: str | None = None
        self.heard: list[tuple[str, str, str | None]] = []
        self.forgotten: list[str] = []
        self.kept: dict[str, list[Spoken]] = {}
        self.cancelled = asyncio.Event()
        self.waiting = asyncio.Event()

    def personas(self) -> Sequence[PersonaSummary]:
        return CAST

    def knows(self, persona: str) -> bool:
        return any(each.id == persona for each in CAST)

    async def avatar(self, persona: str) -> bytes | None:
        pictures = {"ada": png(64, 110, 150), "mira": png(200, 120, 80), "bad": b"<svg onload=x>"}
        return pictures.get(persona)

    def status(self) -> StageStatus:
        return StageStatus(self.rehearsal, "llama3.2:3b", ("http://127.0.0.1:11434",), "0.1.0")

    async def say(
        self,
        session: str,
        text: str,
        persona: str | None,
        sink: PlaySink,
        locale: str | None = None,
    ) -> Account:
        self.locale = locale
        self.heard.append((session, text, persona))
        who = next((p for p in CAST if p.id == persona), CAST[0])
        match text.split()[0]:
            case "stall":
                raise BackendStalled("no token for 20 s", backend="http://secret-host")
            case "crowd":
                raise Busy("Three are before you. Try again in 20 seconds.", place=3)
            case "bug":
                raise ZeroDivisionError("internal detail")
            case "wait":
                return await self._wait(sink)
            case "sparse":
                return _Sparse()
            case "excuse":
                line = "The model broke off here."
                sink.show(f"-# {line}")
                return Account(text, who, "", {"outcome": "failed", "notice": line})
            case "disclose":
                sink.show("Good evening.")
                await asyncio.sleep(0.05)
                sink.show("Good evening.\n\n-# I am an AI.\n-# The model broke off here.")
                names = [f"part {number}" for number in range(12)]
                report = report_of(*(Part(name, 9) for name in names))
                notice = {"notice": "The model broke off here.", "report": report}
                return Account(text, who, "Good evening.", notice)
            case "rewrite":
                sink.show("This was")
                await asyncio.sleep(0.05)
                sink.show("Better not.")
                return Account(text, who, "Better not.")
        reply = f"You said: {text}\n\n**K2** is *8,611 metres* tall."
        shown = ""
        for word in reply.split(" "):
            shown = f"{shown} {word}".lstrip(" ")
            sink.show(shown)
            await asyncio.sleep(self.pace)
        spoken = Spoken((text,), reply, who.id, who.name, "factual")
        self.kept.setdefault(session, []).append(spoken)
        return Account(text, who, reply)

    async def _wait(self, sink: PlaySink) -> Account:
        sink.show("Once upon a time")
        self.waiting.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise AssertionError("nobody stopped it")

    async def talk(self, session: str) -> Sequence[Spoken]:
        return self.kept.get(session, [])

    async def reset(self, session: str) -> None:
        self.forgotten.append(session)
        self.kept.pop(session, None)


class _Sparse(Account):
    """An account of which nearly nothing is known."""

    def __init__(self) -> None:
        super().__init__("", CAST[0], "")

    def to_json(self) -> dict[str, Any]:
        return {"reply": "Bare boards.", "route": None, "report": None, "messages": None}


@asynccontextmanager
async def open_house(
    company: Company, *, token: str | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[tuple[str, Playground]]:
    """Serve a playground, on a free port if on no other; yield its URL."""
    play = Playground(company, SecretStr(token) if token else None)
    server = WebServer(play.app(), host, port)
    url = await server.start()
    try:
        yield url, play
    finally:
        await server.stop()
