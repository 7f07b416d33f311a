"""Records as the JSON that Discord sends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.fakes.discord import permissions
from tests.fakes.discord.state import (
    DISCORD_EPOCH_MS,
    DM,
    GROUP,
    Channel,
    Guild,
    Member,
    Message,
    Role,
    User,
    Webhook,
    World,
)

Json = dict[str, Any]


def timestamp(snowflake: int) -> str:
    """Return the moment inside an id."""
    milliseconds = (snowflake >> 22) + DISCORD_EPOCH_MS
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


def now() -> str:
    """Return this moment as Discord writes it."""
    return datetime.now(UTC).isoformat()


def user(record: User) -> Json:
    """Return a user."""
    return {
        "id": str(record.id),
        "username": record.name,
        "global_name": record.display_name,
        "discriminator": "0",
        "avatar": None,
        "bot": record.bot,
        "public_flags": 0,
    }


def member(record: Member, guild: Guild, *, with_user: bool = True) -> Json:
    """Return a guild member."""
    body: Json = {
        "nick": record.nick,
        "roles": [str(role) for role in record.role_ids],
        "joined_at": timestamp(guild.id),
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "avatar": None,
    }
    return body | {"user": user(record.user)} if with_user else body


def role(record: Role) -> Json:
    """Return a role."""
    return {
        "id": str(record.id),
        "name": record.name,
        "permissions": str(record.permissions),
        "position": record.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": record.managed,
        "mentionable": record.mentionable,
        "flags": 0,
    }


def channel(record: Channel) -> Json:
    """Return a channel, thread, category or direct message."""
    last = next(reversed(record.messages), None)
    body: Json = {
        "id": str(record.id),
        "type": record.kind,
        "last_message_id": str(last) if last else None,
    }
    if record.kind in (DM, GROUP):
        return body | {"recipients": [user(record.recipient)] if record.recipient else []}
    body |= {
        "guild_id": str(record.guild.id) if record.guild else None,
        "name": record.name,
        "parent_id": str(record.parent.id) if record.parent else None,
        "flags": 0,
        "rate_limit_per_user": 0,
    }
    if record.is_thread:
        return body | _thread_fields(record)
    return body | {
        "position": record.position,
        "topic": record.topic,
        "nsfw": record.nsfw,
        "permission_overwrites": [
            {
                "id": str(target),
                "type": overwrite.kind,
                "allow": str(overwrite.allow),
                "deny": str(overwrite.deny),
            }
            for target, overwrite in record.overwrites.items()
        ],
    }


def _thread_fields(record: Channel) -> Json:
    return {
        "owner_id": str(record.owner_id),
        "message_count": len(record.messages),
        "total_message_sent": len(record.messages),
        "member_count": 1,
        "thread_metadata": {
            "archived": record.archived,
            "locked": record.locked,
            "auto_archive_duration": 1440,
            "archive_timestamp": timestamp(record.id),
            "create_timestamp": timestamp(record.id),
        },
    }


def guild(record: Guild, world: World, *, all_members: bool = False) -> Json:
    """Return the body of GUILD_CREATE; without the members intent it lists only the bot."""
    members = list(record.members.values())
    listed = members if all_members else [m for m in members if m.user is world.bot]
    return {
        "id": str(record.id),
        "name": record.name,
        "owner_id": str(record.owner_id),
        "member_count": len(members),
        "large": False,
        "unavailable": False,
        "joined_at": timestamp(record.id),
        "roles": [role(item) for item in record.roles.values()],
        "members": [member(item, record) for item in listed],
        "channels": [channel(c) for c in record.channels.values() if not c.is_thread],
        "threads": [channel(c) for c in record.channels.values() if c.is_thread and not c.archived],
        "emojis": [],
        "stickers": [],
        "features": [],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "preferred_locale": record.preferred_locale,
        "system_channel_flags": 0,
        "afk_timeout": 300,
    }


def webhook(record: Webhook, *, with_token: bool = True) -> Json:
    """Return a webhook."""
    body: Json = {
        "id": str(record.id),
        "type": 1,
        "name": record.name,
        "avatar": record.avatar,
        "channel_id": str(record.channel.id),
        "guild_id": str(record.channel.guild.id) if record.channel.guild else None,
        "application_id": str(record.application_id) if record.application_id else None,
        "user": user(record.creator),
    }
    return body | {"token": record.token} if with_token else body


def message(record: Message, *, nested: bool = True) -> Json:
    """Return a message as REST gives it: without guild_id and member."""
    author = user(record.author)
    if record.webhook_id is not None and record.webhook_id != record.application_id:
        author |= {"discriminator": "0000", "global_name": None, "bot": True}
    body: Json = {
        "id": str(record.id),
        "type": record.kind,
        "channel_id": str(record.channel.id),
        "author": author,
        "content": record.content,
        "timestamp": timestamp(record.id),
        "edited_timestamp": record.edited_timestamp,
        "tts": False,
        "pinned": False,
        "flags": record.flags,
        "mention_everyone": record.mention_everyone,
        "mentions": [user(item) for item in record.mentions],
        "mention_roles": [str(item) for item in record.mention_roles],
        "embeds": record.embeds,
        "attachments": record.attachments,
        "components": record.components,
    }
    if record.reactions:
        body["reactions"] = [_reaction(e, users) for e, users in record.reactions.items()]
    for key, value in (("nonce", record.nonce), ("webhook_id", record.webhook_id)):
        if value is not None:
            body[key] = str(value)
    if record.application_id is not None:
        body["application_id"] = str(record.application_id)
    if record.interaction_metadata is not None:
        body["interaction_metadata"] = record.interaction_metadata
    if record.thread is not None:
        body["thread"] = channel(record.thread)
    if record.reference_data is not None:
        body["message_reference"] = record.reference_data
        if nested:
            source = record.reference
            body["referenced_message"] = None
            if source is not None and source.deleted_at is None:
                body["referenced_message"] = message(source, nested=False)
    return body


def _reaction(emoji: str, users: list[int]) -> Json:
    name, _, ident = emoji.partition(":")
    return {
        "emoji": {"id": ident or None, "name": name},
        "count": len(users),
        "count_details": {"burst": 0, "normal": len(users)},
        "me": False,
        "me_burst": False,
        "burst_me": False,
        "burst_count": 0,
        "burst_colors": [],
    }


def message_event(record: Message) -> Json:
    """Return a message as the gateway gives it."""
    body = message(record)
    guild_record = record.channel.guild
    if guild_record is not None:
        body["guild_id"] = str(guild_record.id)
        if record.webhook_id is None and (found := guild_record.members.get(record.author.id)):
            body["member"] = member(found, guild_record, with_user=False)
    return body


def strip_content(body: Json, bot_id: int, *, private: bool) -> Json:
    """Return the message without what the message-content intent guards.

    Kept whole: direct messages, the bot's own messages, and those that mention it.
    """
    me = str(bot_id)
    if body.get("referenced_message"):
        nested = strip_content(body["referenced_message"], bot_id, private=private)
        body = body | {"referenced_message": nested}
    if private or body["author"]["id"] == me or body.get("application_id") == me:
        return body
    if any(mention["id"] == me for mention in body["mentions"]):
        return body
    return body | {"content": "", "embeds": [], "attachments": [], "components": []}


def resolved_member(guild_record: Guild, channel_record: Channel, record: User) -> Json:
    """Return a member with the permissions that an interaction carries."""
    found = guild_record.members[record.id]
    value = permissions.in_channel(channel_record, record)
    return member(found, guild_record) | {"permissions": str(value)}
