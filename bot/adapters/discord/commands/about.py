"""`/about`."""

from __future__ import annotations

import discord
from discord import app_commands

from bot import __version__
from bot.adapters.discord.commands.render import plain, say
from bot.adapters.discord.commands.services import Serving


class AboutCommands(Serving):
    """What this is."""

    @app_commands.command(description="What this bot is")
    async def about(self, interaction: discord.Interaction) -> None:
        personas = len(self.services.library.all())
        voice = (
            "No language model is connected: replies are rehearsed."
            if self.services.rehearsal
            else f"Replies are written by the model `{plain(self.services.model)}`."
        )
        await say(
            interaction,
            f"**Troupe {__version__}** hosts {personas} personas. Each message is routed to a "
            "factual, a creative or a companion persona.\n"
            f"{voice} You are talking to an AI, whichever persona answers.\n"
            "Mention me or reply to me to talk; `/persona show` tells who plays here, `/why` how "
            "a reply came about, `/privacy` what is kept.",
        )
