"""The program's face in a terminal: a talk by lines, until the input or the person ends it."""

from __future__ import annotations

import asyncio
import os
import secrets
import select
import signal
import sys
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from bot import footprint
from bot.app import Troupe, open_troupe
from bot.chat.account import TurnAccount
from bot.chat.stage import MAX_TEXT, Stage
from bot.errors import InputRejected, NotFound
from bot.settings import Settings

QUIT = "/quit"
AT_ONCE = 65_536
"""Bytes of one read."""
LONGEST = 4 * MAX_TEXT
"""Bytes of a line that are kept: one that has more is too long, whatever its characters."""
MOST_NAMES = 20


class _Keyboard:
    """Lines of standard input, be it a terminal, a pipe or a file; a wait for one can be ended."""

    def __init__(self) -> None:
        self._waker, self._wake = os.pipe()
        self._input = sys.stdin.fileno()
        self._rest = b""
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._waker)
        os.close(self._wake)

    def wake(self) -> None:
        """End the wait for a line, now or later. Never waits."""
        os.write(self._wake, b"\0")

    async def line(self) -> str | None:
        """Return the next line, or more than `MAX_TEXT` characters of a longer one; None at the
        end of the input, and once woken."""
        return await asyncio.to_thread(self._line)

    def _line(self) -> str | None:
        while b"\n" not in self._rest and not self._ended:
            ready, _, _ = select.select([self._waker, self._input], [], [])
            if self._waker in ready:
                return None
            read = os.read(self._input, AT_ONCE)
            self._ended = not read
            line, newline, more = read.partition(b"\n")
            if len(self._rest) <= LONGEST:
                self._rest += line
            self._rest += newline + more
        line, _, self._rest = self._rest.partition(b"\n")
        if self._ended and not line and not self._rest:
            return None
        return line.decode("utf-8", errors="replace").rstrip("\r")


class _Screen:
    """A screen that writes what is new."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, text: str) -> None:
        new = text[len(self._shown) :] if text.startswith(self._shown) else f"\n{text}"
        _write(new)
        self._shown = text


class _Interruption:
    """A signal that ends the talk: what is being waited for ends with it."""

    def __init__(self, keyboard: _Keyboard) -> None:
        self.code: int | None = None
        """The exit code, once there was a signal."""
        self._keyboard = keyboard
        self._saying: asyncio.Task[TurnAccount] | None = None
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._stop, 128 + signal.SIGINT)
        loop.add_signal_handler(signal.SIGTERM, self._stop, 0)

    def close(self) -> None:
        """Leave the signals as they were: whom to wake is gone."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)

    def _stop(self, code: int) -> None:
        if self.code is None:
            self.code = code
            self._keyboard.wake()
        if self._saying is not None:
            self._saying.cancel()

    async def unless(self, saying: asyncio.Task[TurnAccount]) -> TurnAccount | None:
        """Return a turn's account; None when the signal came, which also ends the generation."""
        self._saying = saying
        try:
            return await saying
        except asyncio.CancelledError:
            if self.code is None:
                raise
            return None
        finally:
            self._saying = None


async def converse(settings: Settings, persona: str | None) -> int:
    """Talk until the input ends, `/quit` or a signal: SIGINT gives 130, SIGTERM 0.

    Raises:
        InputRejected: there is no such persona.
    """
    async with AsyncExitStack() as stack:
        keyboard = stack.enter_context(_Keyboard())
        interruption = _Interruption(keyboard)
        stack.callback(interruption.close)
        troupe = await open_troupe(settings, stack)
        footprint.settle()
        stage, session = troupe.stage(), f"terminal-{secrets.token_hex(8)}"
        chosen = _chosen(troupe, stage, persona) if persona is not None else None
        stack.push_async_callback(stage.reset, session)
        while interruption.code is None:
            _write("> ")
            line = await keyboard.line()
            if line is None or line.strip() == QUIT:
                break
            if not line.strip():
                continue
            if len(line) > MAX_TEXT:
                _write(f"That is too long: a message has {MAX_TEXT:,} characters at most.\n")
                continue
            saying = asyncio.create_task(stage.say(session, line.strip(), chosen, _Screen()))
            account = await interruption.unless(saying)
            if account is not None:
                _write(f"\n{_signed(account)}\n")
        if interruption.code is not None:
            _write("\n")
        return interruption.code or 0


def _chosen(troupe: Troupe, stage: Stage, name: str) -> str:
    try:
        return troupe.casting.persona(name, None).id
    except NotFound as error:
        known = ", ".join(each.id for each in stage.personas()[:MOST_NAMES])
        raise InputRejected([f"--persona: there is no {name[:64]!r}, but {known}"]) from error


def _signed(account: TurnAccount) -> str:
    who = account.persona.name if account.persona else "nobody"
    route = account.decision.route.value if account.decision else "none"
    return f"[{who}, {route}] {account.notice or ''}"


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
