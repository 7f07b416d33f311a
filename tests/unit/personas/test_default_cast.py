"""Who plays where nothing is bound: a file that an operator edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import SettingsRejected
from bot.personas.binding import TriggerMode
from bot.personas.casting import load_default_cast
from bot.routing.route import Route

KNOWN = {"wren", "bram"}
GOOD = 'factual = "wren"\ncreative = "wren"\ncompanion = "bram"\n'


def cast_of(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a file of this text."""
    file = folder / "cast.toml"
    file.write_text(text)
    with pytest.raises(SettingsRejected) as rejected:
        load_default_cast(file, KNOWN)
    return rejected.value.problems


def test_a_persona_for_each_route_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cast.toml"
    file.write_text(GOOD)
    default = load_default_cast(file, KNOWN)
    assert default.cast[Route.COMPANION] == "bram"
    assert default.mode is TriggerMode.MENTION


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    problems = cast_of(tmp_path, 'factual = "wern"\ncreative = 5\ncompanoin = "bram"\n')
    assert problems == [
        "cast.toml: unknown route 'companoin'",
        "cast.toml: there is no persona 'wern'",
        "cast.toml: creative must name a persona",
        "cast.toml: companion must name a persona",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("factual", "not TOML"),
        ("a = " + "[" * 50_000, "not TOML"),
        ("# " + "x" * 70_000, "larger than"),
    ],
)
def test_what_is_no_such_file_is_told_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    (problem,) = cast_of(tmp_path, text)
    assert problem.startswith("cast.toml")
    assert says in problem


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsRejected, match=r"cast\.toml: No such file or directory"):
        load_default_cast(tmp_path / "cast.toml", KNOWN)
