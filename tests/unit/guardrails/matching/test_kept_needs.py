"""What patterns need is found out once, and read by every later start."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bot.guardrails.matching import kept_needs
from bot.guardrails.matching.kept_needs import needs_of
from bot.guardrails.matching.literals import Needs, needs

PATTERNS = [r"\bmake a bomb\b", "(?:kill|hurt) (?:him|her)", "a", r"\p{L}+ (?:knife|sword)s?"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache" / "literals.needs.json"
    monkeypatch.setattr(kept_needs, "_file", lambda: path)
    return path


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The patterns that were read, in order."""
    read: list[str] = []

    def noted(pattern: str) -> Needs:
        read.append(pattern)
        return needs(pattern)

    monkeypatch.setattr(kept_needs, "needs", noted)
    return read


def test_a_second_start_reads_what_the_first_found_out(file: Path, worked_out: list[str]) -> None:
    right = {pattern: needs(pattern) for pattern in PATTERNS}
    assert needs_of(PATTERNS, openings=True) == right
    assert worked_out == PATTERNS
    assert needs_of(reversed(PATTERNS), openings=True) == right
    assert worked_out == PATTERNS
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_only_what_is_new_is_found_out(file: Path, worked_out: list[str]) -> None:
    needs_of(PATTERNS[:2], openings=True)
    assert list(needs_of(PATTERNS[1:], openings=True)) == PATTERNS[1:]
    assert worked_out == PATTERNS
    needs_of(PATTERNS, openings=True)
    assert worked_out == PATTERNS


@pytest.mark.parametrize("damaged", ["other", "headless", "cut", "shape", "number", "empty"])
def test_a_file_that_is_damaged_or_another_version_s_is_not_trusted(
    file: Path, damaged: str
) -> None:
    needs_of(PATTERNS, openings=True)
    author, *lines = file.read_text().splitlines()
    never = [json.dumps([pattern, ["never"], ["never"], ["never"]]) for pattern in PATTERNS]
    match damaged:
        case "other":
            author, lines = json.dumps("another version"), never
        case "headless":
            author, lines = "{", never
        case "cut":
            lines[2] = lines[2][:-5]
        case "shape":
            lines[1] = json.dumps([PATTERNS[1], ["never"]])
        case "number":
            lines[1] = json.dumps([PATTERNS[1], 1, 2, 3])
        case "empty":
            author, lines = "", []
    file.write_text("\n".join([author, *lines]))
    assert needs_of(PATTERNS, openings=True) == {pattern: needs(pattern) for pattern in PATTERNS}


def test_where_nothing_can_be_written_it_is_found_out_each_time(
    file: Path, worked_out: list[str]
) -> None:
    file.parent.write_text("no folder")
    for _ in range(2):
        assert set(needs_of(PATTERNS, openings=True)) == set(PATTERNS)
    assert worked_out == PATTERNS * 2


def test_nothing_is_written_where_python_keeps_nothing_either(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    needs_of(PATTERNS, openings=True)
    assert not file.exists()


def test_the_file_does_not_grow_for_ever(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_of(PATTERNS[:2], openings=True)
    monkeypatch.setattr(kept_needs, "MOST", file.stat().st_size - 1)
    needs_of(PATTERNS[2:], openings=True)
    kept = file.read_text().splitlines()[1:]
    assert {json.loads(line)[0] for line in kept} == set(PATTERNS[2:])


def test_openings_are_left_out_where_nobody_asks_for_them(file: Path) -> None:
    for _ in ("found out", "read"):
        found = needs_of(PATTERNS, openings=False)
        assert {each: one.words for each, one in found.items()} == {
            each: needs(each).words for each in PATTERNS
        }
    assert all(not one.openings for one in found.values())
    assert needs_of(PATTERNS, openings=True) == {each: needs(each) for each in PATTERNS}
