"""What a card looks like before it goes live, and the decision about it."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any, Self

import discord

from bot.adapters.discord.commands.permissions import guild_of, may_keep_cards, require
from bot.adapters.discord.commands.pressing.buttons import PlainButton, Pressed, Told, view_of
from bot.adapters.discord.commands.render import creator_notes, plain, shorten
from bot.adapters.discord.commands.services import services_of
from bot.chat.place import Place, UserId
from bot.languages import t, tn
from bot.personas import Persona
from bot.personas.imported import Draft

NOTES = 1500
FIELD = 1024
"""Characters of a field's value."""
WARNING_FIELDS = 3
MAX_THUMBNAIL = 4 * 2**20


def card_embed(persona: Persona, locale: discord.Locale) -> discord.Embed:
    """Return what a card says about itself: never what is for the model alone."""
    card = persona.card
    embed = discord.Embed(
        title=shorten(plain(persona.name), 256),
        description=shorten(creator_notes(card, locale), NOTES) or None,
    )
    if card.tags:
        embed.add_field(name=t("Tags"), value=shorten(plain(", ".join(card.tags)), 500))
    if card.creator:
        embed.add_field(name=t("By"), value=shorten(plain(card.creator), 200))
    if card.character_version:
        embed.add_field(name=t("Version"), value=shorten(plain(card.character_version), 100))
    if persona.adult:
        embed.add_field(name=t("For adults"), value=t("Plays in age-restricted channels only."))
    return embed


def preview_embed(draft: Draft, locale: discord.Locale) -> discord.Embed:
    """Return the preview of a card that was read but is not in service."""
    persona, card = draft.persona, draft.read.card
    embed = card_embed(persona, locale)
    counts = [tn("{count} greeting", "{count} greetings", len(persona.greetings))]
    if persona.group_greetings:
        number = len(persona.group_greetings)
        counts.append(tn("{count} greeting for scenes", "{count} greetings for scenes", number))
    if card.book is not None:
        number = len(card.book.entries)
        counts.append(tn("{count} lorebook entry", "{count} lorebook entries", number))
    if card.regex_scripts:
        number = len(card.regex_scripts)
        counts.append(tn("{count} regex script, off", "{count} regex scripts, off", number))
    embed.add_field(name=t("Holds"), value=", ".join(counts), inline=False)
    if draft.replaces is not None:
        same = draft.replaces.version == persona.version
        line = (
            t("The same card is here already.") if same else t("Takes the place of the one here.")
        )
        embed.add_field(name=t("Replaces"), value=f"{line} (`{persona.id}`)", inline=False)
    for name, value in warning_fields(draft.read.warnings):
        embed.add_field(name=name, value=value, inline=False)
    embed.set_footer(text=f"{persona.id} · {card.spec.removeprefix('chara_card_').upper()}")
    return embed


def warning_fields(warnings: Sequence[str]) -> list[tuple[str, str]]:
    """Return all warnings as fields; what does not fit is counted."""
    if not warnings:
        return [(t("Warnings"), t("None."))]
    fields: list[str] = [""]
    for number, warning in enumerate(warnings):
        line = f"- {shorten(plain(warning), 300)}\n"
        if len(fields[-1]) + len(line) > FIELD - 40:
            if len(fields) == WARNING_FIELDS:
                fields[-1] += "- " + t("and {count} more", count=len(warnings) - number)
                break
            fields.append("")
        fields[-1] += line
    names = [t("Warnings"), *["…"] * (len(fields) - 1)]
    return list(zip(names, fields, strict=True))


def thumbnail(persona: Persona, embed: discord.Embed, place: Place) -> list[discord.File]:
    """Put a persona's picture beside its card. Return the file to send along.

    Pictures of cards for adults are for age-restricted places.
    """
    if persona.avatar is None or len(persona.avatar) > MAX_THUMBNAIL:
        return []
    if persona.adult and not place.age_restricted:
        return []
    embed.set_thumbnail(url="attachment://avatar.png")
    about = t("Avatar of {name}", name=persona.name)[:1000]
    return [discord.File(io.BytesIO(persona.avatar), "avatar.png", description=about)]


def decision_view(draft: Draft) -> discord.ui.View:
    """Return the buttons under a preview."""
    return view_of(DecisionButton("import", draft.token), DecisionButton("cancel", draft.token))


class DecisionButton(
    Told,
    discord.ui.DynamicItem[PlainButton],
    template=re.compile(r"card:(?P<what>import|cancel):(?P<token>[0-9a-f]{16})"),
):
    """Import or Cancel. The card waits in the store, so a restart in between does no harm."""

    def __init__(self, what: str, token: str) -> None:
        self._what, self._token = what, token
        good = what == "import"
        super().__init__(
            discord.ui.Button(
                label=t("Import") if good else t("Cancel"),
                style=discord.ButtonStyle.success if good else discord.ButtonStyle.secondary,
                custom_id=f"card:{what}:{token}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: Pressed, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["what"], match["token"])

    async def pressed(self, interaction: Pressed) -> None:
        require(may_keep_cards(interaction))
        imported, guild = services_of(interaction).imported, guild_of(interaction)
        by = UserId(interaction.user.id)
        await interaction.response.defer()
        if self._what == "cancel":
            await imported.reject(guild, by)
            await _close(interaction, t("Cancelled. Nothing was imported."))
            return
        persona = await imported.accept(guild, by, self._token)
        note = "\n" + t("It plays in age-restricted channels only.") if persona.adult else ""
        await _close(
            interaction,
            t(
                "**{name}** is imported. Let them play here with `/persona switch {id}`.",
                name=plain(persona.name),
                id=persona.id,
            )
            + note,
        )


async def _close(interaction: Pressed, line: str) -> None:
    """Put the outcome in the preview's place."""
    await interaction.edit_original_response(
        content=shorten(line, 2000), embed=None, view=None, attachments=[]
    )
