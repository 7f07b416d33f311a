"""Forms of which a person hears when they fail."""

from __future__ import annotations

from typing import Any

import discord

from bot.adapters.discord.commands.failures import tell


class Form(discord.ui.Modal):
    """A modal whose failures are told."""

    async def on_error(  # type: ignore[override]  # as discord.py's own Modal has it
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        await tell(interaction, error, type(self).__name__)
