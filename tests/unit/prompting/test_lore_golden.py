"""The lorebook engine against observed results: SillyTavern's (`wi.json`) and the text of Version 3
(`v3.json`).

SillyTavern counts tokens in words here, and its budget is exclusive where ours is inclusive: an
entry that fits exactly fits. The harness therefore gives one word less; then no budget case
differs.

Where we differ stands in the table of `test_golden_divergences`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from bot.personas.book_reading import read_book
from bot.personas.coerce import Notes
from bot.personas.lorebook import Lorebook, Position
from bot.prompting.lore import LoreResult, LoreSettings, Matching, ScanMessage, Scene, scan
from bot.prompting.lore.timed import LoreState, entry_key
from bot.prompting.macro_values import MacroContext

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "cards"
WORLD = json.loads((GOLDEN / "wi.json").read_text("utf-8"))
V3 = json.loads((GOLDEN / "v3.json").read_text("utf-8"))

UNICODE_WORDS: dict[str, list[str]] = {
    "whole-word-accent": ["2"],
    "whole-word-cyrillic-substring": [],
}


def chance_of(values: list[float]) -> Callable[[], float]:
    numbers: Iterator[float] = chain(values, repeat(values[-1] if values else 0.5))
    return lambda: next(numbers)


def book_of(name: str, entries: list[dict[str, Any]]) -> Lorebook:
    return read_book({"name": name, "entries": entries}, Notes(), world_info=True)


def scan_world(case: dict[str, Any]) -> LoreResult:
    given = case["input"]
    settings, lore = given.get("settings", {}), given["lore"]
    chat_lore, character, everywhere = (
        [book_of(kind, lore[kind])] if kind in lore else []
        for kind in ("chatLore", "characterLore", "globalLore")
    )
    tiers = {
        0: [chat_lore, [*character, *everywhere]],
        1: [chat_lore, character, everywhere],
        2: [chat_lore, everywhere, character],
    }[settings.get("strategy", 1)]
    user, char = given.get("user", "User"), given.get("char", "Char")
    budget = round(settings.get("budget_pct", 25) * given.get("max_context", 4096) / 100) or 1
    return scan(
        tiers,
        Scene(
            chat=[ScanMessage(name, text, name == char) for name, text in given["chat"]],
            context=MacroContext(char=char, user=user),
            budget=budget - 1,
            count=lambda text: len(text.split()),
            chance=chance_of(given.get("random", [])),
            length=len(given["chat"]),
            injected=(given["inject"],) if "inject" in given else (),
        ),
        LoreSettings(
            depth=settings.get("depth", 2),
            recursive=settings.get("recursive", True),
            include_names=settings.get("include_names", True),
            matching=Matching(
                settings.get("case_sensitive", False), settings.get("match_whole_words", True)
            ),
            group_scoring=settings.get("group_scoring", False),
        ),
    )


def text_at(result: LoreResult, *positions: Position) -> str:
    return "\n".join(
        fired.content for position in positions for fired in result.by_position()[position]
    )


@pytest.mark.parametrize("case", WORLD, ids=lambda case: case["id"])
def test_world_info_fires_what_people_rely_on(case: dict[str, Any]) -> None:
    result = scan_world(case)
    expected = case.get("expected_2026", case["expected"])
    wanted = UNICODE_WORDS.get(case["id"], [each.split(".")[-1] for each in expected["activated"]])
    assert sorted(fired.entry.uid for fired in result.fired) == sorted(wanted)
    if case["id"] in UNICODE_WORDS:
        return
    assert unordered(text_at(result, Position.BEFORE_CHAR), case) == unordered(
        expected["before"], case
    )
    assert text_at(result, Position.AFTER_CHAR) == expected["after"]
    examples = [
        {"position": int(position is Position.EXAMPLES_BOTTOM), "content": fired.content}
        for position in (Position.EXAMPLES_TOP, Position.EXAMPLES_BOTTOM)
        for fired in result.by_position()[position]
    ]
    assert examples == expected["examples"]
    if "authors_note" in expected:
        top, bottom = text_at(result, Position.NOTE_TOP), text_at(result, Position.NOTE_BOTTOM)
        assert f"{top}\n{case['input']['authors_note']}\n{bottom}" == expected["authors_note"]


def unordered(text: str, case: dict[str, Any]) -> object:
    """Return a text to compare: its lines in any order where entries share an order."""
    entries = [entry for kind in case["input"]["lore"].values() for entry in kind]
    orders = [entry.get("order", 100) for entry in entries]
    return text if len(set(orders)) == len(orders) else sorted(text.split("\n"))


def test_entries_of_equal_order_stand_as_in_the_book() -> None:
    case = next(case for case in WORLD if case["id"] == "recursion-on")
    assert text_at(scan_world(case), Position.BEFORE_CHAR) == (
        "Bessie is friends with Rufus.\nRufus is a dog."
    )


def scan_v3(case: dict[str, Any]) -> LoreResult:
    book = read_book({**case["book"], "extensions": {}, "entries": [case["entry"]]}, Notes())
    state, length = LoreState(), len(case["chat"])
    if case["state"].get("matched_before"):
        state = LoreState(turn="1", length=1, matched={entry_key(book.entries[0]): 0})
    return scan(
        [[book]],
        Scene(
            chat=[ScanMessage(role, text, role == "assistant") for role, text in case["chat"]],
            context=MacroContext(char="Char", user="User"),
            budget=1_000,
            count=lambda text: len(text.split()),
            chance=lambda: 0.5,
            length=length,
            state=state,
            greeting=case["state"].get("greeting_index"),
        ),
        LoreSettings(include_names=False),
    )


@pytest.mark.parametrize("case", V3, ids=lambda case: case["id"])
def test_version_3_decorators_do_what_the_text_says(case: dict[str, Any]) -> None:
    result, expected = scan_v3(case), case["expect"]
    assert bool(result.fired) is expected["active"]
    if not expected["active"]:
        return
    fired = result.fired[0]
    assert fired.content == expected["content"]
    if expected.get("placement") == "depth":
        assert fired.entry.position is Position.AT_DEPTH
        assert fired.depth == expected["depth"]
        assert fired.entry.role == expected.get("role", fired.entry.role)
        assert fired.prefill is expected.get("prefill", False)
    elif "placement" in expected:
        assert fired.entry.position == expected["placement"]
