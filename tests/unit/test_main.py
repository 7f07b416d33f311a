"""`python -m bot` ends well from its first moment on."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

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
