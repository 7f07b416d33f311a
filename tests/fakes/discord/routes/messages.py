"""Messages, reactions and typing."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.fakes.discord import payloads, permissions
from tests.fakes.discord.call import Call, routes
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.state import DISCORD_EPOCH_MS, TEXT, Channel, Message
from tests.fakes.discord.validation import check_message

if TYPE_CHECKING:
    from tests.fakes.discord.rest import Rest

MESSAGES = "/channels/{channel}/messages"
MESSAGE = MESSAGES + "/{message}"
REACTION = MESSAGE + "/reactions/{emoji}"
TWO_WEEKS = 14 * 86400.0


def writable(rest: Rest, channel: Channel, *extra: str) -> None:
    """Refuse unless the bot may write here.

    Raises:
        ApiError: 50001, 50013, 50007 or 160005.
    """
    bot = rest.world.bot
    if channel.guild is None:
        if channel.recipient is not None and not channel.recipient.accepts_dms:
            raise ApiError(403, 50007)
        return
    if channel.kind != TEXT and not channel.is_thread:
        raise ApiError(400, 50024)
    speak = "send_messages_in_threads" if channel.is_thread else "send_messages"
    permissions.require(channel, bot, speak, *extra)
    if channel.locked:
        raise ApiError(403, 160005)


@routes.route("POST", MESSAGES, bucket="send")
def create_message(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    body = call.json
    extra = [name for name, given in (("attach_files", call.files),) if given]
    writable(rest, channel, *extra)
    check_message(body, files=len(call.files))
    reference = body.get("message_reference") or {}
    if reference.get("message_id") and channel.guild is not None:
        value = permissions.in_channel(channel, rest.world.bot)
        if not value & permissions.BITS["read_message_history"]:
            raise ApiError(403, 160002)
    message = rest.posting.earlier(rest.world.bot, body)
    if message is None:
        if channel.archived:
            rest.threads.archive(channel, archived=False)
        message = rest.posting.create(channel, rest.world.bot, body, files=call.files)
    return payloads.message(message)


@routes.route("GET", MESSAGES, bucket="history")
def history(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "read_message_history")
    limit = call.number("limit", 50, 1, 100)
    before, after = call.snowflake("before"), call.snowflake("after")
    around = call.snowflake("around")
    newest_first = reversed(channel.messages.values())
    if around is not None:
        older = [m for m in channel.messages.values() if m.id < around][-(limit // 2) :]
        newer = [m for m in channel.messages.values() if m.id >= around][: limit - limit // 2]
        chosen = [*reversed(newer), *reversed(older)]
    elif after is not None:
        chosen = [*reversed(list(islice(_after(channel, after), limit)))]
    else:
        kept = (m for m in newest_first if before is None or m.id < before)
        chosen = list(islice(kept, limit))
    return [rest.shown(message) for message in chosen]


def _after(channel: Channel, after: int) -> list[Message]:
    newer = []
    for message in reversed(channel.messages.values()):
        if message.id <= after:
            break
        newer.append(message)
    return newer[::-1]


@routes.route("GET", MESSAGE, bucket="history")
def get_message(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "read_message_history")
    return rest.shown(rest.message(channel, call))


@routes.route("PATCH", MESSAGE, bucket="edit")
def edit_message(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot)
    message = rest.message(channel, call)
    # Answers to interactions are the bot's own messages (discord-api-docs, issue 3090).
    if message.author is not rest.world.bot:
        raise ApiError(403, 50005)
    if channel.archived:
        raise ApiError(400, 50083)
    check_message(call.json, files=len(call.files), edit=True, flags=message.flags)
    rest.posting.edit(message, call.json, call.files)
    return payloads.message(message)


@routes.route("DELETE", MESSAGE, bucket="delete")
def delete_message(rest: Rest, call: Call) -> None:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot)
    message = rest.message(channel, call)
    if message.author is not rest.world.bot:
        permissions.require(channel, rest.world.bot, "manage_messages")
    rest.posting.delete(message)


@routes.route("POST", MESSAGES + "/bulk-delete", bucket="bulk-delete")
def bulk_delete(rest: Rest, call: Call) -> None:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "manage_messages")
    ids = [int(ident) for ident in call.json.get("messages") or []]
    if not 2 <= len(ids) <= 100:
        raise invalid("messages", "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.")
    oldest = int((time.time() - TWO_WEEKS) * 1000) - DISCORD_EPOCH_MS
    if any(ident >> 22 < oldest for ident in ids):
        raise ApiError(400, 50034)
    found = [channel.messages[ident] for ident in ids if ident in channel.messages]
    if found:
        rest.posting.delete(*found)


@routes.route("POST", "/channels/{channel}/typing", bucket="typing")
def typing(rest: Rest, call: Call) -> None:
    channel = rest.channel(call)
    writable(rest, channel)
    channel.typings.append(time.monotonic())
    rest.world.changed()


@routes.route("PUT", REACTION + "/@me", bucket="reaction")
def react(rest: Rest, call: Call) -> None:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "read_message_history")
    message = rest.message(channel, call)
    emoji = call.params["emoji"]
    if not emoji or len(emoji) > 60 or (emoji.isascii() and ":" not in emoji):
        raise ApiError(400, 10014)
    if emoji not in message.reactions:
        permissions.require(channel, rest.world.bot, "add_reactions")
        if len(message.reactions) >= 20:
            raise ApiError(403, 30010)
    rest.posting.react(message, rest.world.bot, emoji)


@routes.route("DELETE", REACTION + "/@me", bucket="reaction")
def unreact(rest: Rest, call: Call) -> None:
    channel = rest.channel(call)
    message = rest.message(channel, call)
    rest.posting.unreact(message, rest.world.bot, call.params["emoji"])


@routes.route("DELETE", REACTION + "/{user}", bucket="reaction")
def remove_reaction(rest: Rest, call: Call) -> None:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "manage_messages")
    user = rest.world.users.get(call.id("user"))
    if user is None:
        raise ApiError(404, 10013)
    rest.posting.unreact(rest.message(channel, call), user, call.params["emoji"])


@routes.route("GET", REACTION)
def reaction_users(rest: Rest, call: Call) -> Any:
    message = rest.message(rest.channel(call), call)
    after, limit = call.snowflake("after") or 0, call.number("limit", 25, 1, 100)
    users = sorted(message.reactions.get(call.params["emoji"], []))
    chosen = [ident for ident in users if ident > after][:limit]
    return [payloads.user(rest.world.users[ident]) for ident in chosen]
