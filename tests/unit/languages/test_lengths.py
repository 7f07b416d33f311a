"""Labels, titles and hints stay within what Discord takes, in every language.

A text that is too long makes Discord refuse the whole form or message, for the readers of one
language only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.discord.commands.persona.editing import FIELDS
from bot.languages import LANGUAGES, lookup

DISCORD = Path(__file__).resolve().parents[3] / "bot" / "adapters" / "discord"
LIMITS = {
    ("Label", "text"): 45,
    ("Label", "description"): 100,
    ("Modal", "title"): 45,
    ("TextInput", "label"): 45,
    ("TextInput", "placeholder"): 100,
    ("Select", "placeholder"): 150,
    ("Button", "label"): 80,
    ("SelectOption", "label"): 100,
    ("SelectOption", "description"): 100,
}
"""Discord API reference, "Component Reference"."""
FALLBACK = {"title": 45, "label": 80, "placeholder": 100, "description": 100}
"""By keyword alone, where a function of ours makes the component."""
WIDEST_VALUE = 10
"""Characters that a field is taken to grow to."""


def shown() -> Iterator[tuple[str, int, str]]:
    """Yield where a text stands, how long it may be, and the text."""
    for path in sorted(DISCORD.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func).split(".")[-1].split("[")[0]
            for given in node.keywords:
                limit = LIMITS.get((called, given.arg or ""), FALLBACK.get(given.arg or ""))
                if limit is None or called in ("command", "describe", "Group"):
                    continue
                for text in literals(given.value):
                    yield f"{path.name}:{node.lineno} {called} {given.arg}", limit, text


def literals(value: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be, where they are translated as they stand."""
    if isinstance(value, ast.IfExp):
        yield from literals(value.body)
        yield from literals(value.orelse)
    elif (
        isinstance(value, ast.Call)
        and ast.unparse(value.func) in ("t", "mark")
        and isinstance(value.args[0], ast.Constant)
    ):
        yield str(value.args[0].value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_too_long_for_its_place(language: str) -> None:
    found = list(shown())
    assert len(found) > 20
    found += [("card form", 45, label) for part in FIELDS.values() for label in part.values()]
    for where, limit, text in found:
        said = lookup(language, text)
        size = len(said) + said.count("{") * (WIDEST_VALUE - 6)
        assert size <= limit, f"{where}: {said!r} has {size}, may have {limit}"
