"""`/conversation reset` and `/why`."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.adapters.discord.commands.permissions import resetting
from bot.adapters.discord.commands.render import place_of, say
from bot.adapters.discord.commands.replies.account_text import account_text
from bot.adapters.discord.commands.replies.which import summary_of
from bot.adapters.discord.commands.services import Serving
from bot.languages import t, tn


class ConversationCommands(Serving):
    """Looking into a conversation, and forgetting it."""

    conversation = app_commands.Group(
        name="conversation", description="The conversation of this place"
    )

    @conversation.command(name="reset", description="Forget the conversation of this place")
    @app_commands.check(resetting)
    async def reset(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        count = await self.services.conversations.reset(place_of(interaction))
        await say(
            interaction,
            tn(
                "Forgotten: {count} exchange. The next message starts afresh.",
                "Forgotten: {count} exchanges. The next message starts afresh.",
                count,
            )
            if count
            else t("There was nothing to forget here."),
        )

    @app_commands.command(description="Why did the last reply come out as it did?")
    @app_commands.describe(message="Link or id of a reply; without it, the last one here")
    async def why(self, interaction: discord.Interaction, message: str | None = None) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        account = await summary_of(self.services, place, message)
        await say(interaction, account_text(account))
