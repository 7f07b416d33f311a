"""`/persona import|export|edit|remove|scripts`: a server's own cards."""

from __future__ import annotations

import io

import discord
from discord import app_commands

from bot.adapters.discord.commands.naming import persona_names
from bot.adapters.discord.commands.permissions import guild_of, keeping_cards
from bot.adapters.discord.commands.persona.editing import FIELDS, EditModal
from bot.adapters.discord.commands.persona.group import persona
from bot.adapters.discord.commands.persona.previews import decision_view, preview_embed, thumbnail
from bot.adapters.discord.commands.persona.uploads import fetch_card
from bot.adapters.discord.commands.render import place_of, plain, say, shorten
from bot.adapters.discord.commands.services import Serving
from bot.chat.place import UserId
from bot.errors import InvalidChoice, NotFound
from bot.languages import t
from bot.personas import Persona
from bot.personas.card import V2, V3
from bot.personas.export import Container

ORIGINAL = "original"
FORMATS = [
    app_commands.Choice(name="the file as it was imported", value=ORIGINAL),
    app_commands.Choice(name="PNG, Version 3 (with a Version 2 copy)", value="png v3"),
    app_commands.Choice(name="JSON, Version 3", value="json v3"),
    app_commands.Choice(name="CHARX, Version 3", value="charx v3"),
    app_commands.Choice(name="PNG, Version 2", value="png v2"),
    app_commands.Choice(name="JSON, Version 2", value="json v2"),
]
PARTS = [app_commands.Choice(name=part, value=part) for part in FIELDS]
SWITCH = [app_commands.Choice(name=state, value=state) for state in ("on", "off")]


class CardCommands(Serving):
    """The part of `/persona` that keeps a server's cards."""

    @persona.command(name="import", description="Import a character card: PNG, JSON or CHARX")
    @app_commands.describe(file="The card; you see a preview before it goes live")
    @app_commands.check(keeping_cards)
    async def import_card(self, interaction: discord.Interaction, file: discord.Attachment) -> None:
        guild = guild_of(interaction)
        await interaction.response.defer(ephemeral=True)
        data = await fetch_card(file)
        by = UserId(interaction.user.id)
        draft = await self.services.imported.propose(guild, by, data, file.filename)
        embed = preview_embed(draft, interaction.locale)
        await interaction.followup.send(
            t("Look it over; nothing is imported yet."),
            embed=embed,
            files=thumbnail(draft.persona, embed, place_of(interaction)),
            view=decision_view(draft),
            ephemeral=True,
        )

    @persona.command(name="export", description="Get a persona's card as a file")
    @app_commands.describe(name="Which persona", format="What kind of file")
    @app_commands.autocomplete(name=persona_names)
    @app_commands.choices(format=FORMATS)
    @app_commands.check(keeping_cards)
    async def export(
        self,
        interaction: discord.Interaction,
        name: str,
        format: str = "png v3",  # noqa: A002  # the option's name
    ) -> None:
        guild = guild_of(interaction)
        await interaction.response.defer(ephemeral=True)
        persona = await self._named(interaction, name)
        lost: tuple[str, ...] = ()
        if format == ORIGINAL:
            _, stored = await self.services.imported.card(guild, persona)
            if stored is None:
                raise NotFound(
                    "{name} was not imported here, so there is no original. Choose another format.",
                    name=persona.name,
                )
            data, filename = stored.data, stored.entry.filename
        else:
            container, _, version = format.partition(" ")
            spec = V2 if version == "v2" else V3
            exported = await self.services.imported.export(
                guild, persona, Container(container), spec
            )
            data, lost, filename = exported.data, exported.lost, f"{persona.id}.{container}"
        await self._hand_over(interaction, data, filename, _left_out(lost))

    @persona.command(name="edit", description="Change a persona's texts for this server")
    @app_commands.describe(name="Which persona", part="Which texts; the main ones if left out")
    @app_commands.autocomplete(name=persona_names)
    @app_commands.choices(part=PARTS)
    @app_commands.check(keeping_cards)
    async def edit(
        self, interaction: discord.Interaction, name: str, part: str = PARTS[0].value
    ) -> None:
        await interaction.response.send_modal(
            EditModal(self.services, await self._named(interaction, name), part)
        )

    @persona.command(name="remove", description="Remove an imported or edited card")
    @app_commands.describe(name="Which persona; its file is handed to you")
    @app_commands.autocomplete(name=persona_names)
    @app_commands.check(keeping_cards)
    async def remove(self, interaction: discord.Interaction, name: str) -> None:
        guild = guild_of(interaction)
        await interaction.response.defer(ephemeral=True)
        try:
            persona = await self._named(interaction, name)
            ident, shown = persona.id, persona.name
        except NotFound:
            ident = shown = name.strip()  # one whose card can't be read any more
        stored = await self.services.imported.remove(guild, ident)
        line = t("**{name}** is removed.", name=plain(shown))
        if any(each.id == ident for each in self.services.library.all(guild)):
            line += " " + t("The bot's own persona of this name is back.")
        if stored is None:
            await say(interaction, line)
            return
        line += " " + t("Here is the card, should you want it back.")
        await self._hand_over(interaction, stored.data, stored.entry.filename, line)

    @persona.command(name="scripts", description="Let a card's own regex scripts change replies")
    @app_commands.describe(name="Which persona", state="Off unless you switch them on")
    @app_commands.autocomplete(name=persona_names)
    @app_commands.choices(state=SWITCH)
    @app_commands.check(keeping_cards)
    async def scripts(self, interaction: discord.Interaction, name: str, state: str) -> None:
        guild = guild_of(interaction)
        await interaction.response.defer(ephemeral=True)
        persona = await self._named(interaction, name)
        count = len(persona.card.regex_scripts)
        if state == "on" and count == 0:
            raise InvalidChoice("{name}'s card has no regex scripts.", name=persona.name)
        await self.services.imported.allow_scripts(guild, persona.id, state == "on")
        name = plain(persona.name)
        if state == "on":
            line = t(
                "**{name}**: regex scripts are on, {count} in the card. Those meant for replies "
                "run on each finished reply, with a time limit; what they make is judged like any "
                "reply.",
                name=name,
                count=count,
            )
        else:
            line = t("**{name}**: regex scripts are off.", name=name)
        await say(interaction, line)

    async def _named(self, interaction: discord.Interaction, name: str) -> Persona:
        guild = guild_of(interaction)
        await self.services.casting.ready(guild)
        return self.services.casting.persona(name, guild)

    async def _hand_over(
        self, interaction: discord.Interaction, data: bytes, filename: str, line: str
    ) -> None:
        if len(data) > interaction.filesize_limit:
            limit = interaction.filesize_limit // 2**20
            await say(
                interaction,
                f"{line}\n" + t("The file is larger than Discord takes ({limit} MB).", limit=limit),
            )
            return
        file = discord.File(io.BytesIO(data), shorten(filename, 100))
        await interaction.followup.send(shorten(line, 2000), file=file, ephemeral=True)


def _left_out(lost: tuple[str, ...]) -> str:
    if not lost:
        return t("Here is the card.")
    lines = "\n".join(f"- {plain(each)}" for each in lost[:15])
    more = "\n- " + t("and {count} more", count=len(lost) - 15) if len(lost) > 15 else ""
    return t("Here is the card. This format can't hold:") + f"\n{lines}{more}"
