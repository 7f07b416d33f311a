"""`/ask`: a question by command, also where the bot is no member: by a person's own installation.

The answer to the interaction is the place of the reply, so no permission of a channel is needed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import discord
from discord import app_commands

from bot.adapters.discord.commands.asking.answers import answering_to, place_for
from bot.adapters.discord.commands.asking.ordering import between_us
from bot.adapters.discord.commands.naming import persona_names
from bot.adapters.discord.commands.render import speaker_of_reader, think_aloud
from bot.adapters.discord.commands.services import Serving
from bot.adapters.discord.reading.attachments import fetch_once
from bot.adapters.discord.reading.mapping import clean_text, roles_of
from bot.chat.place import MessageId, Place, snowflake_seconds
from bot.chat.turn import Message
from bot.errors import InvalidChoice
from bot.personas.casting import check_place
from bot.routing.route import Route

KNOWN_WITHIN = 1.0
"""Seconds in which it must be known whether a question is answered in private."""

Question = app_commands.Range[str, 1, 2000]


class AskCommands(Serving):
    """Asking by command."""

    @app_commands.command(description="Ask me something, anywhere")
    @app_commands.describe(
        question="What you want to know, read or talk about",
        persona="Who answers; without it, what you ask decides",
        file="A picture or a text to ask about",
        private="Let nobody else read the answer",
    )
    @app_commands.autocomplete(persona=persona_names)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def ask(
        self,
        interaction: discord.Interaction,
        question: Question,
        persona: str | None = None,
        file: discord.Attachment | None = None,
        private: bool = False,
    ) -> None:
        text = clean_text(question)
        if not text:
            raise InvalidChoice("Say in words what you want.")
        private = private or await self._care_is_due(interaction, text)
        place = place_for(interaction, private=private)
        if private:
            await interaction.response.defer(thinking=True, ephemeral=True)
        else:
            await think_aloud(interaction)
        message = Message(
            MessageId(interaction.id),
            place,
            speaker_of_reader(interaction),
            text,
            snowflake_seconds(interaction.id),
            roles=roles_of(interaction.user),
            persona=await self._persona(persona, place),
            answering=answering_to(interaction, private=private),
        )
        if file is not None:
            read, unread = await fetch_once([file])
            message = replace(message, attachments=read, unread_attachments=unread)
        await self.services.intake.ordered(message)

    async def _care_is_due(self, interaction: discord.Interaction, text: str) -> bool:
        """Whether a question that others would read calls for care, or can't be answered: that is
        between us. Discord waits for three seconds, so this may take one."""
        place = place_for(interaction, private=False)
        if place.guild is None:
            return False
        at = snowflake_seconds(interaction.id)
        asked = Message(MessageId(interaction.id), place, speaker_of_reader(interaction), text, at)
        try:
            async with asyncio.timeout(KNOWN_WITHIN):
                return await between_us(self.services, asked, Route.COMPANION)
        except TimeoutError:
            return False

    async def _persona(self, name: str | None, place: Place) -> str | None:
        """Return the id of who was asked for.

        Raises:
            NotFound: there is none of this name.
            NotAllowed: it is for adults, and the place is not.
        """
        if name is None:
            return None
        await self.services.casting.ready(place.guild)
        persona = self.services.casting.persona(name, place.guild)
        check_place(persona, place)
        return persona.id
