"""What the files under deploy/ are checked against."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import SECTIONS, names_of

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="session")
def settings_names() -> frozenset[str]:
    """The environment names of every setting."""
    return frozenset(name for section in SECTIONS.values() for name in names_of(section))
