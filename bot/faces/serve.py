"""The program's faces: the bot on Discord, the playground page.

Each opens the shared parts, runs until a signal or the end of its input, drains, and closes
everything in order.
"""

from __future__ import annotations

import asyncio
import errno
import importlib
import signal
import sys
from contextlib import AsyncExitStack

import structlog

from bot import footprint
from bot.adapters.redis import look_into_database, open_database
from bot.adapters.redis.migrations import migrate
from bot.adapters.web.ops import ops_app
from bot.adapters.web.play import Playground
from bot.adapters.web.server import WebServer
from bot.app import Troupe, open_troupe
from bot.errors import TroupeError
from bot.files.data_files import migrations_dir
from bot.settings import Settings

log = structlog.get_logger(__name__)


def _on_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """Let the first signal set `stop`, and another one `hurry`."""

    def signalled() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signalled)


async def serve(settings: Settings, *, discord: bool) -> int:
    """Run the bot, or the playground page, until a signal comes; then drain. A second signal ends
    the wait for running turns: what is visible of them is marked, and the successor goes on."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    _on_signals(stop, hurry)
    async with AsyncExitStack() as stack:
        troupe = await open_troupe(settings, stack)
        ops = WebServer(
            ops_app(troupe.metrics, troupe.health), settings.ops.host, settings.ops.port
        )
        log.info("operations page", url=await _listen(ops, "OPS"))
        stack.push_async_callback(ops.stop)
        if not discord:
            footprint.settle()
            return await _serve_playground(troupe, stop, stack)
        # Late: its modules go where that was which only the opening needed; the page needs none.
        # In a thread, for the pages are served already.
        on_discord = await asyncio.to_thread(importlib.import_module, "bot.faces.on_discord")
        await asyncio.to_thread(footprint.settle)
        code: int = await on_discord.serve_discord(troupe, stop, stack, hurry)
        return code


async def _listen(server: WebServer, section: str) -> str:
    """Start a page's server. `section` is the prefix of its settings.

    Raises:
        TroupeError: the address can't be had.
    """
    try:
        return await server.start()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EPERM):
            raise TroupeError(f"{section}_PORT: {reason}; set it to a free port, or 0") from error
        advice = "set it to an address of this machine, such as 127.0.0.1"
        raise TroupeError(f"{section}_HOST: {reason}; {advice}") from error


async def _serve_playground(troupe: Troupe, stop: asyncio.Event, stack: AsyncExitStack) -> int:
    play = troupe.settings.play
    playground = Playground(troupe.stage(), play.token)
    server = WebServer(playground.app(), play.host, play.port)
    url = await _listen(server, "PLAY")
    stack.push_async_callback(server.stop)
    print(f"\nTroupe's playground is open at {url}\n", flush=True)  # noqa: T201  # the one line
    if troupe.models.rehearsal:
        log.warning("replies are rehearsed: start Ollama, or set OLLAMA_HOSTS")
    await stop.wait()
    playground.drain()
    troupe.health.drain()
    return 0


async def migrate_only(settings: Settings, *, dry_run: bool) -> int:
    """Bring the schema up to date, or say what would be done."""
    async with AsyncExitStack() as stack:
        opened = look_into_database if dry_run else open_database
        redis = await opened(settings.redis.address, settings.core.data_dir, stack)
        report = await migrate(redis, migrations_dir(), dry_run=dry_run)
        todo = ", ".join(map(str, report.pending if dry_run else report.applied)) or "nothing"
        verb = "would apply" if dry_run else "applied"
        sys.stdout.write(f"schema version {report.version}; {verb}: {todo}\n")
        return 0
