"""Slash commands, one file a group."""

from __future__ import annotations

from discord.ext import commands

from bot.adapters.discord.commands.about import AboutCommands
from bot.adapters.discord.commands.channel import ChannelCommands
from bot.adapters.discord.commands.conversation import ConversationCommands
from bot.adapters.discord.commands.failures import on_command_error
from bot.adapters.discord.commands.persona import PersonaCommands
from bot.adapters.discord.commands.services import Services
from bot.adapters.discord.commands.sync import Remembered, sync_commands

__all__ = ["Remembered", "Services", "install", "sync_commands"]


async def install(bot: commands.Bot, services: Services) -> None:
    """Add every command to the bot's tree."""
    for cog in (PersonaCommands, ChannelCommands, ConversationCommands, AboutCommands):
        await bot.add_cog(cog(services))
    bot.tree.error(on_command_error)
