"""A reply on its way to the page: lines of JSON, each with what is new of the text."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol

import structlog
from aiohttp import web

from bot.chat.notices import notice_for
from bot.errors import Busy, UserFacing

log = structlog.get_logger(__name__)

WRITE_SECONDS = 30.0
HEARTBEAT_SECONDS = 10.0


class PlaySink(Protocol):
    """Where a reply becomes visible while it is written."""

    def show(self, text: str) -> None:
        """Show the whole approved text so far; the latest text wins. Never waits."""
        ...


class Account(Protocol):
    """What was decided in a turn, and why: `bot.chat.account.TurnAccount`."""

    def to_json(self) -> dict[str, Any]: ...


class Latest:
    """A `PlaySink` that keeps the latest text until its reader has time for it."""

    def __init__(self) -> None:
        self.text = ""
        self.changed = asyncio.Event()

    def show(self, text: str) -> None:
        self.text = text
        self.changed.set()


async def relay(response: web.StreamResponse, sink: Latest, turn: asyncio.Task[Account]) -> None:
    """Send what is new of the text, until the turn is over."""
    sent = ""
    while True:
        try:
            await asyncio.wait_for(sink.changed.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            await write(response, {"type": "wait"})
            continue
        sink.changed.clear()
        text = sink.text
        if text != sent:
            grown = text.startswith(sent)
            kind = "add" if grown else "show"
            await write(response, {"type": kind, "text": text[len(sent) :] if grown else text})
            sent = text
        if turn.done() and sink.text == sent:
            return


def ending(turn: asyncio.Task[Account]) -> dict[str, Any]:
    """Return the last line: the account, or what went wrong in one line for the person."""
    if turn.cancelled():
        return _failure("cancelled", "The reply was stopped.")
    error = turn.exception()
    if error is None:
        return {"type": "account", "account": turn.result().to_json()}
    if isinstance(error, TimeoutError):
        return _failure("timeout", "The reply took too long. Please try again.")
    if not isinstance(error, UserFacing):
        log.error("turn failed", exc_info=error)
    code = "busy" if isinstance(error, Busy) else "failed"
    return _failure(code, notice_for(error))


def _failure(code: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"code": code, "message": message}}


async def write(response: web.StreamResponse, line: dict[str, Any]) -> None:
    """Write one line.

    Raises:
        TimeoutError: the reader does not read.
        ConnectionError: the reader is gone.
    """
    data = json.dumps(line, ensure_ascii=True, default=str).encode() + b"\n"
    await asyncio.wait_for(response.write(data), WRITE_SECONDS)
