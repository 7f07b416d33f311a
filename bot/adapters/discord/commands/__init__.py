"""Slash commands, one file a group."""

from __future__ import annotations

from discord.ext import commands

from bot.adapters.discord.commands import settings, settings_card, welcome
from bot.adapters.discord.commands.about import AboutCommands
from bot.adapters.discord.commands.ask import AskCommands
from bot.adapters.discord.commands.channel import ChannelCommands
from bot.adapters.discord.commands.conversation import ConversationCommands
from bot.adapters.discord.commands.creating import IdeaButton, ToolCommands
from bot.adapters.discord.commands.doctor import DoctorCommands
from bot.adapters.discord.commands.failures import on_command_error
from bot.adapters.discord.commands.greetings import FlipButton, GreetingButton
from bot.adapters.discord.commands.guard import GuardCommands
from bot.adapters.discord.commands.leaving import Leaving
from bot.adapters.discord.commands.menus import add_menus
from bot.adapters.discord.commands.outdated import Outdated
from bot.adapters.discord.commands.persona import PersonaCommands
from bot.adapters.discord.commands.presses import Presses
from bot.adapters.discord.commands.previews import DecisionButton
from bot.adapters.discord.commands.reply_controls import ReplyButton
from bot.adapters.discord.commands.report import MistakeButton, ReportCommands, add_menu
from bot.adapters.discord.commands.route import RouteCommands
from bot.adapters.discord.commands.services import Services
from bot.adapters.discord.commands.sync import Remembered, sync_commands
from bot.adapters.discord.commands.welcome import Welcome
from bot.adapters.discord.translation import CatalogueTranslator

__all__ = ["Remembered", "Services", "install", "sync_commands"]


async def install(bot: commands.Bot, services: Services) -> None:
    """Add every command to the bot's tree, and every button that outlives a restart."""
    await bot.tree.set_translator(CatalogueTranslator())
    cogs = (
        PersonaCommands,
        ChannelCommands,
        ConversationCommands,
        RouteCommands,
        AboutCommands,
        GuardCommands,
        ReportCommands,
        AskCommands,
        DoctorCommands,
        ToolCommands,
        Leaving,
        Welcome,
    )
    for cog in cogs:
        await bot.add_cog(cog(services))
    cards = {settings_card.CARD: settings.pressed, welcome.CARD: welcome.pressed}
    await bot.add_cog(Presses(services, cards))
    await bot.add_cog(Outdated(services, cards))
    add_menu(bot)
    add_menus(bot)
    bot.add_dynamic_items(
        DecisionButton, FlipButton, GreetingButton, IdeaButton, MistakeButton, ReplyButton
    )
    bot.tree.error(on_command_error)
