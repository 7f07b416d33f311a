"""Redis servers of the kinds that operators run: single over TCP, Cluster, Sentinel."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bot.adapters.redis.server_files import find_server_binary
from tests.fakes import PATIENCE


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def server(
    directory: Path, *options: str, port: int | None = None, config: str | None = None
) -> Iterator[int]:
    """Run a server on loopback and yield its port. `config` makes it read a file, as Sentinel
    must."""
    port = port or free_port()
    directory.mkdir(exist_ok=True)
    arguments = [str(find_server_binary())]
    if config is not None:
        (directory / "server.conf").write_text(config)
        arguments.append(str(directory / "server.conf"))
    arguments += ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
    arguments += ["--save", "", *options] if config is None else list(options)
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(arguments, stdout=log, stderr=log) as process,
    ):
        try:
            _until_open(port, process)
            yield port
        finally:
            process.kill()


def _until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("the test server did not come up")
