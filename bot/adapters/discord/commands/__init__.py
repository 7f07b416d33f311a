"""Slash commands, menus, buttons and forms, by what they are about."""

from __future__ import annotations

from discord.ext import commands

from bot.adapters.discord.commands.about import AboutCommands
from bot.adapters.discord.commands.asking.ask import AskCommands
from bot.adapters.discord.commands.asking.creating import IdeaButton, ToolCommands
from bot.adapters.discord.commands.asking.menus import add_menus
from bot.adapters.discord.commands.doctor import DoctorCommands
from bot.adapters.discord.commands.failures import on_command_error
from bot.adapters.discord.commands.guard import GuardCommands
from bot.adapters.discord.commands.leaving import Leaving
from bot.adapters.discord.commands.persona.greetings import FlipButton, GreetingButton
from bot.adapters.discord.commands.persona.playing import PersonaCommands
from bot.adapters.discord.commands.persona.previews import DecisionButton
from bot.adapters.discord.commands.pressing.outdated import Outdated
from bot.adapters.discord.commands.pressing.presses import Presses
from bot.adapters.discord.commands.replies.controls import ReplyButton
from bot.adapters.discord.commands.replies.conversation import ConversationCommands
from bot.adapters.discord.commands.replies.report import MistakeButton, ReportCommands, add_menu
from bot.adapters.discord.commands.route import RouteCommands
from bot.adapters.discord.commands.services import Services
from bot.adapters.discord.commands.settings import card, changing, welcome
from bot.adapters.discord.commands.settings.channel import ChannelCommands
from bot.adapters.discord.commands.settings.welcome import Welcome
from bot.adapters.discord.commands.sync import Remembered, sync_commands
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
    cards = {card.CARD: changing.pressed, welcome.CARD: welcome.pressed}
    await bot.add_cog(Presses(services, cards))
    await bot.add_cog(Outdated(services, cards))
    add_menu(bot)
    add_menus(bot)
    bot.add_dynamic_items(
        DecisionButton, FlipButton, GreetingButton, IdeaButton, MistakeButton, ReplyButton
    )
    bot.tree.error(on_command_error)
