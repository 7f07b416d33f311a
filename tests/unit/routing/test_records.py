"""What is read from outside: profiles, labelled files, stored records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.errors import SettingsRejected
from bot.routing import MemoryPolicy, Route, load_profiles
from bot.routing.dataset import read_labelled

SHIPPED_PROFILES = Path(__file__).parents[3] / "personas" / "routes.toml"
GOOD = '[{0}]\ninstruction = "Be kind."\n'
ALL = "".join(GOOD.format(route) for route in Route)


def written(tmp_path: Path, text: str, name: str = "routes.toml") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_shipped_profiles_load() -> None:
    profiles = load_profiles(SHIPPED_PROFILES)
    assert set(profiles) == set(Route)
    assert profiles[Route.FACTUAL].memory is MemoryPolicy.CONSTRAINTS
    assert (
        profiles[Route.FACTUAL].options["temperature"]
        < profiles[Route.CREATIVE].options["temperature"]
    )


def test_a_route_without_options_gets_the_defaults(tmp_path: Path) -> None:
    profile = load_profiles(written(tmp_path, ALL))[Route.COMPANION]
    assert (profile.instruction, dict(profile.options), profile.model) == ("Be kind.", {}, None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[factual", "not TOML"),
        (ALL + "[poetic]\n", "[poetic] is not a route"),
        (GOOD.format("factual"), "[creative] is missing"),
        (ALL.replace('"Be kind."', '""', 1), "`instruction` must be a text"),
        (ALL + "memori = 'all'\n", "`memori` is not a setting"),
        (ALL + "memory = 'some'\n", "`memory` must be one of"),
        (ALL + "memory = []\n", "`memory` must be one of"),
        (ALL + "guard = 'off'\n", "`guard` must be one of"),
        (ALL + "model = 3\n", "`model` must be"),
        (ALL + "options = 3\n", "`options` must be a table"),
        (ALL + "options = { heat = 1 }\n", "option `heat` is unknown"),
        (ALL + "options = { temperature = 9 }\n", "from 0.0 to 2.0"),
        (ALL + "options = { temperature = true }\n", "must be a number"),
        (ALL + "options = { temperature = nan }\n", "from 0.0 to 2.0"),
        (ALL + "options = { num_predict = 2.5 }\n", "must be a whole number"),
        ("x" * 70_000, "larger than"),
    ],
)
def test_a_wrong_profile_file_is_refused_with_a_line_that_says_why(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(SettingsRejected) as refused:
        load_profiles(written(tmp_path, text))
    assert any(complaint in problem for problem in refused.value.problems)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsRejected) as refused:
        load_profiles(written(tmp_path, "[factual]\nx = 1\n"))
    assert len(refused.value.problems) == 4


def test_a_missing_profile_file_is_a_setting_to_correct(tmp_path: Path) -> None:
    with pytest.raises(SettingsRejected):
        load_profiles(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "history",
    [
        ["hi", "hello"],
        [["user", "hi"], ["assistant", "hello"]],
        [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}],
        [{"author": "me", "text": "hi"}, {"author": "bot", "text": "hello"}],
    ],
)
def test_history_may_be_written_in_several_ways(tmp_path: Path, history: object) -> None:
    line = json.dumps({"text": "and?", "label": "factual", "history": history})
    [item] = read_labelled(written(tmp_path, line, "x.jsonl"))
    assert item.history == (("user", "hi"), ("assistant", "hello"))


def test_wrong_lines_are_named_by_their_number(tmp_path: Path) -> None:
    lines = [
        '{"text": "a", "label": "factual"}',
        '{"text": "a", "label": "poetic"}',
        '{"label": "factual"}',
        "[]",
        "{",
        '{"text": "a", "label": "factual", "history": 7}',
        '{"text": "a", "label": "factual", "history": [7]}',
    ]
    with pytest.raises(SettingsRejected) as refused:
        read_labelled(written(tmp_path, "\n".join(lines), "x.jsonl"))
    numbers = [problem.split(":")[1] for problem in refused.value.problems]
    assert numbers == ["2", "3", "4", "5", "6", "7"]
