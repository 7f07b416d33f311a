"""What the running bot leaves out until somebody needs it: each is megabytes of memory."""

from __future__ import annotations

import subprocess
import sys

LATE = ("PIL", "numpy", "snowballstemmer", "threadpoolctl", "tokenizers")


def test_the_program_starts_without_what_only_some_bots_need() -> None:
    told = f"import bot.cli, bot.faces.serve, sys; print(*(set({LATE!r}) & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, check=True, text=True)
    assert found.stdout.split() == []
