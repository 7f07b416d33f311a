"""Completing the names of personas while they are typed."""

from __future__ import annotations

import asyncio
import contextlib

import discord
from discord import app_commands

from bot.adapters.discord.commands.render import place_of, shorten
from bot.adapters.discord.commands.services import services_of
from bot.errors import StoreError

CHOICES = 25
"""Discord's limit of autocomplete choices."""
PATIENCE = 2.0
"""Seconds; Discord takes choices for three."""


async def persona_names(
    interaction: discord.Interaction, current: str
) -> list[app_commands.Choice[str]]:
    """Offer personas whose name or id begins with, or holds, what was typed."""
    services, guild = services_of(interaction), place_of(interaction).guild
    with contextlib.suppress(StoreError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await services.casting.ready(guild)
    wanted = current.casefold().strip()
    found = [
        persona
        for persona in services.library.all(guild)
        if wanted in persona.name.casefold() or wanted in persona.id.casefold()
    ]
    found.sort(key=lambda each: (not each.name.casefold().startswith(wanted), each.name))
    return [
        app_commands.Choice(name=shorten(each.name, 100), value=each.id[:100])
        for each in found[:CHOICES]
    ]
