"""The only place where Discord's messages become ours.

Everything is read from ids and the event's own payload. Caches only add names: of channels and
roles that a text mentions, and where a channel belongs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import discord
from discord import ChannelType, MessageType

from bot.chat.arriving.triggers import HIDDEN_PREFIX
from bot.chat.place import ChannelId, GuildId, MessageId, Place, UserId, snowflake_seconds
from bot.chat.turn import Message, Quoted, Speaker
from bot.languages.spoken import spoken_language

MAX_TEXT = 4000
"""Characters of a message, the most that Discord lets anybody write."""
MAX_NAME = 32
"""Characters of a display name (Discord's own limit for nicknames)."""
MAX_TITLE = 100
"""Characters of a thread's name (Discord's own limit)."""
UNCHOSEN = discord.Locale.american_english
"""The language that every server has until somebody changes it."""
_KINDS = frozenset({MessageType.default, MessageType.reply})
HIDING = "🙈"
"""A reaction of a message's author that hides it from us."""
_SPACES = re.compile(r"\s+")
_MARKUP = re.compile(
    r"<(?:@(?P<user>!?\d{1,20})|@&(?P<role>\d{1,20})|\#(?P<channel>\d{1,20})"
    r"|a?:(?P<emoji>\w{1,32}):\d{1,20}|/(?P<command>[^:<>\n]{1,100}):\d{1,20})>"
)
_HIDDEN = frozenset("\u200b\u2060\ufeff\u00ad\u061c\u180e")
"""Format characters that no writing needs; joiners, which emoji and scripts need, are not here."""
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are in a guild."""

    id: int
    is_our_webhook: Callable[[int], bool]
    application: int | None = None

    def wrote(self, author: int, webhook: int | None, application: int | None) -> bool:
        """Whether a message is ours, by who wrote it: as ourselves, or as a persona."""
        if author == self.id or webhook is None:
            return author == self.id
        return self.is_our_webhook(webhook) or (
            application is not None and application == self.application
        )


def clean_name(name: str, fallback: str) -> str:
    """Return a display name that can't break out of a transcript's line.

    One line, at most `MAX_NAME` characters, no control, bidi, zero-width or unassigned
    characters, and no colon at its end; `fallback` when nothing is left.
    """
    visible = name[:200]
    if not (visible.isascii() and visible.isprintable()):
        visible = "".join(
            " " if char.isspace() else char
            for char in unicodedata.normalize("NFC", visible)
            if char.isspace() or unicodedata.category(char)[0] != "C"
        )
    line = _SPACES.sub(" ", visible).strip().rstrip(": ")
    return line[:MAX_NAME].strip() or fallback


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text without control, bidi and zero-width characters, within `limit`."""
    text = text[:limit].replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text.strip()
    kept = (
        char
        for char in text
        if char in "\n\t"
        or not (char in _HIDDEN or char in _BIDI or unicodedata.category(char) in ("Cc", "Cs"))
    )
    return "".join(kept).strip()


def speaker_of(user: discord.User | discord.Member, locale: str | None = None) -> Speaker:
    """Return a person under their name in this guild, with the language they use."""
    return Speaker(UserId(user.id), _name_of(user), locale)


def roles_of(user: discord.User | discord.Member) -> tuple[int, ...]:
    """Return the ids of a member's roles, without @everyone; none for who is no member."""
    if not isinstance(user, discord.Member):
        return ()
    return tuple(role.id for role in user.roles if role.id != user.guild.id)


def place_of_channel(channel: discord.abc.Snowflake, guild_id: int | None) -> Place:
    """Return a place; where a channel belongs and who sees it as far as Discord told us.

    `channel` is any channel, thread or partial channel of discord.py.
    """
    ident = ChannelId(int(channel.id))
    if guild_id is None:
        return Place(ident)
    guild = GuildId(guild_id)
    if isinstance(channel, discord.Thread):
        parent = channel.parent
        private = channel.type is ChannelType.private_thread
        return Place(
            ident,
            guild,
            parent=ChannelId(channel.parent_id),
            category=_category(parent),
            age_restricted=_age_restricted(parent),
            restricted=private or _restricted(parent),
        )
    return Place(
        ident,
        guild,
        category=_category(channel),
        age_restricted=_age_restricted(channel),
        restricted=_restricted(channel),
    )


def is_unknown(channel: object, guild_id: int | None) -> bool:
    """Whether Discord has not told us what this guild channel is: a thread, say."""
    if isinstance(channel, discord.Thread):
        return channel.parent is None
    return guild_id is not None and isinstance(channel, discord.PartialMessageable)


def guild_of(message: discord.Message) -> int | None:
    """Return the guild's id, also where the guild itself is not known."""
    if message.guild is not None:
        return message.guild.id
    channel = message.channel
    return channel.guild_id if isinstance(channel, discord.PartialMessageable) else None


def is_for_nobody(message: discord.Message, us: Us) -> bool:
    """Whether a message is no person's word to the channel: bots, webhooks, system messages.

    A thread made from a message repeats that message with the thread's id; a forum's post does
    not.
    """
    return (
        message.author.id == us.id
        or message.author.bot
        or message.webhook_id is not None
        or message.type not in _KINDS
        or (message.id == message.channel.id and not _is_post(message.channel))
    )


def _is_post(channel: object) -> bool:
    """Whether a thread is a forum's post: its first message stands nowhere else."""
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    return isinstance(parent, discord.ForumChannel)


def message_of(
    message: discord.Message, us: Us, place: Place | None = None, *, uncovered: bool = False
) -> Message | None:
    """Return a person's message; None when it is no person's. Attachments are only listed.

    A message with a 🙈 under it counts as hidden, unless it is known to be `uncovered`: that its
    author has put none there.
    """
    if is_for_nobody(message, us) or (not uncovered and has_hiding(message)):
        return None
    quoted = _quoted(message, us)
    text = said_in(message, us)
    named = _names_us(message, us)
    pinged = any(user.id == us.id for user in message.mentions)
    return Message(
        id=MessageId(message.id),
        place=place or place_of_channel(message.channel, guild_of(message)),
        speaker=speaker_of(message.author, spoken_language(text) or _guild_locale(message)),
        text=text,
        at=snowflake_seconds(message.id),
        mentions_us=named or (pinged and not (quoted is not None and quoted.by_us)),
        replies_to=quoted,
        unread_attachments=tuple(
            f"{clean_name(file.filename, 'file')} (not read yet)"
            for file in message.attachments[:10]
        ),
        roles=roles_of(message.author),
    )


def _guild_locale(message: discord.Message) -> str | None:
    """Return the language that a server chose. American English is what nobody chose."""
    guild = message.guild
    if not isinstance(guild, discord.Guild) or guild.preferred_locale is UNCHOSEN:
        return None
    return guild.preferred_locale.value


def edited_text(event: discord.RawMessageUpdateEvent, us: Us) -> str | None:
    """Return the new text of a person's edit; None for anything else.

    Discord sends the same event when it unfurls a link: then nobody edited (no
    `edited_timestamp`). The text is empty where nothing is left that we may read: so it is, without
    the content intent, once the message mentions us no more.
    """
    message = event.message
    if not event.data.get("edited_timestamp") or is_for_nobody(message, us):
        return None
    return said_in(message, us) if "content" in event.data else None


def said_in(message: discord.Message, us: Us) -> str:
    """Return what a message says; what opens a forum's post says its title first.

    The title is left out where the message is hidden from us, or Discord keeps its text to itself.
    """
    text = _text_of(message, us)
    channel = message.channel
    if message.id != channel.id or not isinstance(channel, discord.Thread):
        return text
    if text.startswith(HIDDEN_PREFIX) or not (message.content or message.attachments):
        return text
    return titled(channel.name, text)


def titled(title: str, text: str) -> str:
    """Return the text that opens a forum's post, under the post's title as its first line."""
    line = _SPACES.sub(" ", clean_text(title, MAX_TITLE))
    return f"{line}\n{text}".strip()


def _text_of(message: discord.Message, us: Us) -> str:
    return clean_text(_plain(_without_us(message.content[: 2 * MAX_TEXT], us), message))


def _quoted(message: discord.Message, us: Us) -> Quoted | None:
    """Return the message that this one replies to, if Discord sent it along."""
    reference = message.reference
    if message.type is not MessageType.reply or reference is None:
        return None
    resolved = reference.resolved
    return quote_of(resolved, us) if isinstance(resolved, discord.Message) else None


def quote_of(message: discord.Message, us: Us) -> Quoted:
    """Return a message as another refers to it; empty when its author has hidden it."""
    return Quoted(
        message_id=MessageId(message.id),
        author_name=_name_of(message.author),
        by_us=is_by_us(message, us),
        text="" if _is_hidden(message) else _text_of(message, us),
        answers=answered_by(message),
    )


def is_by_us(message: discord.Message, us: Us) -> bool:
    """Whether we wrote a message, as ourselves or as a persona."""
    return us.wrote(message.author.id, message.webhook_id, message.application_id)


def quoted_of(data: dict[str, Any], us: Us) -> Quoted:
    """Return a message as REST gives it; its text is empty when its author has hidden it."""
    author = data["author"]
    webhook, application = (
        int(ident) if (ident := data.get(name)) else None
        for name in ("webhook_id", "application_id")
    )
    named = str(author.get("global_name") or author.get("username") or "")
    text = text_in(data, us)
    emojis = {str(each["emoji"]["name"]) for each in data.get("reactions") or ()}
    reference = (data.get("message_reference") or {}).get("message_id")
    return Quoted(
        message_id=MessageId(int(data["id"])),
        author_name=clean_name(named, f"user {int(author['id']) % 10_000:04}"),
        by_us=us.wrote(int(author["id"]), webhook, application),
        text="" if HIDING in emojis or is_hiding(text) else text,
        answers=MessageId(int(reference)) if reference else None,
    )


def text_in(data: dict[str, Any], us: Us) -> str:
    """Return the text of a message as REST gives it."""
    names = {int(u["id"]): str(u.get("global_name") or u["username"]) for u in data["mentions"]}
    return clean_text(_named(_without_us(str(data["content"])[: 2 * MAX_TEXT], us), names))


def is_hiding(text: str) -> bool:
    """Whether a text begins so that it is hidden from us."""
    return text.startswith(HIDDEN_PREFIX)


def _is_hidden(message: discord.Message) -> bool:
    """Whether a message's author keeps it from us, by its beginning or by a reaction."""
    return has_hiding(message) or message.content.lstrip().startswith(HIDDEN_PREFIX)


def has_hiding(message: discord.Message) -> bool:
    """Whether somebody, and perhaps its author, put a 🙈 under a message."""
    return any(str(each.emoji) == HIDING for each in message.reactions)


def answered_by(message: discord.Message) -> MessageId | None:
    """Return the message to which one replies."""
    reference = message.reference
    if reference is None or message.type is not MessageType.reply or not reference.message_id:
        return None
    return MessageId(reference.message_id)


def _named(text: str, names: Mapping[int, str]) -> str:
    """Replace mention markup with the names that came along."""

    def name(found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        value = found.group(kind)
        if kind == "user":
            return f"@{clean_name(names.get(int(value.lstrip('!')), ''), 'someone')}"
        return {"role": "@role", "channel": "#channel", "command": f"/{value}"}.get(
            kind, f":{value}:"
        )

    return _MARKUP.sub(name, text)


def _names_us(message: discord.Message, us: Us) -> bool:
    """Whether the text itself mentions us, or the role that Discord made for us."""
    if f"<@{us.id}>" in message.content or f"<@!{us.id}>" in message.content:
        return True
    return any(
        role.tags is not None and role.tags.bot_id == us.id for role in message.role_mentions
    )


def _without_us(text: str, us: Us) -> str:
    """Drop the mention of us where a text begins or ends; in between it is part of a sentence."""
    text = re.sub(rf"^(?:\s*<@!?{us.id}>)+[\s,:]*", "", text, count=1)
    # By hand: a pattern that ends with the text is tried at every space before.
    bare = text.rstrip()
    while bare.endswith((f"<@{us.id}>", f"<@!{us.id}>")):
        text = bare = bare[: bare.rindex("<")].rstrip()
    return text


def _plain(text: str, message: discord.Message) -> str:
    """Replace mention markup with names, as people see it."""
    if "<" not in text:
        return text
    users = {user.id: user for user in message.mentions}
    guild = message.guild

    def name(found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        value = found.group(kind)
        if kind == "emoji":
            return f":{value}:"
        if kind == "command":
            return f"/{value}"
        ident = int(value.lstrip("!"))
        if kind == "user":
            user = users.get(ident)
            return f"@{_name_of(user)}" if user is not None else "@someone"
        if kind == "role":
            role = guild.get_role(ident) if isinstance(guild, discord.Guild) else None
            return f"@{clean_name(role.name, 'role')}" if role is not None else "@role"
        channel = guild.get_channel_or_thread(ident) if isinstance(guild, discord.Guild) else None
        return f"#{clean_name(channel.name, 'channel')}" if channel is not None else "#channel"

    return _MARKUP.sub(name, text)


def _name_of(user: discord.User | discord.Member) -> str:
    return clean_name(user.display_name, f"user {user.id % 10_000:04}")


def _category(channel: object) -> ChannelId | None:
    ident = getattr(channel, "category_id", None)
    return ChannelId(ident) if ident else None


def _age_restricted(channel: object) -> bool:
    return bool(getattr(channel, "nsfw", False))


def _restricted(channel: object) -> bool:
    """Whether @everyone can't see a channel; one that is unknown may be closed to them."""
    if not isinstance(channel, discord.abc.GuildChannel):
        return True
    everyone = channel.guild.get_role(channel.guild.id)
    return everyone is None or not channel.permissions_for(everyone).view_channel
