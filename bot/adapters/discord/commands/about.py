"""`/about` and `/privacy`."""

from __future__ import annotations

import discord
from discord import app_commands

from bot import __version__
from bot.adapters.discord.commands.render import plain, say
from bot.adapters.discord.commands.services import Serving

PRIVACY = """\
**What is kept.** Messages that are for me (mentions, replies, direct messages, channels that an \
admin has opened) and my replies, so that I can follow the conversation. They are encrypted at \
rest, are kept for 30 days after the last message of a place, and are never written to a log.
**What is not.** Messages that are not for me; nothing is used to train a model.
**Who sees it.** The model runs on hosts of this bot's operator. Personas are AI: no human reads \
along.
**What you can do.** Delete your message and it is gone from my side too; edit it and my copy \
changes. `/conversation reset` forgets a place. To have everything about you exported or \
deleted, ask the bot's operator."""


class AboutCommands(Serving):
    """What this is, and what it keeps."""

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

    @app_commands.command(description="What this bot keeps, and how to have it deleted")
    async def privacy(self, interaction: discord.Interaction) -> None:
        await say(interaction, PRIVACY)
