"""`troupe cards check|show|convert|prompt`: look at card files without running the bot."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.chat.conversation import Conversation, Exchange, Variant
from bot.chat.place import ChannelId, MessageId, Place, UserId
from bot.chat.turn import Message, Speaker, Trigger, Turn, TurnId
from bot.errors import CardRejected, InvalidChoice, LorebookGiven, UserFacing
from bot.files.data_files import personas_dir
from bot.guardrails import Guardrails
from bot.personas import pattern_probing, rawjson
from bot.personas.book_export import lorebook_tree
from bot.personas.card import V2, V3
from bot.personas.export import Container, Exported, export_card
from bot.personas.library import CARD_ENDINGS
from bot.personas.persona import Persona, make_persona
from bot.personas.reading import MAX_FILE, ReadCard, read_card, read_lorebook
from bot.prompting import Prompt, PromptInput, TokenEstimator, assemble, greeting_text
from bot.routing.profiles import load_profiles
from bot.routing.route import Route

_OK, _PROBLEMS, _USAGE = 0, 1, 2


def add_parser(subparsers: Any) -> None:
    """Add `cards` with its subcommands to the parser of the program."""
    cards = subparsers.add_parser(
        "cards", help="look at card files", description="Look at card files, or convert them."
    )
    actions = cards.add_subparsers(dest="action", required=True, metavar="action")
    check = actions.add_parser("check", help="read files and say what is odd; exits 1 on a refusal")
    check.add_argument("files", type=Path, nargs="+", help="card files, or folders of them")
    check.add_argument("--json", action="store_true", help="print a JSON list")
    show = actions.add_parser("show", help="print a card's fields")
    show.add_argument("file", type=Path)
    show.add_argument("--json", action="store_true", help="print the card's own JSON")
    convert = actions.add_parser("convert", help="write a card as JSON, PNG or CHARX")
    convert.add_argument("source", type=Path, metavar="IN")
    convert.add_argument("target", type=Path, metavar="OUT", help="*.json, *.png or *.charx")
    convert.add_argument("--spec", choices=("v2", "v3"), help="default: the card's own, else v3")
    prompt = actions.add_parser("prompt", help="print what a model would get")
    prompt.add_argument("file", type=Path)
    prompt.add_argument("message", help="what a person says")
    prompt.add_argument("--user", default="Alex", help="the person's name (default: Alex)")
    prompt.add_argument("--route", choices=[r.value for r in Route], default=Route.COMPANION.value)
    prompt.add_argument(
        "--greeting", type=int, default=1, help="number, or 0 for none (default: 1)"
    )
    prompt.add_argument("--num-ctx", type=int, default=8192, help="context in tokens")
    prompt.add_argument("--json", action="store_true", help="print messages and report as JSON")
    for action in (check, show, convert, prompt):
        action.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run one action and return the exit code: 0 well, 1 refused, 2 wrong usage."""
    actions = {"check": _check, "show": _show, "convert": _convert, "prompt": _prompt}
    try:
        return actions[args.action](args)
    except InvalidChoice as error:
        _complain(f"cards {args.action}: {error}")
        return _USAGE
    except BrokenPipeError:
        raise  # `… | head` has seen enough
    except (UserFacing, OSError) as error:
        _complain(f"cards {args.action}: {_reason(error)}")
        return _PROBLEMS


def _reason(error: Exception, known: Path | None = None) -> str:
    """Return what is wrong, for people: no error numbers. `known` is a path said already."""
    if isinstance(error, OSError) and error.strerror:
        named = error.filename and str(error.filename) != str(known)
        return f"{error.filename}: {error.strerror}." if named else f"{error.strerror}."
    return str(error)


def _print(text: str) -> None:
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(text + "\n")


def _read(path: Path) -> bytes:
    if not path.is_dir() and path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a file", str(path))  # a pipe may never end
    with path.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise CardRejected("The file is larger than {size} MB.", size=MAX_FILE // 2**20)
    return data


# ── check ───────────────────────────────────────────────────────────────────────────────────


def _check(args: argparse.Namespace) -> int:
    results = [result for path in args.files for result in _checked(path)]
    if args.json:
        _print(json.dumps(results, ensure_ascii=False, indent=2))
    else:
        for result in results:
            _print(_line(result))
            for warning in result["warnings"]:
                _print(f"  - {warning}")
    return _OK if all(result["ok"] for result in results) else _PROBLEMS


def _checked(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the results of a file, or of each file of a folder."""
    if not path.is_dir():
        yield check_file(path)
        return
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in CARD_ENDINGS and p.is_file())
    if not files:
        yield _refused(path, f"no card files here ({', '.join(sorted(CARD_ENDINGS))})")
    yield from map(check_file, files)


def check_file(path: Path) -> dict[str, Any]:
    """Read one card or lorebook; return file, ok, spec, name, warnings and error."""
    try:
        data = _read(path)
        try:
            read = read_card(data, path.name)
            warnings = (*read.warnings, *pattern_probing.flaws(read.card))
            found = (read.spec, read.card.name, warnings)
        except LorebookGiven:
            lore = read_lorebook(data, path.name)
            warnings = (*lore.warnings, *pattern_probing.book_flaws(lore.book))
            found = (lore.spec, lore.book.name, warnings)
    except (CardRejected, OSError) as error:
        return _refused(path, _reason(error, path))
    spec, name, warnings = found
    return {
        "file": str(path), "ok": True, "spec": spec, "name": name, "warnings": list(warnings),
        "error": None,
    }  # fmt: skip


def _refused(path: Path, why: str) -> dict[str, Any]:
    return {
        "file": str(path), "ok": False, "spec": None, "name": None, "warnings": [], "error": why
    }  # fmt: skip


def _line(result: dict[str, Any]) -> str:
    if not result["ok"]:
        return f"✗ {result['file']}: {result['error']}"
    return f"✓ {result['file']}: {result['name']} ({result['spec']})"


# ── show ────────────────────────────────────────────────────────────────────────────────────


def _show(args: argparse.Namespace) -> int:
    read = read_card(_read(args.file), args.file.name)
    if args.json:
        _print(rawjson.pretty(read.card.raw))
        return _OK
    card = read.card
    rows: list[tuple[str, object]] = [
        ("name", card.name), ("nickname", card.nickname), ("spec", card.spec),
        ("creator", card.creator), ("version", card.character_version),
        ("tags", ", ".join(card.tags)), ("notes", card.creator_notes),
        ("description", card.description), ("personality", card.personality),
        ("scenario", card.scenario), ("system prompt", card.system_prompt),
        ("post-history", card.post_history_instructions), ("first message", card.first_mes),
        *((f"greeting {n}", g) for n, g in enumerate(card.alternate_greetings, 2)),
        *(("group greeting", g) for g in card.group_only_greetings),
        ("examples", card.mes_example), ("talkativeness", card.talkativeness),
        ("lorebook", f"{len(card.book.entries)} entries" if card.book else ""),
        ("regex scripts", len(card.regex_scripts) or ""),
        ("picture", f"{len(read.avatar):,} bytes" if read.avatar else ""),
        ("files", ", ".join(sorted(read.files))),
        ("warnings", "\n".join(read.warnings)),
    ]  # fmt: skip
    for label, value in rows:
        text = str(value).strip().replace("\n", "\n" + " " * 16)
        if text:
            _print(f"{label + ':':<16}{text}")
    return _OK


# ── convert ─────────────────────────────────────────────────────────────────────────────────


def _convert(args: argparse.Namespace) -> int:
    ending = args.target.suffix.lower().lstrip(".")
    if ending not in set(Container):
        raise InvalidChoice("OUT must end in .json, .png or .charx.")
    data = _read(args.source)
    try:
        read = read_card(data, args.source.name)
    except LorebookGiven:
        if ending != Container.JSON:
            raise
        exported = _lorebook(data, args.source.name)
    else:
        container = Container(ending)
        own = V2 if read.spec == V2 and container is not Container.CHARX else V3
        spec = {"v2": V2, "v3": V3}.get(args.spec, own)
        exported = export_card(read, container, spec=spec, now=time.time())
    _write(args.target, exported.data)
    for lost in exported.lost:
        _complain(f"cards convert: left out: {lost}")
    return _OK


def _lorebook(data: bytes, filename: str) -> Exported:
    read, tree = read_lorebook(data, filename), rawjson.parse(data)
    return Exported(rawjson.pretty(lorebook_tree(tree, read.book)).encode())


def _write(path: Path, data: bytes) -> None:
    """Replace a file as a whole, so that a crash leaves the old one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        fresh.unlink(missing_ok=True)


# ── prompt ──────────────────────────────────────────────────────────────────────────────────


def _prompt(args: argparse.Namespace) -> int:
    if not 1024 <= args.num_ctx <= 1_048_576:
        raise InvalidChoice("--num-ctx must lie between 1024 and 1048576.")
    read = read_card(_read(args.file), args.file.name)
    persona = make_persona(read, args.file.stem)
    prompt = _assemble(args, read, persona)
    if args.json:
        messages = [asdict(message) for message in prompt.messages]
        shown = {
            "messages": [{"role": m["role"], "content": m["content"]} for m in messages],
            "stop": prompt.stop, "num_keep": prompt.num_keep, "report": prompt.report.to_json(),
        }  # fmt: skip
        _print(json.dumps(shown, ensure_ascii=False, indent=2))
        return _OK
    for message in prompt.messages:
        _print(f"── {message.role} ──\n{message.content}\n")
    for warning in prompt.report.warnings:
        _complain(f"cards prompt: {warning}")
    return _OK


def _assemble(args: argparse.Namespace, read: ReadCard, persona: Persona) -> Prompt:
    folder = personas_dir()
    profile = load_profiles(folder / "routes.toml")[Route(args.route)]
    now, place = time.time(), Place(ChannelId(1))
    person = Speaker(UserId(1), args.user)
    exchanges: tuple[Exchange, ...] = ()
    greeting = args.greeting - 1 if persona.greetings else -1
    if greeting >= 0:
        text = greeting_text(persona, greeting, user=args.user, now=now)
        variant = Variant(text, (MessageId(1),), persona.id, profile.route, "", now)
        exchanges = (Exchange(TurnId("1"), (), (variant,), 0),)
    turn = Turn((Message(MessageId(2), place, person, args.message, now),), Trigger.PLAY)
    return assemble(
        PromptInput(
            persona=persona,
            profile=profile,
            conversation=Conversation(place, exchanges),
            turn=turn,
            estimator=TokenEstimator(),
            num_ctx=args.num_ctx,
            reply_tokens=int(profile.options.get("num_predict", 700)),
            safety_text=Guardrails.load(folder).safety_text,
            greeting=greeting if greeting >= 0 else None,
            seed=2,
            now=now,
        )
    )
