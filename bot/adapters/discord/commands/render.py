"""From domain values to what Discord shows, and from an interaction to its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord

from bot.adapters.discord.reading.mapping import place_of_channel, speaker_of
from bot.chat.place import GuildId, Place
from bot.chat.turn import Speaker
from bot.errors import InvalidChoice
from bot.languages import mark, t, translated
from bot.personas import Card
from bot.personas.binding import BindingLevel, ResolvedBinding
from bot.personas.casting import Casting
from bot.routing.route import Route

MAX_MESSAGE = 2000
ALOUD = "answer announced to everybody"
"""Among an interaction's extras."""
_ORIGINS = {
    BindingLevel.GUILD: mark("set for this server"),
    BindingLevel.CATEGORY: mark("set for this category"),
    BindingLevel.CHANNEL: mark("set for this channel"),
    BindingLevel.THREAD: mark("set for this thread"),
}


def place_of(interaction: discord.Interaction[Any]) -> Place:
    """Return the place where an interaction happened.

    A chat of other people, in which the bot is used by their own installation, is no direct
    message: it counts as a server of its own, so that nothing private is spoken there.
    """
    if interaction.channel is None:
        raise InvalidChoice("I can't see this channel. Ask an admin to let me view it.")
    place = place_of_channel(interaction.channel, interaction.guild_id)
    if interaction.guild_id is None and interaction.context.private_channel:
        return Place(place.channel, GuildId(place.channel))
    return place


def speaker_of_reader(interaction: discord.Interaction[Any]) -> Speaker:
    """Return who used a command or button, with the language they read."""
    return replace(speaker_of(interaction.user), locale=str(interaction.locale))


def plain(text: str) -> str:
    """Return somebody's text so that it shows as it is: no markup, no mention.

    What no message can hold is left out first: a card's field may have two million characters, and
    discord.py's escaping takes a time that grows with their square.
    """
    shown = text[:MAX_MESSAGE].replace("\n", " ")
    return discord.utils.escape_mentions(discord.utils.escape_markdown(shown))


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def inherited(binding: ResolvedBinding, name: str) -> str:
    """Say where a value comes from."""
    level = binding.origins.get(name)
    if level is None or level is BindingLevel.DEFAULT:
        return t("default")
    return translated(_ORIGINS[level])


def cast_lines(binding: ResolvedBinding, casting: Casting, guild: GuildId | None) -> list[str]:
    """Say who plays each route, and where that comes from."""
    return [
        f"- {route.value}: **{plain(casting.player(binding, route, guild).name)}** "
        f"({inherited(binding, f'cast.{route}')})"
        for route in Route
    ]


def creator_notes(card: Card, locale: discord.Locale) -> str:
    """Return the creator's notes in the reader's language, else in English, else any there are.

    The plain notes count as English where the card has none by that name (Version 3).
    """
    written = card.creator_notes_multilingual or {}
    notes = {str(name).casefold().replace("_", "-"): text for name, text in written.items()}
    if card.creator_notes:
        notes.setdefault("en", card.creator_notes)
    wanted = str(locale).casefold()
    order = (wanted, wanted.split("-")[0], "en", *sorted(notes))
    return next((notes[name] for name in order if notes.get(name)), "")


async def think_aloud(interaction: discord.Interaction[Any]) -> None:
    """Announce an answer that everybody there will read."""
    await interaction.response.defer(thinking=True)
    interaction.extras[ALOUD] = True


async def say(interaction: discord.Interaction[Any], text: str) -> None:
    """Answer an interaction, deferred or not, for the person's eyes only."""
    text = shorten(text, MAX_MESSAGE)
    if interaction.extras.pop(ALOUD, False):
        # Else this line would take the place of the announced answer, for all to read.
        await interaction.delete_original_response()
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True)
    else:
        await interaction.response.send_message(text, ephemeral=True)
