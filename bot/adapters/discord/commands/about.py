"""`/about`."""

from __future__ import annotations

import discord
from discord import app_commands

from bot import __version__
from bot.adapters.discord.commands.render import plain, say
from bot.adapters.discord.commands.services import Serving
from bot.languages import t


class AboutCommands(Serving):
    """What this is."""

    @app_commands.command(description="What this bot is")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def about(self, interaction: discord.Interaction) -> None:
        personas = len(self.services.library.all())
        voice = (
            t("No language model is connected: replies are rehearsed.")
            if self.services.rehearsal
            else t("Replies are written by the model `{model}`.", model=plain(self.services.model))
        )
        await say(
            interaction,
            t(
                "**Troupe {version}** hosts {personas} personas. Each message is routed to a "
                "factual, a creative or a companion persona.\n{voice} You are talking to an "
                "AI, whichever persona answers.\nMention me or reply to me to talk; "
                "`/persona show` tells who plays here, `/why` how a reply came about, "
                "`/privacy` what is kept.",
                version=__version__,
                personas=personas,
                voice=voice,
            ),
        )
