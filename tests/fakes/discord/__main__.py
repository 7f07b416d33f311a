"""Run the fake Discord by hand: `python -m tests.fakes.discord --port 3000`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

from tests.fakes.discord.server import TOKEN, FakeDiscord


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fakes.discord",
        description="A fake Discord on loopback. Prints one JSON line with its addresses; "
        "drive it with POST /_control/<action> (see tests/fakes/discord/README.md).",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000, help="REST port; 0 picks a free one")
    parser.add_argument("--gateway-port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--token", default=TOKEN, help="the only bot token it accepts")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds a REST call takes")
    parser.add_argument("--rate-limits", action="store_true", help="enforce Discord's limits")
    parser.add_argument("--heartbeat", type=float, default=41.25, help="seconds between two")
    parser.add_argument("--guild", default="home", help="a guild to start with")
    parser.add_argument("--channel", action="append", help="its channels; default: general")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with FakeDiscord(
        host=options.host,
        port=options.port,
        gateway_port=options.gateway_port,
        token=options.token,
        latency=options.latency,
        rate_limits=options.rate_limits,
        heartbeat_interval=options.heartbeat,
    ) as discord:
        discord.guild(options.guild, channels=options.channel or ["general"])
        started = {
            "origin": discord.origin,
            "api_base": discord.api_base,
            "gateway_url": discord.gateway_url,
            "token": discord.token,
            "bot": discord.bot_user.id,
        }
        print(json.dumps(started), flush=True)
        await stop.wait()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        asyncio.run(_serve(_arguments()))
    else:
        uvloop.run(_serve(_arguments()))
