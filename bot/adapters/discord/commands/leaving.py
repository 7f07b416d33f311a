"""When a server removes the bot, what it kept there goes too."""

from __future__ import annotations

import discord
from discord.ext import commands

from bot.adapters.discord.commands.services import Serving
from bot.chat.place import GuildId


class Leaving(Serving):
    """Forgets servers. discord.py tells outages apart: they are no removals."""

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """End what runs in a server, and remove what the stores keep of it."""
        await self.services.intake.parting.left(GuildId(guild.id))

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """A server has added the bot, perhaps once more."""
        self.services.intake.parting.back(GuildId(guild.id))

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """It may have done so while nobody listened."""
        self.services.intake.parting.back(GuildId(guild.id))
