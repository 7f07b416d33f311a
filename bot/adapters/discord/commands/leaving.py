"""When a server removes the bot, what it kept there goes too."""

from __future__ import annotations

import discord
import structlog
from discord.ext import commands

from bot.adapters.discord.commands.services import Serving
from bot.chat.place import GuildId
from bot.errors import StoreError

log = structlog.get_logger(__name__)


class Leaving(Serving):
    """Forgets servers. discord.py tells outages apart: they are no removals."""

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Remove what the stores keep of a server."""
        for store in self.services.leaving:
            try:
                await store.delete_guild(GuildId(guild.id))
            except StoreError as error:
                log.warning("server not forgotten", store=type(store).__name__, reason=str(error))
