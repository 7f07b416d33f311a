"""`/channel bind|cast|mode|unbind|settings|info`, `/channel scene add|remove|list`."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.adapters.discord.commands.naming import persona_names
from bot.adapters.discord.commands.permissions import require_level
from bot.adapters.discord.commands.persona.greetings import greet
from bot.adapters.discord.commands.render import (
    cast_lines,
    inherited,
    place_of,
    plain,
    say,
)
from bot.adapters.discord.commands.services import Serving
from bot.adapters.discord.commands.settings.card import levels_of, settings_card
from bot.adapters.discord.commands.settings.wording import RULES, warning
from bot.chat.place import Place
from bot.languages import t, translated
from bot.personas import Persona
from bot.personas.binding import BindingLevel, ResolvedBinding, TriggerMode
from bot.personas.casting import checked_words
from bot.routing.route import Route

LEVELS = [
    app_commands.Choice(name="here", value=""),
    app_commands.Choice(name="the whole channel", value=BindingLevel.CHANNEL.value),
    app_commands.Choice(name="the whole category", value=BindingLevel.CATEGORY.value),
    app_commands.Choice(name="the whole server", value=BindingLevel.GUILD.value),
]
MODES = [
    app_commands.Choice(name="mention: answer mentions and replies", value="mention"),
    app_commands.Choice(name="thread: a thread for each conversation", value="thread"),
    app_commands.Choice(name="auto: answer every message", value="auto"),
    app_commands.Choice(name="off: stay silent", value="off"),
]


def _level(value: str | None) -> BindingLevel | None:
    return BindingLevel(value) if value else None


@app_commands.default_permissions(manage_channels=True)
@app_commands.guild_only()
class ChannelCommands(
    Serving, commands.GroupCog, group_name="channel", group_description="Who plays where"
):
    """Bindings of a channel, its category or its server."""

    scene = app_commands.Group(
        name="scene", description="Several personas that share a place and answer by turns"
    )

    @app_commands.command(description="Let one persona play every route, and choose when")
    @app_commands.describe(
        persona="Who plays every route",
        mode="When to answer; unchanged if left out",
        words="Words that count as a mention, comma-separated",
        where="What to bind; here if left out",
    )
    @app_commands.autocomplete(persona=persona_names)
    @app_commands.choices(mode=MODES, where=LEVELS)
    @app_commands.checks.has_permissions(manage_channels=True)
    async def bind(
        self,
        interaction: discord.Interaction,
        persona: str,
        mode: str | None = None,
        words: str | None = None,
        where: str | None = None,
    ) -> None:
        place, level = place_of(interaction), _level(where)
        await interaction.response.defer(ephemeral=True)
        require_level(interaction, level)
        # All of it is checked before any of it is changed.
        if mode is not None:
            self.services.rules.check_mode(TriggerMode(mode))
        called = None if words is None else checked_words(words.split(","))
        chosen = await self.services.casting.switch(place, persona, level=level)
        if mode is not None:
            await self.services.rules.set_mode(place, TriggerMode(mode), level=level)
        if called is not None:
            await self.services.casting.set_words(place, called, level=level)
        problem = await self._greet(interaction, chosen, level)
        lines = [
            t("Bound to **{name}**.", name=plain(chosen.name)),
            *([problem] if problem else []),
        ]
        rules = self.services.rules
        deaf = warning(TriggerMode(mode), hears_all=rules.auto_allowed) if mode else ""
        await say(interaction, "\n".join([*lines, await self._info(interaction)]) + deaf)

    @app_commands.command(description="Choose a persona for each route")
    @app_commands.describe(
        factual="Answers questions of fact",
        creative="Writes and plays",
        companion="Talks with people",
        where="What to bind; here if left out",
    )
    @app_commands.autocomplete(
        factual=persona_names, creative=persona_names, companion=persona_names
    )
    @app_commands.choices(where=LEVELS)
    @app_commands.checks.has_permissions(manage_channels=True)
    async def cast(
        self,
        interaction: discord.Interaction,
        factual: str | None = None,
        creative: str | None = None,
        companion: str | None = None,
        where: str | None = None,
    ) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        require_level(interaction, _level(where))
        given = {Route.FACTUAL: factual, Route.CREATIVE: creative, Route.COMPANION: companion}
        names = {route: name for route, name in given.items() if name}
        await self.services.casting.cast(place, names, level=_level(where))
        await say(interaction, await self._info(interaction))

    @app_commands.command(description="Choose when to answer")
    @app_commands.choices(mode=MODES, where=LEVELS)
    @app_commands.checks.has_permissions(manage_channels=True)
    async def mode(
        self, interaction: discord.Interaction, mode: str, where: str | None = None
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        place = place_of(interaction)
        require_level(interaction, _level(where))
        rules, chosen = self.services.rules, TriggerMode(mode)
        await rules.set_mode(place, chosen, level=_level(where))
        deaf = warning(chosen, hears_all=rules.auto_allowed)
        await say(interaction, await self._info(interaction) + deaf)

    @app_commands.command(description="Remove what is set, so that it is inherited again")
    @app_commands.choices(where=LEVELS)
    @app_commands.checks.has_permissions(manage_channels=True)
    async def unbind(self, interaction: discord.Interaction, where: str | None = None) -> None:
        await interaction.response.defer(ephemeral=True)
        require_level(interaction, _level(where))
        changed = await self.services.casting.unbind(place_of(interaction), level=_level(where))
        line = t("Removed.") if changed else t("Nothing was set there.")
        await say(interaction, f"{line}\n{await self._info(interaction)}")

    @app_commands.command(description="See and change everything that is set here")
    @app_commands.checks.has_permissions(manage_channels=True)
    async def settings(self, interaction: discord.Interaction) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        view = await settings_card(self.services, place, levels_of(place)[0])
        await interaction.followup.send(view=view, ephemeral=True)

    @app_commands.command(description="What is in force here, and where it comes from")
    async def info(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await say(interaction, await self._info(interaction))

    @scene.command(name="add", description="Let a persona join the scene")
    @app_commands.describe(persona="Who joins", where="Which scene; the one here if left out")
    @app_commands.autocomplete(persona=persona_names)
    @app_commands.choices(where=LEVELS)
    @app_commands.checks.has_permissions(manage_channels=True)
    async def add(
        self, interaction: discord.Interaction, persona: str, where: str | None = None
    ) -> None:
        place, level = place_of(interaction), _level(where)
        await interaction.response.defer(ephemeral=True)
        require_level(interaction, level)
        joined = await self.services.casting.add_to_scene(place, persona, level=level)
        members = await self._members(place)
        problem = await self._greet(interaction, joined, level)
        said = t("**{name}** is in the scene.", name=plain(joined.name))
        lines = [said, *([problem] if problem else [])]
        if not members:
            lines.append(t("A scene needs two: add another persona."))
        await say(interaction, "\n".join([*lines, *_scene_lines(members)]))

    @scene.command(name="remove", description="Take a persona out of the scene")
    @app_commands.describe(persona="Who leaves", where="Which scene; the one here if left out")
    @app_commands.autocomplete(persona=persona_names)
    @app_commands.choices(where=LEVELS)
    @app_commands.checks.has_permissions(manage_channels=True)
    async def remove(
        self, interaction: discord.Interaction, persona: str, where: str | None = None
    ) -> None:
        place = place_of(interaction)
        await interaction.response.defer(ephemeral=True)
        require_level(interaction, _level(where))
        gone = await self.services.casting.remove_from_scene(place, persona, level=_level(where))
        members = await self._members(place)
        lines = [t("`{name}` has left the scene.", name=plain(gone)), *_scene_lines(members)]
        if not members:
            lines.append(t("There is no scene here any more: the cast answers."))
        await say(interaction, "\n".join(lines))

    @scene.command(name="list", description="Who shares this place")
    async def members(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        members = await self._members(place_of(interaction))
        lines = _scene_lines(members) or [t("There is no scene here: the cast answers.")]
        await say(interaction, "\n".join(lines))

    async def _greet(
        self, interaction: discord.Interaction, persona: Persona, level: BindingLevel | None
    ) -> str | None:
        """Let a persona that plays right here say its first words; see `greet`."""
        here = level in (None, levels_of(place_of(interaction))[0])
        return await greet(self.services, interaction, persona) if here else None

    async def _members(self, place: Place) -> tuple[Persona, ...]:
        return self.services.casting.scene(await self.services.casting.resolved(place), place)

    async def _info(self, interaction: discord.Interaction) -> str:
        place = place_of(interaction)
        casting = self.services.casting
        binding = await casting.resolved(place)
        lines = cast_lines(binding, casting, place.guild)
        scene = casting.scene(binding, place)
        if scene:
            names = ", ".join(f"**{plain(each.name)}**" for each in scene)
            origin = inherited(binding, "scene")
            lines = [t("- scene: {names} ({origin})", names=names, origin=origin)]
        lines.append(
            t(
                "- answers: {mode} ({origin})",
                mode=binding.mode.value,
                origin=inherited(binding, "mode"),
            )
        )
        if binding.words:
            words = ", ".join(plain(word) for word in binding.words)
            lines.append(
                t(
                    "- trigger words: {words} ({origin})",
                    words=words,
                    origin=inherited(binding, "words"),
                )
            )
        model = binding.model or self.services.model
        lines.append(
            t(
                "- model: `{model}` ({origin})",
                model=plain(model),
                origin=inherited(binding, "model"),
            )
        )
        lines += _also_set(binding)
        lines.append(t("`/channel settings` shows and changes all of it."))
        return "\n".join(lines)


def _also_set(binding: ResolvedBinding) -> list[str]:
    """Name the limits that are set here; the card has their values."""
    named = {"allowed": "allowed", "barred": "barred", "quiet": "quiet"}
    named |= {f"limits.{whom}": "limits" for whom in list(binding.limits)[:1]}
    return [
        t(
            "- {setting}: set ({origin})",
            setting=translated(RULES[rule]),
            origin=inherited(binding, name),
        )
        for name, rule in named.items()
        if getattr(binding, rule)
    ]


def _scene_lines(members: tuple[Persona, ...]) -> list[str]:
    """Say who answers when, in a scene."""
    if not members:
        return []
    lines = [
        t(
            "- **{name}**, talkative {share}",
            name=plain(each.name),
            share=f"{each.card.talkativeness:.0%}",
        )
        for each in members
    ]
    lines.append(t("Call one by name or reply to one; else whoever feels like it answers."))
    return lines
