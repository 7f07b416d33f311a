"""What the bot may do at a place, by what Discord told its clients, and when that changes."""

from __future__ import annotations

from collections.abc import Iterable

import discord
from discord.ext import commands

from bot.adapters.discord.speaking.desk import Desk
from bot.chat.place import GuildId, Place


def permissions_at(clients: Iterable[discord.Client], place: Place) -> discord.Permissions | None:
    """Return our permissions at a place; those of its parent for a thread. None: nobody knows."""
    if place.guild is None:
        return None
    for client in clients:
        guild = client.get_guild(place.guild)
        channel = guild.get_channel(place.parent or place.channel) if guild is not None else None
        if guild is not None and guild.me is not None and channel is not None:
            return channel.permissions_for(guild.me)
    return None


def permissions_in(clients: Iterable[discord.Client], ident: GuildId) -> discord.Permissions | None:
    """Return our permissions in a guild, before what its channels say. None: nobody knows."""
    for client in clients:
        guild = client.get_guild(ident)
        if guild is not None and guild.me is not None:
            return guild.me.guild_permissions
    return None


class PermissionChanges(commands.Cog):
    """Lets the desk try again wherever an admin changed what we may do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @commands.Cog.listener()
    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        threads: Iterable[discord.Thread] = getattr(after, "threads", ())
        self._desk.try_again((after.id, *(thread.id for thread in threads)))

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.permissions != after.permissions:
            self._everywhere(after.guild)

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        if after.id == after.guild.me.id:  # roles, or the end of a time-out
            self._everywhere(after.guild)

    def _everywhere(self, guild: discord.Guild) -> None:
        self._desk.try_again(each.id for each in (*guild.channels, *guild.threads))
