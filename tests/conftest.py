"""For every test: what can be done once is done once, and no property is held against the clock.

Processes keep what they compile, also where the environment says not to: the suite starts over a
hundred. In a fresh checkout that is done before there are six workers, which would all do it at the
same time. What was collected is there to the end, so the garbage collector need not look at it.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

_HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    first = getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput")
    if first and not any(_HERE.glob("unit/**/__pycache__/test_*-pytest-*.pyc")):
        collecting = [sys.executable, "-m", "pytest", "--collect-only", "-qq", str(_HERE)]
        subprocess.run(collecting, stdout=subprocess.DEVNULL, check=False)


def pytest_collection_finish() -> None:
    gc.freeze()
