"""Cases beside the observed ones, from the reference's own words (2.1, and decorators in 1.3)."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

import pytest

from bot.personas.book_reading import read_book
from bot.personas.coerce import Notes
from bot.personas.lorebook import Position
from bot.prompting.lore import LoreResult, LoreSettings, LoreState, ScanMessage, Scene, scan
from bot.prompting.macro_values import MacroContext


def entry(content: str, *keys: str, **fields: Any) -> dict[str, Any]:
    """Return an entry as a world file has it."""
    return {"key": list(keys), "content": content, **fields}


def fire(
    entries: list[dict[str, Any]],
    *chat: str,
    rolls: tuple[float, ...] = (0.5,),
    settings: LoreSettings | None = None,
    **scene: Any,
) -> LoreResult:
    numbered = [{"uid": number, **raw} for number, raw in enumerate(entries, 1)]
    book = read_book({"name": "w", "entries": numbered}, Notes(), world_info=True)
    numbers = chain(rolls, repeat(rolls[-1]))
    values: dict[str, Any] = {
        "context": MacroContext(char="Char", user="User"),
        "budget": 1_000,
        "count": lambda text: len(text.split()),
        "chance": lambda: next(numbers),
        "length": len(chat),
        **scene,
    }
    messages = [
        ScanMessage("Char" if text.startswith("* ") else "User", text.removeprefix("* "),
                    text.startswith("* "))
        for text in chat
    ]  # fmt: skip
    return scan([[book]], Scene(chat=messages, **values), settings or LoreSettings())


def said(result: LoreResult) -> str:
    return " ".join(fired.content for fired in result.placed())


SONG = ("song",)
CASES: list[tuple[str, list[dict[str, Any]], tuple[str, ...], dict[str, Any], str]] = [
    ("a space is no key", [entry("A", " ", "")], ("x y",), {}, ""),
    ("a disabled constant", [entry("A", constant=True, disable=True)], ("x",), {}, ""),
    ("a group lets the heavier weight win", [entry("A", *SONG, group="g", groupWeight=1),
     entry("B", *SONG, group="g", groupWeight=99)], ("song",), {}, "B"),
    ("a roll of 0 takes the first in order", [entry("A", *SONG, group="g", order=1),
     entry("B", *SONG, group="g", order=2)], ("song",), {"rolls": (0.0,)}, "B"),
    ("a weight of 0 never wins", [entry("A", *SONG, group="g", groupWeight=0, order=9),
     entry("B", *SONG, group="g", order=1)], ("song",), {"rolls": (0.0,)}, "B"),
    ("an entry in two groups counts in both", [entry("A", *SONG, group="g, h", groupOverride=True),
     entry("B", *SONG, group="g"), entry("C", *SONG, group="h")], ("song",), {}, "A"),
    ("scoring of one entry only", [entry("A", "song", "lute", group="g", useGroupScoring=True),
     entry("B", "song", "sing", group="g")], ("sing a song",), {"rolls": (0.0,)}, "B"),
    ("a score counts secondary keys", [
     entry("A", "song", selective=True, keysecondary=["lute", "harp"], group="g"),
     entry("B", "song", "sing", group="g")], ("sing a song of lute and harp",),
     {"settings": LoreSettings(group_scoring=True)}, "A"),
    ("a failed roll is not tried again", [entry("A", "x", useProbability=True, probability=40),
     entry("x", "y")], ("x y",), {"rolls": (0.9, 0.0)}, "x"),
    ("a chance of 100 needs no roll", [entry("A", "x", useProbability=True, probability=100)],
     ("x",), {"rolls": (1.0,)}, "A"),
    ("the first level of recursion comes before the second", [entry("two", "one"),
     entry("one", "x", delayUntilRecursion=1), entry("C", "two", delayUntilRecursion=2)],
     ("x",), {}, "two one C"),
    ("waiting for recursion as true", [entry("A", "x", delayUntilRecursion=True),
     entry("B", "x")], ("x",), {}, "A B"),
    ("waiting for a recursion that does not come", [entry("A", "x", delayUntilRecursion=True)],
     ("x",), {}, ""),
    ("excluded from recursion but in the chat", [entry("B", "x"),
     entry("A", "y", excludeRecursion=True)], ("x y",), {}, "B A"),
    ("a constant spreads", [entry("wolf", constant=True), entry("A", "wolf")], ("x",), {},
     "wolf A"),
    ("one that prevents recursion and one that does not", [
     entry("wolf", "x", preventRecursion=True), entry("bear", "x"), entry("A", "wolf"),
     entry("B", "bear")], ("x",), {}, "wolf bear B"),
    ("few enough are looked for further back", [entry("A", "dragon")],
     ("dragon", "* one", "two", "* three"), {"settings": LoreSettings(min_activations=1)}, "A"),
    ("but not beyond the bound", [entry("A", "dragon")], ("dragon", "* one", "two", "* three"),
     {"settings": LoreSettings(min_activations=1, min_activations_depth=2)}, ""),
    ("nor where an entry says its own depth", [entry("A", "dragon", scanDepth=1)],
     ("dragon", "* one", "two"), {"settings": LoreSettings(min_activations=1)}, ""),
    ("passes are counted", [entry("b", "a"), entry("c", "b"), entry("d", "c")], ("a",),
     {"settings": LoreSettings(max_passes=2)}, "b c"),
    ("not any, met in recursion", [entry("wolf", "x"), entry("A", "x", selective=True,
     keysecondary=["wolf"], selectiveLogic=2)], ("x",), {}, "wolf A"),
    ("and all needs all", [entry("A", "x", selective=True, keysecondary=["y", "z"],
     selectiveLogic=3)], ("x y",), {}, ""),
    ("not all with one missing", [entry("A", "x", selective=True, keysecondary=["y", "z"],
     selectiveLogic=1)], ("x y",), {}, "A"),
    ("a character that is left out", [entry("A", "x", characterFilter={"names": ["char"],
     "isExclude": True})], ("x",), {"names": frozenset({"char"})}, ""),
    ("a name in a key, in any case", [entry("A", "{{CHAR}}")], ("where is char",),
     {"settings": LoreSettings(include_names=False)}, "A"),
    ("activated by its decorator, within the budget", [entry("@@activate\n1 2 3")], ("x",),
     {"budget": 2}, ""),
    ("a decorator nobody knows", [entry("@@moon 1\nA", "x")], ("x",), {}, "A"),
    ("the fifth fallback", [entry("@@a\n@@@b\n@@@c\n@@@d\n@@@e\n@@@dont_activate\nA", "x")],
     ("x",), {}, ""),
    ("a fallback after an invalid value", [entry("@@activate_only_every x\n@@@dont_activate\nA",
     "x")], ("x",), {}, ""),
    ("a fallback that is not needed", [entry("@@scan_depth 1\n@@@dont_activate\nA", "x")],
     ("x",), {}, "A"),
    ("blank lines between decorators", [entry("@@depth 5\n\n@@role user\nA", "x")], ("x",), {},
     "A"),
    ("Windows line ends", [entry("@@depth 5\r\n@@role user\r\nA", "x")], ("x",), {}, "A"),
    ("two lines of further keys must both be met", [
     entry("@@additional_keys a, b\n@@additional_keys c\nA", "x")], ("x a",), {}, ""),
    ("and are met", [entry("@@additional_keys a, b\n@@additional_keys c\nA", "x")], ("x c b",), {},
     "A"),
    ("an excluded key", [entry("@@exclude_keys dead\nA", "x")], ("x is dead",), {}, ""),
    ("every second reply", [entry("@@activate_only_every 2\nA", "x")],
     ("* hi", "x", "* ho", "x"), {}, "A"),
    ("a greeting that is the one", [entry("@@is_greeting 1\nA", "x")], ("x",), {"greeting": 1},
     "A"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "chat", "more", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_the_reference_says(
    entries: list[dict[str, Any]], chat: tuple[str, ...], more: dict[str, Any], expected: str
) -> None:
    assert sorted(said(fire(entries, *chat, **more)).split()) == sorted(expected.split())


@pytest.mark.parametrize(
    ("content", "position", "depth", "role"),
    [
        ("@@depth 5\n\n@@role user\nA", Position.AT_DEPTH, 5, "user"),
        ("@@depth -3\nA", Position.AT_DEPTH, 0, "system"),
        ("@@reverse_depth 0\nA", Position.AT_DEPTH, 2, "system"),
        ("@@reverse_depth 9\nA", Position.AT_DEPTH, 0, "system"),
        ("@@position moon\n@@@position scenario\nA", Position.SCENARIO, 4, "system"),
        ("@@reverse_depth 1\n@@position before_desc\nA", Position.BEFORE_DESC, 4, "system"),
        ("@@role nobody\n@@@role assistant\n@@depth 1\nA", Position.AT_DEPTH, 1, "assistant"),
    ],
)
def test_where_decorators_put_an_entry(
    content: str, position: Position, depth: int, role: str
) -> None:
    (fired,) = fire([entry(content, "x")], "* hi", "x").fired
    assert (fired.content, fired.entry.position, fired.entry.role) == ("A", position, role)
    if position is Position.AT_DEPTH:
        assert fired.depth == depth


def over_turns(raw: dict[str, Any], keys: str) -> str:
    """Return when an entry is on, message by message; `x` in `keys` says its key is there."""
    state, seen = LoreState(), ""
    for length, key in enumerate(keys, 1):
        result = fire([raw], "x" if key == "x" else "-", length=length, state=state,
                      turn=str(length))  # fmt: skip
        state, seen = result.state, seen + str(int(bool(result.fired)))
    return seen


@pytest.mark.parametrize(
    ("raw", "keys", "expected"),
    [
        (entry("A", "x", sticky=2), "x-----", "110000"),
        (entry("A", "x", cooldown=2), "xxxxxx", "101010"),
        (entry("A", "x", delay=3), "xxxx", "0011"),
        (entry("A", "x", sticky=1, cooldown=1), "xxxxxx", "101010"),
        (entry("A", "x", sticky=3, cooldown=2), "x--xxxx", "1110011"),
        (entry("A", "x", sticky=0, cooldown=0), "x-x", "101"),
    ],
)
def test_effects_over_turns(raw: dict[str, Any], keys: str, expected: str) -> None:
    assert over_turns(raw, keys) == expected
