"""Rules are compiled once for what their files hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.errors import SettingsRejected
from bot.guardrails.rule_sets import compiled, contents


def test_without_rules_of_its_own_a_folder_has_the_shipped_ones(tmp_path: Path) -> None:
    assert compiled(tmp_path) is compiled(None)


def test_what_a_file_holds_counts_and_not_its_size_or_time(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text("category = 'hate'", "utf-8")
    before, times = contents([tmp_path]), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    file.touch()
    assert contents([tmp_path]) == before
    file.write_text("category = 'care'", "utf-8")
    os.utime(file, ns=times)
    assert contents([tmp_path]) != before


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules" / "ours.toml").mkdir(parents=True)
    with pytest.raises(SettingsRejected, match="ours"):
        compiled(tmp_path)
