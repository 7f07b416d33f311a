"""Forms of which a person hears when they fail."""

from __future__ import annotations

import io
from typing import Any

import discord
import structlog

from bot.adapters.discord.commands.failures import tell
from bot.languages import t

log = structlog.get_logger(__name__)


class Form(discord.ui.Modal):
    """A modal whose failures are told."""

    async def on_error(  # type: ignore[override]  # as discord.py's own Modal has it
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        await tell(interaction, error, type(self).__name__)


async def give_back(interaction: discord.Interaction[Any], written: str) -> None:
    """Show, to who wrote it, what was written into a form that Discord has closed."""
    kept = discord.File(io.BytesIO(written.encode()), t("what you wrote") + ".txt")
    try:
        await interaction.followup.send(
            t("This is what you had written:"), file=kept, ephemeral=True
        )
    except discord.HTTPException as failure:
        log.info("form not given back", status=failure.status)
