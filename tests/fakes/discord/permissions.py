"""Permission bits and how Discord computes them."""

from __future__ import annotations

from tests.fakes.discord.errors import ApiError
from tests.fakes.discord.state import Channel, Guild, User

BITS = {
    "administrator": 1 << 3,
    "manage_channels": 1 << 4,
    "manage_guild": 1 << 5,
    "add_reactions": 1 << 6,
    "view_channel": 1 << 10,
    "send_messages": 1 << 11,
    "manage_messages": 1 << 13,
    "embed_links": 1 << 14,
    "attach_files": 1 << 15,
    "read_message_history": 1 << 16,
    "mention_everyone": 1 << 17,
    "use_external_emojis": 1 << 18,
    "manage_roles": 1 << 28,
    "manage_webhooks": 1 << 29,
    "use_application_commands": 1 << 31,
    "manage_threads": 1 << 34,
    "create_public_threads": 1 << 35,
    "create_private_threads": 1 << 36,
    "send_messages_in_threads": 1 << 38,
}
ALL = (1 << 52) - 1


def bits(*names: str) -> int:
    """Return the value of the named permissions."""
    value = 0
    for name in names:
        value |= BITS[name]
    return value


EVERYONE = bits(
    "view_channel", "send_messages", "send_messages_in_threads", "read_message_history",
    "add_reactions", "embed_links", "attach_files", "use_application_commands",
    "create_public_threads",
)  # fmt: skip
BOT = 309_774_896_192
"""What the bot's invitation asks for, Manage Webhooks included."""
IN_DM = bits(
    "view_channel", "send_messages", "read_message_history", "add_reactions", "embed_links",
    "attach_files", "use_external_emojis", "use_application_commands",
)  # fmt: skip

INSTALLED_BY_PERSON = bits("embed_links", "attach_files", "mention_everyone")
"""What Discord says an application may do where only a person installed it."""


def in_guild(guild: Guild, user: User) -> int:
    """Return what the user's roles allow in the whole guild."""
    if guild.owner_id == user.id:
        return ALL
    member = guild.members.get(user.id)
    value = guild.roles[guild.id].permissions
    for role_id in member.role_ids if member else ():
        value |= guild.roles[role_id].permissions
    return ALL if value & BITS["administrator"] else value


def in_channel(channel: Channel, user: User) -> int:
    """Return what the user may do here: roles, then overwrites (threads use their parent's)."""
    guild = channel.guild
    if guild is None:
        return IN_DM
    if user.id not in guild.members:
        return 0
    value = in_guild(guild, user)
    if value == ALL:
        return ALL
    place = channel.parent if channel.is_thread and channel.parent else channel
    overwrites = place.overwrites
    everyone = overwrites.get(guild.id)
    if everyone:
        value = (value & ~everyone.deny) | everyone.allow
    allow = deny = 0
    for role_id in guild.members[user.id].role_ids:
        if role := overwrites.get(role_id):
            allow, deny = allow | role.allow, deny | role.deny
    value = (value & ~deny) | allow
    if own := overwrites.get(user.id):
        value = (value & ~own.deny) | own.allow
    return value if value & BITS["view_channel"] else 0


def require(channel: Channel, user: User, *names: str) -> None:
    """Refuse as Discord does.

    Raises:
        ApiError: 50001 without View Channel, 50013 without one of the named permissions.
    """
    value = in_channel(channel, user)
    if not value & BITS["view_channel"]:
        raise ApiError(403, 50001)
    if any(not value & BITS[name] for name in names):
        raise ApiError(403, 50013)
