"""Forms of which a person hears when they fail."""

from __future__ import annotations

import io
from typing import Any, Final

import discord
import structlog

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.commands.failures import tell
from bot.adapters.discord.commands.pressing.presses import texts_of
from bot.languages import t

log = structlog.get_logger(__name__)

EFFORT: Final = 100
"""Characters from which on somebody would not like to write it all again."""


class Form(discord.ui.Modal):
    """A modal whose failures are told, and which then loses nothing that took an effort."""

    async def on_error(  # type: ignore[override]  # as discord.py's own Modal has it
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        told = await tell(interaction, error, type(self).__name__)
        if told and len(written := written_in(interaction)) >= EFFORT:
            await give_back(interaction, written)


def written_in(interaction: discord.Interaction[Any]) -> str:
    """Return what somebody wrote into the fields of a form."""
    data: Any = interaction.data or {}
    return "\n\n".join(text for _, text in texts_of(data) if text.strip())


async def give_back(interaction: discord.Interaction[Any], written: str) -> None:
    """Show, to who wrote it, what was written into a form that Discord has closed."""
    kept = discord.File(
        io.BytesIO(written.encode("utf-8", "replace")), t("what you wrote") + ".txt"
    )
    try:
        await interaction.followup.send(
            t("This is what you had written:"), file=kept, ephemeral=True
        )
    except FAILED as failure:
        log.info("form not given back", reason=type(failure).__name__)
