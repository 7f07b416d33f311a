"""Who may do what. Commands and buttons ask the same questions."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.adapters.discord.commands.render import place_of
from bot.chat.place import GuildId
from bot.errors import InvalidChoice, NotAllowed
from bot.personas.binding import BindingLevel


def may_direct(interaction: discord.Interaction[Any]) -> bool:
    """Whether somebody may choose who plays here. In a direct message both sides may."""
    return interaction.guild_id is None or interaction.permissions.manage_channels


def may_moderate(interaction: discord.Interaction[Any]) -> bool:
    """Whether somebody may change or remove what others asked for."""
    return interaction.guild_id is not None and interaction.permissions.manage_messages


def may_reset(interaction: discord.Interaction[Any]) -> bool:
    """Whether somebody may have a place's conversation forgotten; a direct message is theirs."""
    return interaction.guild_id is None or interaction.permissions.manage_messages


def may_keep_cards(interaction: discord.Interaction[Any]) -> bool:
    """Whether somebody may import, edit and remove a server's cards."""
    mine = interaction.permissions
    return interaction.guild_id is not None and (mine.manage_guild or mine.manage_channels)


async def directing(interaction: discord.Interaction) -> bool:
    """Check `may_direct` for a command."""
    if not may_direct(interaction):
        raise app_commands.MissingPermissions(["manage_channels"])
    return True


async def resetting(interaction: discord.Interaction) -> bool:
    """Check `may_reset` for a command."""
    if not may_reset(interaction):
        raise app_commands.MissingPermissions(["manage_messages"])
    return True


async def keeping_cards(interaction: discord.Interaction) -> bool:
    """Check `may_keep_cards` for a command."""
    if interaction.guild_id is None:
        raise app_commands.NoPrivateMessage
    if not may_keep_cards(interaction):
        raise app_commands.MissingPermissions(["manage_channels"])
    return True


def require(allowed: bool) -> None:
    """Raise for a button what a command's check would.

    Raises:
        NotAllowed: it is not allowed.
    """
    if not allowed:
        raise NotAllowed("You need the permission Manage Channels here.")


def require_level(interaction: discord.Interaction[Any], level: BindingLevel | None) -> None:
    """Raise for who may not change what holds at a level: a channel's permission is not enough
    for its category, nor for the server.

    Raises:
        NotAllowed: it is not allowed.
    """
    if level is BindingLevel.GUILD:
        require_server(interaction)
    if level is not BindingLevel.CATEGORY:
        return
    channel, member = interaction.channel, interaction.user
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    category = channel.category if isinstance(channel, discord.abc.GuildChannel) else None
    if category is None or not isinstance(member, discord.Member):
        return  # no such level here, which the change itself says
    if not (interaction.permissions.manage_guild or _may_manage(category, member)):
        raise NotAllowed("You need the permission Manage Channels for the whole category.")


def _may_manage(category: discord.CategoryChannel, member: discord.Member) -> bool:
    return category.permissions_for(member).manage_channels


def require_server(interaction: discord.Interaction[Any]) -> None:
    """Raise for who may not change what holds in the whole server.

    Raises:
        NotAllowed: it is not allowed.
    """
    if not interaction.permissions.manage_guild:
        raise NotAllowed("You need the permission Manage Server for the whole server.")


def guild_of(interaction: discord.Interaction[Any]) -> GuildId:
    """Return the server of an interaction.

    Raises:
        InvalidChoice: it happened in a direct message.
    """
    guild = place_of(interaction).guild
    if guild is None:
        raise InvalidChoice("That works in a server only.")
    return guild
