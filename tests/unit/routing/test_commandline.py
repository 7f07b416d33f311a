"""`troupe route`, from its arguments to what it prints."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from bot.errors import SettingsRejected
from bot.routing import commandline
from bot.routing.promotion import CANARY


def ran(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commandline.add_parser(parser.add_subparsers(dest="command"))
    args = parser.parse_args(["route", *words])
    code: int = args.run(args)
    return code


def test_eval_prints_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("eval", str(CANARY), "--json", "--data-dir", str(tmp_path)) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["n"] == 60
    assert figures["macro_f1"] >= 0.97


def test_eval_prints_a_table_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plots = tmp_path / "plots"
    assert ran("eval", str(CANARY), "--plots", str(plots), "--data-dir", str(tmp_path)) == 0
    assert "macro-F1" in capsys.readouterr().out
    assert {each.name for each in plots.iterdir()} == {"confusion.svg", "reliability.svg"}


def test_eval_of_a_missing_file_is_a_setting_to_correct(tmp_path: Path) -> None:
    with pytest.raises(SettingsRejected):
        ran("eval", str(tmp_path / "none.jsonl"))


def test_eval_with_a_broken_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "route.table").write_bytes(b"junk")
    with pytest.raises(SettingsRejected, match="header"):
        ran("eval", str(CANARY), "--data-dir", str(tmp_path))


def test_rollback_without_a_table_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("rollback", "--data-dir", str(tmp_path)) == 1
    assert "no table of your own" in capsys.readouterr().out


def test_eval_of_the_accurate_stage_is_no_worse(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("eval", str(CANARY), "--stage", "accurate", "--json", "--data-dir", str(tmp_path))
    assert ran(*words) == 0
    assert json.loads(capsys.readouterr().out)["macro_f1"] >= 0.97


def test_eval_in_full_needs_the_program(tmp_path: Path) -> None:
    with pytest.raises(SettingsRejected, match="whole program"):
        ran("eval", str(CANARY), "--stage", "full", "--data-dir", str(tmp_path))
