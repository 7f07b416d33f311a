"""The operator's file of tools, and what a tool makes of the creative route's profile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.creative.order import MOST_IDEAS, Length, Order, Tone, Tool
from bot.creative.profiles import TOOLS_FILE, load_tools
from bot.errors import SettingsRejected
from bot.files.data_files import personas_dir
from bot.routing.profiles import load_profiles
from bot.routing.route import Route

SHIPPED = personas_dir() / TOOLS_FILE


def test_the_shipped_file_has_every_tool() -> None:
    assert set(load_tools(SHIPPED)) == set(Tool)


def test_a_tool_speaks_late_with_its_own_sampling() -> None:
    creative = load_profiles(personas_dir() / "routes.toml")[Route.CREATIVE]
    tools = load_tools(SHIPPED)
    order = Order(Tool.BRAINSTORM, Tone.FUNNY, Length.SHORT, 5, known=("a talking\nkettle",))
    profile = tools[Tool.BRAINSTORM].applied(order, creative, 4_096)
    assert profile.route is Route.CREATIVE
    assert profile.memory is creative.memory
    assert "exactly 5 ideas" in profile.instruction
    assert "Tone: funny." in profile.instruction
    assert "at most 15 words" in profile.instruction
    assert "- a talking kettle" in profile.instruction
    assert profile.options["temperature"] == 1.1
    assert profile.options["num_predict"] == 225
    single = tools[Tool.WRITE].applied(Order(Tool.WRITE), creative, 4_096)
    assert "numbered list" not in single.instruction
    assert single.options["num_predict"] > 180


@pytest.mark.parametrize("tool", Tool)
@pytest.mark.parametrize("most", [512, 4_096])
def test_many_long_pieces_are_shortened_until_they_fit(tool: Tool, most: int) -> None:
    creative = load_profiles(personas_dir() / "routes.toml")[Route.CREATIVE]
    order = Order(tool, length=Length.LONG, count=MOST_IDEAS)
    profile = load_tools(SHIPPED)[tool].applied(order, creative, most)
    assert profile.options["num_predict"] <= most
    words = re.search(r"at most (\d+) words", profile.instruction)
    assert words is not None
    assert 0 < int(words[1]) * MOST_IDEAS < most


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("[write]", "[writ]"), "[writ] is not a tool"),
        (("[write]", "[write]\ncolour = 3"), "`colour` is not a setting of a tool"),
        (("short = 60", "short = 0"), "`words` must be whole numbers"),
        (("short = 60, ", ""), "`words` must give a number for each"),
        (
            ("{count} versions as a numbered list, `1.` to `{count}.`", "versions"),
            "`several` must hold {count}",
        ),
        (("temperature = 1.0", "temperature = 9"), "option `temperature` must be from"),
        (("temperature = 1.0", "num_predict = 9"), "follows from `words`"),
        (("temperature = 1.0", "temprature = 1.0"), "option `temprature` is unknown"),
        (("[write]", "[write"), "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_a_line_on_each_problem(
    tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    path = tmp_path / TOOLS_FILE
    path.write_text(SHIPPED.read_text("utf-8").replace(*change, 1), "utf-8")
    with pytest.raises(SettingsRejected) as refused:
        load_tools(path)
    assert any(problem in line for line in refused.value.problems)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsRejected, match="No such file"):
        load_tools(tmp_path / TOOLS_FILE)
