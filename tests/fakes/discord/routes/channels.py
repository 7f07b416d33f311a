"""Channels, threads, guilds and members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.discord import payloads, permissions
from tests.fakes.discord.call import Call, routes
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.state import PUBLIC_THREAD, Guild

if TYPE_CHECKING:
    from tests.fakes.discord.rest import Rest


def guild_of(rest: Rest, call: Call) -> Guild:
    """Return the guild of a path.

    Raises:
        ApiError: 10004 or 50001.
    """
    guild = rest.world.guilds.get(call.id("guild"))
    if guild is None:
        raise ApiError(404, 10004)
    if rest.world.bot.id not in guild.members:
        raise ApiError(403, 50001)
    return guild


@routes.route("GET", "/channels/{channel}")
def get_channel(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot)
    return payloads.channel(channel)


@routes.route("PATCH", "/channels/{channel}")
def edit_channel(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    needed = "manage_threads" if channel.is_thread else "manage_channels"
    body = call.json
    if channel.is_thread and body == {"archived": False} and not channel.locked:
        permissions.require(channel, rest.world.bot, "send_messages_in_threads")
    elif channel.locked or channel.owner_id != rest.world.bot.id:
        permissions.require(channel, rest.world.bot, needed)
    for name in ("name", "archived", "locked", "topic", "nsfw"):
        if body.get(name) is not None:
            setattr(channel, name, body[name])
    event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
    rest.gateway.dispatch(event, payloads.channel(channel), channel=channel)
    return payloads.channel(channel)


@routes.route("POST", "/channels/{channel}/threads", bucket="thread")
def start_thread(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "create_public_threads")
    kind = int(call.json.get("type") or PUBLIC_THREAD)
    thread = rest.threads.start(channel, _name(call), rest.world.bot, kind=kind)
    return payloads.channel(thread)


@routes.route("POST", "/channels/{channel}/messages/{message}/threads", bucket="thread")
def start_thread_from_message(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "create_public_threads")
    message = rest.message(channel, call)
    if message.thread is not None:
        raise ApiError(400, 160004)
    thread = rest.threads.start(channel, _name(call), rest.world.bot, starter=message)
    return payloads.channel(thread)


def _name(call: Call) -> str:
    name = call.json.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    return name


@routes.route("PUT", "/channels/{channel}/thread-members/@me")
def join_thread(rest: Rest, call: Call) -> None:
    permissions.require(rest.channel(call), rest.world.bot)


@routes.route("GET", "/guilds/{guild}")
def get_guild(rest: Rest, call: Call) -> Any:
    guild = guild_of(rest, call)
    body = payloads.guild(guild, rest.world)
    for name in ("channels", "threads", "members", "presences", "voice_states"):
        body.pop(name)
    return body | {"approximate_member_count": len(guild.members)}


@routes.route("GET", "/guilds/{guild}/channels")
def guild_channels(rest: Rest, call: Call) -> Any:
    channels = guild_of(rest, call).channels.values()
    return [payloads.channel(channel) for channel in channels if not channel.is_thread]


@routes.route("GET", "/guilds/{guild}/threads/active")
def active_threads(rest: Rest, call: Call) -> Any:
    channels = guild_of(rest, call).channels.values()
    threads = [payloads.channel(c) for c in channels if c.is_thread and not c.archived]
    return {"threads": threads, "members": [], "has_more": False}


@routes.route("GET", "/guilds/{guild}/members/{user}")
def get_member(rest: Rest, call: Call) -> Any:
    guild = guild_of(rest, call)
    member = guild.members.get(call.id("user"))
    if member is None:
        raise ApiError(404, 10007)
    return payloads.member(member, guild)


@routes.route("GET", "/guilds/{guild}/roles")
def get_roles(rest: Rest, call: Call) -> Any:
    return [payloads.role(role) for role in guild_of(rest, call).roles.values()]
