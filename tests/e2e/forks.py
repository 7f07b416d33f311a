"""Bots that are forked from one which has everything imported: a start costs a tenth of the CPU.

A fork runs `bot.__main__.main` as `python -m bot` does, in a process with an environment, a folder
and streams of its own, that can be killed like any other. What it lacks is the start of a fresh
interpreter, which `test_program.py` sees; with `FRESH=1` in the environment every bot has one.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, NoReturn

_ROOT = Path(__file__).resolve().parents[2]
_MOST = 2**17
"""Bytes of a request at most."""


class Forked:
    """A forked bot, as `asyncio.subprocess.Process` shows a process."""

    def __init__(
        self,
        pid: int,
        stdin: BinaryIO,
        stdout: asyncio.StreamReader,
        stderr: asyncio.StreamReader,
        ends: asyncio.StreamReader,
    ) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout, self.stderr = stdout, stderr
        self._stdin = stdin
        self._ends = asyncio.create_task(self._watch(ends))

    async def _watch(self, ends: asyncio.StreamReader) -> int:
        self.returncode = int(await ends.read())
        self._stdin.close()
        return self.returncode

    async def wait(self) -> int:
        """Wait for its end; return the exit code, or the signal's number below zero."""
        return await asyncio.shield(self._ends)

    async def communicate(self, said: bytes = b"") -> tuple[bytes, bytes]:
        """Write to its standard input, and close that; wait for its end; return what it wrote."""
        out, err, _ = await asyncio.gather(
            self.stdout.read(), self.stderr.read(), asyncio.to_thread(self._say, said)
        )
        await self.wait()
        return out, err

    def _say(self, said: bytes) -> None:
        with contextlib.suppress(BrokenPipeError), self._stdin as stdin:
            stdin.write(said)

    def send_signal(self, number: int) -> None:
        """Raises: ProcessLookupError: it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def fork(*arguments: str, cwd: Path, env: Mapping[str, str], limit: int = 2**20) -> Forked:
    """Start a bot with these arguments; its standard input is open."""
    request = json.dumps({"arguments": arguments, "cwd": str(cwd), "env": dict(env)})
    stdin, saying = os.pipe()
    pipes = [os.pipe() for _ in range(3)]
    theirs = [stdin, *(end for _, end in pipes)]
    try:
        socket.send_fds(_mother(), [request.encode()], theirs)
    finally:
        for end in theirs:
            os.close(end)
    out, err, ends = [await _read(end, limit) for end, _ in pipes]
    return Forked(int(await ends.readline()), os.fdopen(saying, "wb"), out, err, ends)


async def _read(end: int, limit: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(end, "rb", 0)
    )
    return reader


@cache
def _mother() -> socket.socket:
    """Start the process that forks, one for each process of the tests; it ends with that."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.forks", str(its.fileno())],
            cwd=_ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[its.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


# ── the process that forks ──────────────────────────────────────────────────────────────────


def _serve(control: socket.socket) -> None:
    """Fork at every request, tell of each child's pid and end, until the tests are over."""
    signs, told = os.pipe()
    os.set_blocking(told, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(told)
    children: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), signs], [], [])
        if signs in ready:
            os.read(signs, 4096)
            _reap(children)
        if control.fileno() in ready:
            message, streams, _, _ = socket.recv_fds(control, _MOST, 4)
            if not message:
                return
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for each in (control.detach(), signs, told, *children.values()):
                    os.close(each)
                _be_a_bot(streams, **json.loads(message))
            *others, ends = streams
            for each in others:
                os.close(each)
            children[pid] = ends
            os.write(ends, b"%d\n" % pid)


def _reap(children: dict[int, int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            ends = children.pop(ended[0])
            with contextlib.suppress(BrokenPipeError):  # nobody waits for it any more
                os.write(ends, b"%d\n" % os.waitstatus_to_exitcode(ended[1]))
            os.close(ends)


def _be_a_bot(
    streams: Sequence[int], arguments: Sequence[str], cwd: str, env: Mapping[str, str]
) -> NoReturn:
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv[1:] = arguments
    from bot.__main__ import main

    sys.exit(main())


def _prepare() -> None:
    """Import what a bot imports, compile the shipped rules, and share both with every fork."""
    for name in ("bot.cli", "bot.faces.serve", "bot.faces.on_discord", "bot.faces.in_terminal"):
        import_module(name)
    from bot.guardrails import Guardrails

    Guardrails.load()
    gc.freeze()


if __name__ == "__main__":
    _prepare()
    _serve(socket.socket(fileno=int(sys.argv[1])))
