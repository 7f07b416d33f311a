"""`/persona list|show|switch|reset`; the cards' part is in `cards`."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands

from bot.adapters.discord.commands.naming import persona_names
from bot.adapters.discord.commands.permissions import directing
from bot.adapters.discord.commands.persona import group
from bot.adapters.discord.commands.persona.cards import CardCommands
from bot.adapters.discord.commands.persona.greetings import greet, greeting_buttons
from bot.adapters.discord.commands.persona.previews import card_embed, thumbnail
from bot.adapters.discord.commands.pressing.buttons import view_of
from bot.adapters.discord.commands.render import (
    MAX_MESSAGE,
    cast_lines,
    inherited,
    place_of,
    plain,
    say,
)
from bot.chat.place import Place
from bot.languages import t, tn
from bot.personas import Persona
from bot.prompting.greeting import greetings_of
from bot.routing.route import Route

REST = 60
"""Characters for the line that counts what a message can't hold."""


class PersonaCommands(CardCommands):
    """Who plays here, and changing it."""

    persona = group.persona

    @persona.command(name="list", description="All personas that can play here")
    async def list(self, interaction: discord.Interaction) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        binding = await self.services.casting.resolved(place)
        lines: list[str] = []
        for persona in self.services.library.all(place.guild):
            plays = [route.value for route in Route if binding.cast[route] == persona.id]
            note = " " + t("(plays {routes} here)", routes=", ".join(plays)) if plays else ""
            note += " · " + t("for adults") if persona.adult else ""
            lines.append(f"- **{plain(persona.name)}** `{persona.id}`{note}")
        await say(interaction, _fitting(lines) or t("There are no personas yet."))

    @persona.command(name="show", description="Show a persona's card")
    @app_commands.describe(name="Which persona; without it, those who play here")
    @app_commands.autocomplete(name=persona_names)
    async def show(self, interaction: discord.Interaction, name: str | None = None) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        if name is None:
            binding = await self.services.casting.resolved(place)
            lines = cast_lines(binding, self.services.casting, place.guild)
            scene = self.services.casting.scene(binding, place)
            if scene:
                names = ", ".join(f"**{plain(each.name)}**" for each in scene)
                origin = inherited(binding, "scene")
                lines = [t("{names} share this place ({origin}).", names=names, origin=origin)]
            await say(interaction, "\n".join([t("Who plays here:"), *lines]))
            return
        await self.services.casting.ready(place.guild)
        await self._show_card(interaction, self.services.casting.persona(name, place.guild), place)

    async def _show_card(
        self, interaction: discord.Interaction, persona: Persona, place: Place
    ) -> None:
        embed = card_embed(persona, interaction.locale)
        others = await self.services.first_words.others(persona, place)
        count = len(greetings_of(persona, group=bool(others)))
        embed.set_footer(
            text=persona.id + " · " + tn("{count} greeting", "{count} greetings", count)
        )
        # Greetings of cards for adults are for age-restricted places too.
        allowed = place.age_restricted or not persona.adult
        await interaction.followup.send(
            embed=embed,
            files=thumbnail(persona, embed, place),
            view=view_of(*(greeting_buttons(persona, count) if allowed else ())),
            ephemeral=True,
        )

    @persona.command(name="switch", description="Choose who answers here")
    @app_commands.describe(name="The persona that plays every route here")
    @app_commands.autocomplete(name=persona_names)
    @app_commands.check(directing)
    async def switch(self, interaction: discord.Interaction, name: str) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        persona = await self.services.casting.switch(place, name)
        problem = await greet(self.services, interaction, persona)
        await say(
            interaction,
            t(
                "**{name}** answers here from now on. `/persona reset` brings the inherited cast "
                "back.",
                name=plain(persona.name),
            )
            + (f"\n{problem}" if problem else ""),
        )

    @persona.command(name="reset", description="Inherit the cast again")
    @app_commands.check(directing)
    async def reset(self, interaction: discord.Interaction) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        changed = await self.services.casting.reset_cast(place)
        await say(
            interaction,
            t("The cast is inherited again.")
            if changed
            else t("No cast was set here: nothing changed."),
        )


def _fitting(lines: Sequence[str]) -> str:
    """Return as many lines as a message holds; those that are left out are counted."""
    room = MAX_MESSAGE - REST
    for number, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            more = t("and {count} more", count=len(lines) - number)
            return "\n".join([*lines[:number], f"- {more}"])
    return "\n".join(lines)
