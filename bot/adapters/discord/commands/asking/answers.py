"""Answers to interactions: whose conversation they belong to, and how they can be changed later.

Where the bot may post in a channel, a public answer is a message like any other of its own. All
others, private ones and those where the bot is no member, can be reached by a token alone: that of
the command for fifteen minutes, and after that the one which each press of a button brings along.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import discord

from bot.adapters.discord.commands.render import place_of
from bot.chat.place import ChannelId, Place, UserId, made_up_snowflake
from bot.chat.turn import Answering


def place_for(
    interaction: discord.Interaction[Any], *, private: bool, person: int | None = None
) -> Place:
    """Return the place whose conversation a question belongs to.

    It is the channel's where everybody there reads question and answer, and the bot is a member.
    Elsewhere, and in private, each person has a conversation of their own for each channel; it is
    never taken for a direct message, since others may read along. `person` asked; without it, who
    used the command.
    """
    place = place_of(interaction)
    if place.guild is None:
        return place
    abroad = interaction.client.get_guild(place.guild) is None
    asker = UserId(interaction.user.id if person is None else person)
    return _own(place, asker) if private or abroad else place


def place_of_pressed(interaction: discord.Interaction[Any]) -> Place:
    """Return the place of the reply under which something was pressed."""
    message = interaction.message
    return place_of(interaction) if message is None else place_of_reply(interaction, message)


def place_of_reply(interaction: discord.Interaction[Any], message: discord.Message) -> Place:
    """Return the place of a reply in the channel of an interaction."""
    if not is_answer(message, interaction):
        return place_of(interaction)
    asked = message.interaction_metadata
    return place_for(
        interaction,
        private=message.flags.ephemeral,
        person=None if asked is None else asked.user.id,
    )


def is_answer(message: discord.Message, interaction: discord.Interaction[Any]) -> bool:
    """Whether a message is our answer to an interaction: written by the application itself."""
    return message.webhook_id == interaction.application_id


def answering_to(interaction: discord.Interaction[Any], *, private: bool = False) -> Answering:
    """Return a command as what is to be answered."""
    lasting = not private and may_speak(interaction)
    return Answering(interaction.application_id, interaction.token, private, lasting=lasting)


def answering_press(interaction: discord.Interaction[Any]) -> Answering | None:
    """Return a press as the only way to change the reply; None where the bot can do it itself."""
    message = interaction.message
    if message is None or not is_answer(message, interaction):
        return None
    way = answering_to(interaction, private=message.flags.ephemeral)
    return None if way.lasting else way


def webhook_of(message: discord.Message, interaction: discord.Interaction[Any]) -> int | None:
    """Return the channel's webhook that wrote a reply; None for the bot itself."""
    return None if is_answer(message, interaction) else message.webhook_id


def may_speak(interaction: discord.Interaction[Any]) -> bool:
    """Whether the bot may post in the channel of an interaction."""
    channel = interaction.channel
    if interaction.guild_id is None:
        return isinstance(channel, discord.DMChannel) and interaction.context.dm_channel
    if interaction.client.get_guild(interaction.guild_id) is None:
        return False
    may = interaction.app_permissions
    speaks = may.send_messages_in_threads if isinstance(channel, discord.Thread) else None
    return may.view_channel and (may.send_messages if speaks is None else speaks)


def _own(place: Place, person: UserId) -> Place:
    """Return a person's own conversation at a place; what is bound to the place holds for it."""
    digest = hashlib.blake2b(f"{person} {place.channel}".encode(), digest_size=8)
    channel = ChannelId(made_up_snowflake(digest.digest()))
    return replace(place, channel=channel, parent=place.parent or place.channel)
