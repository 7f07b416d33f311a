"""Run the fake by hand: `python -m tests.fakes.ollama --port 11500 --rate 40`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal

from tests.fakes.ollama.server import DEFAULT_MODELS, FakeOllama


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.ollama", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and prints it")
    parser.add_argument("--model", action="append", help="a model to have; may be repeated")
    parser.add_argument("--rate", type=float, help="tokens a second a stream; without: instant")
    parser.add_argument("--prompt-rate", type=float, help="prompt tokens evaluated a second")
    parser.add_argument("--first-token", type=float, default=0.0, help="seconds before the first")
    parser.add_argument("--parallel", type=int, default=4, help="slots a model")
    parser.add_argument("--tokens", type=int, default=60, help="tokens of an unscripted reply")
    parser.add_argument("--num-ctx", type=int, default=4096, help="the default context")
    parser.add_argument("--load-seconds", type=float, default=0.0, help="time of a cold load")
    parser.add_argument("--reply", help="say this to every chat request")
    parser.add_argument("--keep", type=int, default=1000, help="requests kept in the log")
    return parser


async def serve(args: argparse.Namespace) -> None:
    fake = FakeOllama(
        args.model or DEFAULT_MODELS,
        rate=args.rate,
        prompt_rate=args.prompt_rate,
        first_token=args.first_token,
        num_parallel=args.parallel,
        num_ctx=args.num_ctx,
        load_seconds=args.load_seconds,
        port=args.port,
        keep_records=args.keep,
    )
    fake.scripts.default_tokens = args.tokens
    if args.reply is not None:
        fake.reply_with(args.reply)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with fake:
        print(f"fake ollama listens on {fake.url}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    gc.freeze()
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(arguments().parse_args()))
    else:
        uvloop.run(serve(arguments().parse_args()))
