"""A persona's first words in a channel, with buttons to flip through the others."""

from __future__ import annotations

import re
from typing import Any, Self

import discord

from bot.adapters.discord.commands.failures import line_for, meaning
from bot.adapters.discord.commands.permissions import may_direct, require
from bot.adapters.discord.commands.pressing.buttons import PlainButton, Pressed, Told, view_of
from bot.adapters.discord.commands.render import place_of, say, shorten
from bot.adapters.discord.commands.services import Services, services_of
from bot.adapters.discord.reading.mapping import speaker_of
from bot.adapters.discord.speaking.greeter import rendered
from bot.adapters.discord.speaking.webhooks import header_of
from bot.chat.place import MessageId
from bot.chat.wishes.first_words import Greeting
from bot.errors import DeliveryError, InvalidChoice, PermissionMissing, UserFacing
from bot.languages import t
from bot.personas import Persona
from bot.ports import Face

SHOWN = 20
"""Buttons of greetings under a card: four rows, and Discord takes five."""


async def greet(
    services: Services, interaction: discord.Interaction[Any], persona: Persona
) -> str | None:
    """Let a persona say its first words here. Return why it did not, if it had any.

    What was asked for is done by then: a greeting that fails must not make it look undone.
    """
    place, reader = place_of(interaction), speaker_of(interaction.user)
    try:
        greeting = await services.first_words.greeting(persona, place, 0, reader)
        if greeting is None:
            return None
        face = Face(persona.id, persona.name, persona.avatar)
        components = flip_view(greeting).to_components() if greeting.count > 1 else []
        message = await services.greeter.post(place, face, greeting.text, components)
        await services.first_words.began(place, greeting, message)
    except (UserFacing, PermissionMissing) as error:
        return line_for(error)
    except DeliveryError as error:
        return t("I could not post the greeting: {reason}.", reason=meaning(error))
    return None


def flip_view(greeting: Greeting) -> discord.ui.View:
    """Return the buttons under a greeting."""
    at = discord.ui.Button[discord.ui.View](
        label=f"{greeting.index + 1}/{greeting.count}", custom_id="greeting", disabled=True
    )
    one, persona = greeting.index, greeting.persona.id
    return view_of(
        FlipButton("back", (one - 1) % greeting.count, persona),
        at,
        FlipButton("on", (one + 1) % greeting.count, persona),
    )


def greeting_buttons(persona: Persona, count: int) -> list[discord.ui.Item[Any]]:
    """Return a button for each greeting of a persona, as many as fit."""
    return [GreetingButton(index, persona.id) for index in range(min(count, SHOWN))]


class FlipButton(
    Told,
    discord.ui.DynamicItem[PlainButton],
    template=re.compile(r"flip:(?P<way>back|on):(?P<index>\d{1,3}):(?P<persona>.{1,80})"),
):
    """◀ or ▶ under a greeting: puts the neighbour in its place."""

    def __init__(self, way: str, index: int, persona: str) -> None:
        self._index, self._persona = index, persona
        super().__init__(
            discord.ui.Button(
                label="◀" if way == "back" else "▶", custom_id=f"flip:{way}:{index}:{persona}"
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: Pressed, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["way"], int(match["index"]), match["persona"])

    async def pressed(self, interaction: Pressed) -> None:
        require(may_direct(interaction))
        services, place, shown = (
            services_of(interaction),
            place_of(interaction),
            interaction.message,
        )
        if shown is None:
            raise InvalidChoice("This greeting is gone.")
        await interaction.response.defer()
        message = MessageId(shown.id)
        await services.first_words.check_open(place, message)
        await services.casting.ready(place.guild)
        persona = services.library.get(self._persona, place.guild)
        greeting = await services.first_words.greeting(
            persona, place, self._index, speaker_of(interaction.user)
        )
        if greeting is None:
            raise InvalidChoice("{name} has no greetings any more.", name=persona.name)
        # The store first: what stands there after a crash in between is an older greeting than
        # the model sees, and the next flip mends it.
        await services.first_words.began(place, greeting, message)
        header = header_of(persona.name) if shown.webhook_id is None else ""
        content, embeds = rendered(greeting.text, header)
        await interaction.edit_original_response(
            content=content or None,
            embeds=embeds,
            view=flip_view(greeting),
            allowed_mentions=discord.AllowedMentions.none(),
        )


class GreetingButton(
    Told,
    discord.ui.DynamicItem[PlainButton],
    template=re.compile(r"greeting:(?P<index>\d{1,3}):(?P<persona>.{1,80})"),
):
    """Shows one greeting of a persona to who presses it."""

    def __init__(self, index: int, persona: str) -> None:
        self._index, self._persona = index, persona
        super().__init__(
            discord.ui.Button(
                label=t("Greeting {index}", index=index + 1),
                custom_id=f"greeting:{index}:{persona}",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: Pressed, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["index"]), match["persona"])

    async def pressed(self, interaction: Pressed) -> None:
        services, place = services_of(interaction), place_of(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        await services.casting.ready(place.guild)
        persona = services.library.get(self._persona, place.guild)
        greeting = await services.first_words.greeting(
            persona, place, self._index, speaker_of(interaction.user)
        )
        if greeting is None:
            await say(interaction, t("{name} has no greetings.", name=shorten(persona.name, 80)))
            return
        content, embeds = rendered(greeting.text)
        await interaction.followup.send(content, embeds=embeds, ephemeral=True)
