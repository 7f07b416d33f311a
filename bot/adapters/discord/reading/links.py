"""Reading a message that somebody names by its link, only if they can read it themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import discord
import structlog

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.reading.mapping import clean_text
from bot.chat.arriving.triggers import HIDDEN_PREFIX
from bot.errors import InvalidChoice, NotAllowed, NotFound

log = structlog.get_logger(__name__)

_LINK = re.compile(
    r"<?https?://(?:(?:canary|ptb|www)\.)?discord(?:app)?\.com/channels"
    r"/(?P<guild>@me|\d{15,20})/(?P<channel>\d{15,20})/(?P<message>\d{15,20})/?>?"
)
LONGEST_LINK: Final = 200
Readable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread


@dataclass(frozen=True, slots=True)
class Link:
    """What a message's link says. `guild` is None for direct messages."""

    guild: int | None
    channel: int
    message: int


def link_of(text: str) -> Link:
    """Return what a link says.

    Raises:
        InvalidChoice: it is no message's link.
    """
    found = _LINK.fullmatch(text.strip()[:LONGEST_LINK])
    if found is None:
        raise InvalidChoice("Give the link of a message: right-click it, Copy Message Link.")
    guild = None if found["guild"] == "@me" else int(found["guild"])
    return Link(guild, int(found["channel"]), int(found["message"]))


async def linked_message(interaction: discord.Interaction[Any], text: str) -> discord.Message:
    """Return the message that a person links to, as they could read it themselves.

    Raises:
        InvalidChoice: it is no link, leads elsewhere, or the message is hidden from us.
        NotAllowed: the person, or the bot, can't read it.
        NotFound: it is gone.
    """
    link = link_of(text)
    if link.guild != interaction.guild_id:
        raise InvalidChoice("That message is in another server. Copy its text instead.")
    channel = await _channel(interaction, link)
    if isinstance(channel, discord.Thread | discord.abc.GuildChannel):
        await _check_reader(interaction, channel)
    try:
        message: discord.Message = await channel.fetch_message(link.message)
    except discord.NotFound as error:
        raise NotFound("That message is gone.") from error
    except discord.Forbidden as error:
        raise NotAllowed(
            "I can't read that channel: I need View Channel and Read Message History there."
        ) from error
    except FAILED as error:
        log.info("linked message not read", reason=type(error).__name__)
        raise NotFound("Discord would not give me that message. Please try again.") from error
    if message.content.startswith(HIDDEN_PREFIX):
        raise InvalidChoice("That message is hidden from me.")
    if not clean_text(message.content) and not message.attachments:
        raise InvalidChoice("I can't see a text in that message. Copy it into the option instead.")
    return message


async def _channel(interaction: discord.Interaction[Any], link: Link) -> Any:
    """Return the channel of a link, from Discord's own word on where it belongs."""
    if link.guild is None:
        here = interaction.channel
        if not isinstance(here, discord.DMChannel) or here.id != link.channel:
            raise NotAllowed("I can only read messages of our own direct messages here.")
        return here
    guild = interaction.client.get_guild(link.guild)
    if guild is None:
        raise NotAllowed(
            "I am no member of this server, so I can't read it. Copy the text instead."
        )
    channel: Any = guild.get_channel_or_thread(link.channel)
    if channel is None:
        try:
            channel = await interaction.client.fetch_channel(link.channel)
        except FAILED as error:
            raise _unreadable() from error
    if not isinstance(channel, Readable) or channel.guild.id != guild.id:
        raise _unreadable()
    return channel


async def _check_reader(
    interaction: discord.Interaction[Any], channel: discord.Thread | discord.abc.GuildChannel
) -> None:
    """Make sure that the person can read a channel; what they can't see, we don't see for them."""
    member = interaction.user
    if not isinstance(member, discord.Member):
        raise _unreadable()
    try:
        may = channel.permissions_for(member)
    except discord.ClientException as error:  # a thread whose channel Discord did not tell us
        raise _unreadable() from error
    if not (may.view_channel and may.read_message_history):
        raise _unreadable()
    if isinstance(channel, discord.Thread) and channel.is_private() and not may.manage_threads:
        try:
            await channel.fetch_member(member.id)
        except FAILED as error:
            raise _unreadable() from error
    if _age_restricted(channel) and not _age_restricted(interaction.channel):
        raise NotAllowed("That channel is age-restricted, and this one is not.")


def _age_restricted(channel: object) -> bool:
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    return bool(getattr(channel, "nsfw", False))


def _unreadable() -> NotAllowed:
    """Return the refusal; the same for what is not there, so that nothing can be found out."""
    return NotAllowed("You can't read that message, or I can't. Copy its text instead.")
