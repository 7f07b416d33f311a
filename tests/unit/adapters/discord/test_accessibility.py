"""What is shown on Discord can be read by everybody: also without eyes, also without colours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.discord.speaking.rows import Rows, idea_rows, reply_rows, stop_row
from bot.chat.turn import TurnId
from bot.ports import Controls

DISCORD = Path(__file__).resolve().parents[4] / "bot" / "adapters" / "discord"
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
TURN = TurnId("1100000000000000000")
ROWS: list[Rows] = [
    stop_row(TURN),
    reply_rows(Controls(TURN)),
    reply_rows(Controls(TURN, 2, 5, 900, ideas=8)),
    idea_rows(Controls(TURN, ideas=2)),
]


def calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(DISCORD.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
                yield f"{path.name}:{node.lineno}", node


def test_every_picture_that_is_sent_says_in_words_what_it_shows() -> None:
    sent = [
        (where, call)
        for where, call in calls("discord.File")
        if any(ast.unparse(each).strip("'\"").endswith(PICTURES) for each in call.args)
    ]
    assert sent
    for where, call in sent:
        assert any(each.arg == "description" for each in call.keywords), where


@pytest.mark.parametrize("rows", ROWS)
def test_every_button_is_told_by_its_words_or_sign_never_by_its_colour(rows: Rows) -> None:
    assert len(rows) <= 5
    seen = []
    for row in rows:
        assert 1 <= len(row["components"]) <= 5
        for button in row["components"]:
            sign = button.get("label") or button["emoji"]["name"]
            assert len(button.get("label", "")) <= 80
            assert len(button["custom_id"]) <= 100
            seen.append(sign)
    assert len(set(seen)) == len(seen)


def test_no_embed_carries_a_meaning_by_its_colour() -> None:
    for where, call in calls("Embed"):
        assert not any(each.arg in ("colour", "color") for each in call.keywords), where
