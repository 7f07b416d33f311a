"""What the files under deploy/ are checked against."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.discord.session.supervisor import DISCONNECTED_WITHIN
from bot.chat.arriving.running_turns import CUT_OFF_AT_MOST
from bot.faces.on_discord import DRAIN_SECONDS
from bot.settings import SECTIONS, names_of

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
NEEDED_TO_END = DRAIN_SECONDS + CUT_OFF_AT_MOST + 2 * DISCONNECTED_WITHIN
"""Seconds that the program may take after SIGTERM: who waits less kills it while it drains."""


@pytest.fixture(scope="session")
def settings_names() -> frozenset[str]:
    """The environment names of every setting."""
    return frozenset(name for section in SECTIONS.values() for name in names_of(section))
