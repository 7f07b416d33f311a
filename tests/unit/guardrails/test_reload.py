"""Files that an operator changes: taken whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.files.data_files import personas_dir
from bot.guardrails import Guardrails
from bot.guardrails.reload import GuardFiles

ENGLISH = personas_dir() / "care" / "en.toml"
RULE = """
category = "illicit"
[[rule]]
id = "illicit.en.zorblax"
severity = "plain"
patterns = ['zorblax\\w*']
examples = ['zorblaxing']
counter_examples = ['chess']
"""


@pytest.fixture
def rails(tmp_path: Path) -> Guardrails:
    return Guardrails.load(tmp_path)


def knows(rails: Guardrails) -> bool:
    return any(rule.id == "illicit.en.zorblax" for rule in rails.judge.asked.rules)


async def test_nothing_is_read_while_nothing_changed(rails: Guardrails, tmp_path: Path) -> None:
    files = GuardFiles(rails, tmp_path)
    before = rails.judge
    assert not await files.look()
    assert rails.judge is before


async def test_a_new_rule_comes_and_goes(rails: Guardrails, tmp_path: Path) -> None:
    told: list[bool] = []
    files = GuardFiles(rails, tmp_path, told.append)
    own = tmp_path / "rules" / "ours.toml"
    own.parent.mkdir()
    own.write_text(RULE, "utf-8")
    assert await files.look()
    assert knows(rails)
    own.unlink()
    assert await files.look()
    assert not knows(rails)
    assert told == [True, True]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rules/ours.toml", "category = ["),
        ("rules/ours.toml", RULE.replace("zorblax\\w*", "(")),
        ("rules/ours.toml", RULE.replace('illicit"', 'nonsense"', 1)),
        ("rules/ours.toml", RULE.replace("zorblax\\w*", "(?:zorblax)?")),
        ("care/de.toml", "language = 'de'"),
        ("care/zz.toml", ENGLISH.read_text("utf-8")),
        ("care/en.toml", ENGLISH.read_text("utf-8").replace("{lines}", "{name} {lines}", 1)),
        ("constitution.md", "no articles"),
        ("constitution.md", "## 1. Long\n" + "x" * 9000),
    ],
)
async def test_a_broken_file_keeps_the_last_good_ones(
    rails: Guardrails, tmp_path: Path, name: str, text: str
) -> None:
    told: list[bool] = []
    files = GuardFiles(rails, tmp_path, told.append)
    before = (rails.judge, rails.care, rails.safety_text)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    assert not await files.look()
    assert (rails.judge, rails.care, rails.safety_text) == before
    assert files.problems
    assert path.name in files.problems[0]
    assert told == [False]
    assert not await files.look()  # said once, until the file changes again
    path.unlink()
    assert await files.look()
    assert not files.problems


async def test_a_file_as_a_windows_editor_saves_it_is_taken(
    rails: Guardrails, tmp_path: Path
) -> None:
    files = GuardFiles(rails, tmp_path)
    constitution = (personas_dir() / "constitution.md").read_text("utf-8")
    for name, text in (
        ("rules/ours.toml", RULE),
        ("care/en.toml", ENGLISH.read_text("utf-8")),
        ("constitution.md", constitution),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8-sig")
    assert await files.look(), files.problems
    assert knows(rails)


async def test_the_log_tells_of_a_file_that_takes_a_shipped_one_s_place(
    rails: Guardrails, tmp_path: Path
) -> None:
    files = GuardFiles(rails, tmp_path)
    own = tmp_path / "rules" / "gore_detail.toml"
    own.parent.mkdir()
    own.write_text(RULE, "utf-8")
    with capture_logs() as logs:
        assert await files.look(), files.problems
    assert [each["file"] for each in logs if "replaces" in each["event"]] == [str(own)]


async def test_a_constitution_of_one_s_own_is_taken(rails: Guardrails, tmp_path: Path) -> None:
    files = GuardFiles(rails, tmp_path)
    (tmp_path / "constitution.md").write_text("## 1. Be kind\nAlways, to all.\n", "utf-8")
    assert await files.look()
    assert "Be kind" in rails.safety_text
