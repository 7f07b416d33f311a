"""Finds every text that is shown to people: in the code's calls, and in the command tree."""

from __future__ import annotations

import ast
import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import discord
from discord import app_commands
from discord.ext import commands

from bot import errors
from bot.adapters.discord.commands import Services, install
from bot.adapters.discord.commands.memory.commands import install_memory
from bot.adapters.discord.commands.sync import payload_of
from bot.adapters.discord.translation import context_of
from bot.languages.catalogue import fields_of
from bot.memory import Memory

ROOT = Path(__file__).resolve().parents[2]
SHOWN_ERRORS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.UserFacing)
}
COMMAND_LINE = {"commandline.py", "cli.py", "commandline"}
"""Files and folders whose texts an operator reads in a terminal."""
_FIELD_ALONE = re.compile(r"\{\w+\}")
OWN_KEYWORDS = {"Busy": {"retry_after"}}
"""Keywords of an error that are not fields of its text."""


@dataclass(frozen=True, order=True)
class Key:
    """What a translation is found by. `plural` is empty for most."""

    source: str
    context: str = ""
    plural: str = ""

    @property
    def fields(self) -> frozenset[str]:
        return fields_of(self.source) | fields_of(self.plural)


@dataclass
class Collected:
    """Texts with the places that show them, and what is wrong with those places."""

    places: dict[Key, set[str]] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def add(self, key: Key, place: str) -> None:
        self.places.setdefault(key, set()).add(place)


def collect() -> Collected:
    """Return everything that people are shown."""
    collected = Collected()
    for path in sorted((ROOT / "bot").rglob("*.py")):
        if path.parent.name == "languages" or COMMAND_LINE & {path.name, path.parent.name}:
            continue
        _from_code(path, collected)
    for key in tree_texts():
        collected.add(key, "commands")
    return collected


# ── code ────────────────────────────────────────────────────────────────────────────────────


def _from_code(path: Path, collected: Collected) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    name = str(path.relative_to(ROOT))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            called = node.func
            called_name = called.id if isinstance(called, ast.Name) else ""
            if called_name in {"t", "tn", "mark"} | SHOWN_ERRORS:
                _call(node, called_name, name, collected)


def _call(node: ast.Call, called: str, path: str, collected: Collected) -> None:
    literals = node.args[: 2 if called == "tn" else 1]
    texts = [each.value for each in literals if isinstance(each, ast.Constant)]
    texts = [text for text in texts if isinstance(text, str)]
    at = f"{path}:{node.lineno}"
    if len(texts) < len(literals):
        if called in {"t", "tn", "mark"} or isinstance(literals[0], ast.JoinedStr | ast.BinOp):
            collected.mistakes.append(f"{at}: the first argument of {called} must be a literal")
        return
    key = Key(texts[0], plural=texts[1] if called == "tn" else "")
    if _FIELD_ALONE.fullmatch(key.source) is None:
        collected.add(key, path)
    if called == "mark" or any(each.arg is None for each in node.keywords):
        return
    given = {each.arg for each in node.keywords if each.arg} - OWN_KEYWORDS.get(called, set())
    given |= {"count"} if called == "tn" else set()
    if given - {"count"} != key.fields - {"count"} or (key.fields - given):
        collected.mistakes.append(f"{at}: fields {sorted(key.fields)}, given {sorted(given)}")


# ── commands ────────────────────────────────────────────────────────────────────────────────


class _Anything:
    """Stands for the services: commands are only described here, never called."""

    def __getattr__(self, name: str) -> _Anything:
        return _Anything()


class _Listing(app_commands.Translator):
    """Writes down what discord.py asks to have translated."""

    def __init__(self) -> None:
        self.asked: set[Key] = set()

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        source = string.message
        if source != "…":  # discord.py's own, for a missing description
            self.asked.add(Key(source, context_of(context.location, context.data) or ""))
        return None


async def command_tree() -> app_commands.CommandTree[commands.Bot]:
    """Return the tree with every command that the running bot has."""
    bot = commands.Bot("!", intents=discord.Intents.none(), help_command=None)
    await install(bot, cast("Services", _Anything()))
    await install_memory(bot, cast("Memory", _Anything()), 1)
    return bot.tree


def tree_texts() -> set[Key]:
    """Return names and descriptions of all commands, options and choices."""
    return _run(_tree_texts())


async def _tree_texts() -> set[Key]:
    tree, listing = await command_tree(), _Listing()
    await tree.set_translator(listing)
    await payload_of(tree)
    return listing.asked


async def _payloads() -> list[dict[str, Any]]:
    return await payload_of(await command_tree())


def payloads() -> list[dict[str, Any]]:
    """Return what Discord is told of each command, with all translations."""
    return _run(_payloads())


def _run(work: Any) -> Any:
    """Run a coroutine on a loop of its own: nothing here waits for anything."""
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(asyncio.run(work)))
    thread.start()
    thread.join()
    return result[0]


def names_within(payload: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield each group of siblings whose names must differ: subcommands, options, choices."""
    for which in ("options", "choices"):
        inner = payload.get(which) or []
        if inner:
            yield inner
            for each in inner:
                yield from names_within(each)
