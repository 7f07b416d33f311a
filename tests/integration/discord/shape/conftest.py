"""The stage of the commands, with models that see and models that do not."""

from __future__ import annotations

from tests.integration.discord.commands.conftest import Stage, ollama, stage

__all__ = ["Stage", "ollama", "stage"]
