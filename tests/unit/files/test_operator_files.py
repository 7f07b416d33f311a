"""An operator's files over the shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.files.operator_files import overlaid


def test_the_log_tells_of_a_file_in_a_shipped_one_s_place(tmp_path: Path) -> None:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    for folder, names in ((shipped, ("a", "b")), (own, ("b", "c"))):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.toml").write_text("", "utf-8")
    with capture_logs() as said:
        files = overlaid([shipped, own])
    assert files == {
        name: folder / name
        for name, folder in (("a.toml", shipped), ("b.toml", own), ("c.toml", own))
    }
    assert [each["file"] for each in said] == [str(own / "b.toml")]


def test_the_same_folder_by_another_path_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "care").mkdir()
    (tmp_path / "care" / "en.toml").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    with capture_logs() as said:
        overlaid([tmp_path / "care", Path("care")])
    assert said == []
