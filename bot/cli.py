"""The command line: `troupe` or `python -m bot`.

Exit codes: 0 well · 1 problems were found (doctor, cards check) · 2 wrong usage or settings ·
3 a part that is needed could not start (Redis, the model, Discord) · 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot import __version__
from bot.commandline import cards as card_commands
from bot.errors import InputRejected, SettingsRejected, TroupeError
from bot.files.output_files import make_ready
from bot.guardrails import commandline as guard_commands
from bot.memory import commandline as memory_commands
from bot.observability import LogOutput, log_to_stderr
from bot.routing import commandline as route_commands
from bot.routing.model_stage import load_model_stage
from bot.routing.opening import PROFILES
from bot.settings import Settings, load_settings
from bot.subject_access import PersonExport, Requester

OK, PROBLEMS, USAGE, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = build_parser()
    args = parser.parse_args(argv)
    log_to_stderr()
    try:
        code: int = args.run(args)
        sys.stdout.flush()  # a reader that is gone is noticed here, not while closing
    except SettingsRejected as error:
        about = args.command if isinstance(error, InputRejected) else "settings"
        for problem in error.problems:
            print(f"{about}: {problem}", file=sys.stderr)
        return USAGE
    except TroupeError as error:
        print(f"{args.command}: {error}", file=sys.stderr)
        return UNAVAILABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return OK
    return code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    parser = argparse.ArgumentParser(
        prog="troupe",
        description="A Discord bot that hosts routed personas.",
        epilog="exit codes: 0 well, 1 problems found, 2 wrong usage or settings, "
        "3 a needed part could not start, 130 interrupted",
    )
    parser.add_argument("--version", action="version", version=f"troupe {__version__}")
    parser.add_argument(
        "--env-file", type=Path, default=Path(".env"), help="settings file (default: .env)"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    _add(commands, "run", "the bot with DISCORD_TOKEN, the playground page without", _run)
    _add(commands, "play", "the playground page only", _play)
    chat = _add(commands, "chat", "talk in the terminal", _chat)
    chat.add_argument("--persona", help="id or name; without it the router chooses")
    _add(commands, "doctor", "check token, Redis, models and personas; say what to do", _doctor)
    _add(commands, "pull", "fetch the models of the settings onto the hosts that lack them", _pull)
    migrate = _add(commands, "migrate", "bring the database's schema up to date", _migrate)
    migrate.add_argument("--dry-run", action="store_true", help="say what would be done")
    bench = _add(
        commands, "bench", "measure Troupe against fake servers (needs a checkout)", _bench
    )
    bench.add_argument("scenes", nargs="*", help="which scenes; without any, all")
    bench.add_argument("--json", action="store_true", help="print one JSON object")
    card_commands.add_parser(commands)
    _add_reports(guard_commands.add_parser(commands))
    memory_commands.add_parser(commands, embed_all=_embed_all)
    _add_corrections(route_commands.add_parser(commands, kept=_kept, models=_models))
    _add_data(commands)
    return parser


def _add_data(commands: Any) -> None:
    summary = "export or delete everything about one person"
    data = commands.add_parser("data", help=summary, description=summary)
    steps = data.add_subparsers(dest="step", required=True, metavar="step")
    export = _add(steps, "export", "write what all stores hold about a person, as JSON", _data)
    export.add_argument("--out", type=Path, metavar="FILE", help="without it: standard output")
    delete = _add(steps, "delete", "remove a person from all stores; there is no way back", _data)
    delete.add_argument("--yes", action="store_true", required=True, help="yes, delete")
    delete.add_argument(
        "--requester",
        choices=[requester.value for requester in Requester],
        default=Requester.OWNER.value,
        help="who asks for it; goes into the log (default: owner)",
    )
    for step in (export, delete):
        step.add_argument("--user", type=_ident, required=True, metavar="ID")
    _add(steps, "schema", "print the JSON schema of an export", _data)


def _add_corrections(steps: Any) -> None:
    summary = "write a server's corrections, for `route train --data`"
    corrections = _add(steps, "corrections", summary, _corrections)
    corrections.add_argument("--guild", type=_ident, required=True, metavar="ID")
    corrections.add_argument("--out", type=Path, required=True, metavar="FILE")


def _add_reports(steps: Any) -> None:
    summary = "read what people reported about replies, newest first"
    reports = _add(steps, "reports", summary, _reports)
    reports.add_argument(
        "--guild", type=_ident, metavar="ID", help="a server; without it: direct messages"
    )
    reports.add_argument("--count", type=int, default=50, help="how many at most (default 50)")
    reports.add_argument("--json", action="store_true", help="print one JSON object a line")


def _ident(text: str) -> int:
    """Read an id of Discord's."""
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:21]) < 1 << 64:
        raise argparse.ArgumentTypeError("must be the id of a server or person, a number")
    return int(text)


def _add(
    commands: Any, name: str, summary: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(run=run)
    return parser


def _in_loop(settings: Settings, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a coroutine on uvloop where there is one."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None
    try:
        import uvloop  # not on Windows
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with (
        LogOutput(settings.core.log_level, settings.core.log_format),
        asyncio.Runner(loop_factory=factory) as runner,
    ):
        return runner.run(main())


def _run(args: argparse.Namespace) -> int:
    from bot.faces.serve import serve  # imported late: `cards check` needs none of it

    settings = load_settings(args.env_file)
    return _in_loop(settings, lambda: serve(settings, discord=settings.discord.token is not None))


def _play(args: argparse.Namespace) -> int:
    from bot.faces.serve import serve

    settings = load_settings(args.env_file)
    return _in_loop(settings, lambda: serve(settings, discord=False))


def _chat(args: argparse.Namespace) -> int:
    from bot.faces.in_terminal import converse

    settings = load_settings(args.env_file)
    return _in_loop(settings, lambda: converse(settings, args.persona))


def _doctor(args: argparse.Namespace) -> int:
    from bot.commandline.doctor import examine

    settings = load_settings(args.env_file)
    return _in_loop(settings, lambda: examine(settings))


def _pull(args: argparse.Namespace) -> int:
    from bot.commandline.pull import pull_missing

    ollama = load_settings(args.env_file).ollama
    return asyncio.run(pull_missing(ollama))


def _migrate(args: argparse.Namespace) -> int:
    from bot.faces.serve import migrate_only

    settings = load_settings(args.env_file)
    return _in_loop(settings, lambda: migrate_only(settings, dry_run=args.dry_run))


def _kept(env_file: Path) -> Path:
    """Return the data folder of the settings."""
    return load_settings(env_file).core.data_dir


async def _embed_all(texts: Sequence[str], env_file: Path) -> Sequence[Sequence[float]]:
    """Return the texts' vectors from the Ollama of the settings."""
    from bot.adapters.ollama.embed_all import embed_all

    ollama = load_settings(env_file).ollama
    return await embed_all(texts, ollama, ollama.header_values)


@asynccontextmanager
async def _models(env_file: Path) -> AsyncIterator[route_commands.ModelHosts]:
    """Give the hosts of the settings, the model that writes replies, and what routes.toml says of
    the one that is asked for routes."""
    from bot.adapters.ollama import OllamaClassifier
    from bot.adapters.ollama.opened import opened
    from bot.files.data_files import personas_dir

    settings = load_settings(env_file)
    asked = load_model_stage((settings.core.personas_dir or personas_dir()) / PROFILES)
    ollama = settings.ollama
    async with opened(ollama, ollama.header_values) as pool:
        yield route_commands.ModelHosts(pool, ollama.model, asked, OllamaClassifier(pool))


def _corrections(args: argparse.Namespace) -> int:
    from bot.commandline.data import export_corrections

    settings = load_settings(args.env_file)
    make_ready(args.out)
    return _in_loop(settings, lambda: export_corrections(settings, args.guild, args.out))


def _reports(args: argparse.Namespace) -> int:
    from bot.commandline.data import show_reports

    if args.count < 1:
        raise InputRejected(["--count must be at least 1"])
    settings = load_settings(args.env_file)
    count = min(args.count, 1000)
    return _in_loop(settings, lambda: show_reports(settings, args.guild, count, as_json=args.json))


def _data(args: argparse.Namespace) -> int:
    if args.step == "schema":
        print(json.dumps(PersonExport.model_json_schema(), indent=1))
        return OK
    from bot.commandline.data import delete_data, export_data

    settings = load_settings(args.env_file)
    if args.step == "export":
        if args.out is not None:
            make_ready(args.out)
        return _in_loop(settings, lambda: export_data(settings, args.user, args.out))
    requester = Requester(args.requester)
    return _in_loop(settings, lambda: delete_data(settings, args.user, requester))


def _bench(args: argparse.Namespace) -> int:
    try:
        from tests.bench import run_scenes
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("tests"):
            raise
        print("bench: needs a checkout with its tests; see CONTRIBUTING.md", file=sys.stderr)
        return USAGE
    code: int = run_scenes(args.scenes, as_json=args.json)
    return code
