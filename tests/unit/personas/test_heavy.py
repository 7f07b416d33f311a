"""Which cards' prompts are made in a thread: those that would hold the loop."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.personas.persona import (
    LIGHT_CHARACTERS,
    LIGHT_DEPTH,
    LIGHT_ENTRIES,
    LIGHT_MACROS,
    make_persona,
)
from bot.personas.reading import read_card

PLAIN = {"name": "Wren", "description": "A small bird.", "first_mes": "Hello {{user}}."}


def entry(**more: Any) -> dict[str, Any]:
    return {"keys": ["tide"], "content": "High at six.", "enabled": True, **more}


def heavy(**data: Any) -> bool:
    card = {"spec": "chara_card_v2", "spec_version": "2.0", "data": {**PLAIN, **data}}
    return make_persona(read_card(json.dumps(card).encode(), "wren.json"), "wren").heavy


def test_an_ordinary_card_is_light() -> None:
    book = {"entries": [entry() for _ in range(20)], "extensions": {}}
    assert not heavy(description="{{char}} knows {{user}}. " * 10, character_book=book)


@pytest.mark.parametrize(
    "data",
    [
        {"description": "x" * (LIGHT_CHARACTERS + 1)},
        {"scenario": "{{personality}}" * (LIGHT_MACROS + 1)},
        {"character_book": {"entries": [entry() for _ in range(LIGHT_ENTRIES + 1)]}},
        {"character_book": {"entries": [entry(keys=["/ti.?de/i"])]}},
        {"character_book": {"entries": [entry(keys=[" /ti.?de/"])]}},
        {"character_book": {"entries": [entry(content="@@exclude_keys /ti.?de/\nHigh.")]}},
        {"character_book": {"entries": [entry(content="@@additional_keys /ti.?de/\nHigh.")]}},
        {"character_book": {"entries": [entry(content="{{roll:6}}" * (LIGHT_MACROS + 1))]}},
        {"character_book": {"entries": [entry(keys=["{{user}} x", "<char> y"] * LIGHT_MACROS)]}},
        {"character_book": {"entries": [entry()], "scan_depth": LIGHT_DEPTH + 1}},
        {"character_book": {"entries": [entry(extensions={"scan_depth": LIGHT_DEPTH + 1})]}},
        {"character_book": {"entries": [entry(content=f"@@scan_depth {LIGHT_DEPTH + 1}\nHi.")]}},
        {"extensions": {"depth_prompt": {"prompt": "x" * (LIGHT_CHARACTERS + 1)}}},
    ],
    ids=[
        "long",
        "macros",
        "entries",
        "pattern",
        "space before it",
        "pattern that excludes",
        "further pattern",
        "macros in lore",
        "macros in keys",
        "deep book",
        "deep entry",
        "deep by decorator",
        "note",
    ],
)
def test_what_takes_the_processor_is_heavy(data: dict[str, Any]) -> None:
    assert heavy(**data)
