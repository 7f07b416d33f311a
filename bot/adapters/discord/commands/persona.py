"""`/persona show|list|switch|reset`."""

from __future__ import annotations

import io

import discord
from discord import app_commands
from discord.ext import commands

from bot.adapters.discord.commands.render import (
    creator_notes,
    inherited,
    place_of,
    plain,
    say,
    shorten,
)
from bot.adapters.discord.commands.services import Services
from bot.personas import Persona
from bot.routing.route import Route

CHOICES = 25
"""Discord's limit of autocomplete choices."""
LISTED = 40


class PersonaCommands(commands.Cog):
    """Who plays here, and changing it."""

    persona = app_commands.Group(name="persona", description="Who plays here", guild_only=False)

    def __init__(self, services: Services) -> None:
        self._services = services

    async def _names(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Offer personas whose name or id begins with, or holds, what was typed."""
        wanted = current.casefold().strip()
        guild = place_of(interaction).guild
        found = [
            persona
            for persona in self._services.library.all(guild)
            if wanted in persona.name.casefold() or wanted in persona.id.casefold()
        ]
        found.sort(key=lambda each: (not each.name.casefold().startswith(wanted), each.name))
        return [
            app_commands.Choice(name=shorten(each.name, 100), value=each.id[:100])
            for each in found[:CHOICES]
        ]

    @persona.command(name="list", description="All personas that can play here")
    async def list(self, interaction: discord.Interaction) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        binding = await self._services.casting.resolved(place)
        lines = []
        for persona in self._services.library.all(place.guild)[:LISTED]:
            plays = [route.value for route in Route if binding.cast[route] == persona.id]
            note = f" (plays {', '.join(plays)} here)" if plays else ""
            lines.append(f"- **{plain(persona.name)}** `{persona.id}`{note}")
        await say(interaction, "\n".join(lines) or "There are no personas yet.")

    @persona.command(name="show", description="Show a persona's card")
    @app_commands.describe(name="Which persona; without it, those who play here")
    @app_commands.autocomplete(name=_names)
    async def show(self, interaction: discord.Interaction, name: str | None = None) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        if name is None:
            binding = await self._services.casting.resolved(place)
            lines = [
                f"- {route.value}: **"
                f"{plain(self._services.casting.player(binding, route, place.guild).name)}** "
                f"({inherited(binding, f'cast.{route}')})"
                for route in Route
            ]
            await say(interaction, "Who plays here:\n" + "\n".join(lines))
            return
        persona = self._services.casting.persona(name, place.guild)
        await self._show_card(interaction, persona)

    async def _show_card(self, interaction: discord.Interaction, persona: Persona) -> None:
        card = persona.card
        embed = discord.Embed(
            title=shorten(plain(persona.name), 256),
            description=shorten(creator_notes(card, interaction.locale), 2000) or None,
        )
        if card.tags:
            embed.add_field(name="Tags", value=shorten(plain(", ".join(card.tags)), 1000))
        if card.creator:
            embed.add_field(name="By", value=shorten(plain(card.creator), 200))
        embed.set_footer(text=f"{persona.id} · {len(persona.greetings)} greetings")
        if persona.avatar is None:
            await interaction.followup.send(embed=embed, ephemeral=True)
            return
        picture = discord.File(
            io.BytesIO(persona.avatar), "avatar.png", description=f"Avatar of {persona.name}"[:1000]
        )
        embed.set_thumbnail(url="attachment://avatar.png")
        await interaction.followup.send(embed=embed, file=picture, ephemeral=True)

    @persona.command(name="switch", description="Choose who answers here")
    @app_commands.describe(name="The persona that plays every route here")
    @app_commands.autocomplete(name=_names)
    @app_commands.checks.has_permissions(manage_channels=True)
    async def switch(self, interaction: discord.Interaction, name: str) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        persona = await self._services.casting.switch(place, name)
        await say(
            interaction,
            f"**{plain(persona.name)}** answers here from now on. "
            "`/persona reset` brings the inherited cast back.",
        )

    @persona.command(name="reset", description="Inherit the cast again")
    @app_commands.checks.has_permissions(manage_channels=True)
    async def reset(self, interaction: discord.Interaction) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        changed = await self._services.casting.reset_cast(place)
        await say(
            interaction,
            "The cast is inherited again." if changed else "No cast was set here: nothing changed.",
        )
