"""`python -m bot` ends well from its first moment on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from bot.cli import USAGE, main

LOADING = """
import os, sys, types
loading = types.ModuleType("bot.cli")
def __getattr__(name):
    os.kill(os.getpid(), int(sys.argv[1]))  # the signal comes while the program is being loaded
    raise AssertionError("it was not heard")
loading.__getattr__ = __getattr__
sys.modules["bot.cli"] = loading
import runpy
runpy.run_module("bot", run_name="__main__")
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_that_comes_while_the_program_is_loaded_ends_it_without_a_word(
    number: signal.Signals, code: int
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADING, str(int(number))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("route", "eval", "none.jsonl"), "route: none.jsonl: "),
        (("route", "train", "--data", "none.jsonl"), "route: none.jsonl: "),
        (("route", "train", "--out", "."), "route: .: is a folder"),
        (("guard", "eval", "none.jsonl"), "guard: none.jsonl: "),
        (("guard", "train", "--out", "."), "guard: .: is a folder"),
        (("guard", "reports", "--count", "0"), "guard: --count must be at least 1"),
        (("data", "export", "--user", "7", "--out", "."), "data: .: is a folder"),
        (("memory", "eval", "--locomo", "none.json"), "memory: none.json: "),
    ],
)
def test_a_complaint_names_the_command_whose_input_is_wrong(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == USAGE
    assert capsys.readouterr().err.startswith(said)
    assert list(tmp_path.iterdir()) == []


def test_standard_output_holds_a_command_s_answer_and_no_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "schema"]) == 0
    structlog.get_logger().warning("backend away")
    told = capsys.readouterr()
    assert json.loads(told.out)
    assert "backend away" in told.err
