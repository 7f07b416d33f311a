"""Webhooks and the messages they post."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from tests.fakes.discord import payloads, permissions
from tests.fakes.discord.call import Call, routes
from tests.fakes.discord.errors import ApiError, invalid
from tests.fakes.discord.routes import responses
from tests.fakes.discord.routes.channels import guild_of
from tests.fakes.discord.state import Channel, Message, User, Webhook
from tests.fakes.discord.validation import check_message

if TYPE_CHECKING:
    from tests.fakes.discord.rest import Rest

MAX_WEBHOOKS = 15
HOOK = "/webhooks/{webhook}"
WITH_TOKEN = HOOK + "/{token}"
MESSAGE = WITH_TOKEN + "/messages/{message}"


@routes.route("GET", "/channels/{channel}/webhooks", bucket="webhooks")
def channel_webhooks(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "manage_webhooks")
    return [_seen(rest, hook) for hook in channel.webhooks.values()]


@routes.route("GET", "/guilds/{guild}/webhooks")
def guild_webhooks(rest: Rest, call: Call) -> Any:
    guild = guild_of(rest, call)
    if not permissions.in_guild(guild, rest.world.bot) & permissions.BITS["manage_webhooks"]:
        raise ApiError(403, 50013)
    return [
        _seen(rest, hook) for each in guild.channels.values() for hook in each.webhooks.values()
    ]


def _seen(rest: Rest, hook: Webhook) -> dict[str, Any]:
    """Return a webhook; the token of another application's is never shown."""
    ours = hook.application_id in (None, rest.world.application_id)
    return payloads.webhook(hook, with_token=ours)


@routes.route("POST", "/channels/{channel}/webhooks", bucket="webhooks")
def create_webhook(rest: Rest, call: Call) -> Any:
    channel = rest.channel(call)
    permissions.require(channel, rest.world.bot, "manage_webhooks")
    if channel.is_thread:
        raise ApiError(400, 50024)
    name = check_name(call.json.get("name"))
    if len(channel.webhooks) >= MAX_WEBHOOKS:
        raise ApiError(400, 30007)
    hook = Webhook(
        rest.world.new_id(),
        secrets.token_urlsafe(51),
        name,
        channel,
        rest.world.bot,
        rest.world.application_id,
        avatar="0" * 32 if call.json.get("avatar") else None,
    )
    return payloads.webhook(add(rest, hook))


def add(rest: Rest, hook: Webhook) -> Webhook:
    """Register a webhook and announce the change."""
    rest.world.webhooks[hook.id] = hook
    hook.channel.webhooks[hook.id] = hook
    _announce(rest, hook.channel)
    return hook


def remove(rest: Rest, hook: Webhook) -> None:
    """Delete a webhook and announce the change."""
    rest.world.webhooks.pop(hook.id, None)
    hook.channel.webhooks.pop(hook.id, None)
    _announce(rest, hook.channel)


def _announce(rest: Rest, channel: Channel) -> None:
    guild = str(channel.guild.id) if channel.guild else None
    body = {"channel_id": str(channel.id), "guild_id": guild}
    rest.gateway.dispatch("WEBHOOKS_UPDATE", body, channel=channel)


def check_name(name: Any) -> str:
    """Return a valid name.

    Raises:
        ApiError: 50035.
    """
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 80:
        raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 80 in length.")
    for word in ("clyde", "discord"):
        if word in name.lower():
            text = f'Username cannot contain "{word}"'
            raise invalid("name", "USERNAME_INVALID_CONTAINS", text)
    return name


def _hook(rest: Rest, call: Call) -> Webhook:
    hook = rest.world.webhooks.get(call.id("webhook"))
    if hook is None:
        raise ApiError(404, 10015)
    if "token" in call.params and call.params["token"] != hook.token:
        raise ApiError(401, 50027)
    return hook


@routes.route("GET", HOOK)
def get_webhook(rest: Rest, call: Call) -> Any:
    hook = _hook(rest, call)
    permissions.require(hook.channel, rest.world.bot, "manage_webhooks")
    return _seen(rest, hook)


@routes.route("GET", WITH_TOKEN, token=False)
def get_webhook_with_token(rest: Rest, call: Call) -> Any:
    return payloads.webhook(_hook(rest, call))


@routes.route("PATCH", HOOK)
def edit_webhook(rest: Rest, call: Call) -> Any:
    hook = _hook(rest, call)
    permissions.require(hook.channel, rest.world.bot, "manage_webhooks")
    if "name" in call.json:
        hook.name = check_name(call.json["name"])
    return payloads.webhook(hook)


@routes.route("DELETE", HOOK)
def delete_webhook(rest: Rest, call: Call) -> None:
    hook = _hook(rest, call)
    permissions.require(hook.channel, rest.world.bot, "manage_webhooks")
    remove(rest, hook)


@routes.route("DELETE", WITH_TOKEN, token=False)
def delete_webhook_with_token(rest: Rest, call: Call) -> None:
    remove(rest, _hook(rest, call))


@routes.route("POST", WITH_TOKEN, token=False, bucket="webhook-send")
def execute(rest: Rest, call: Call) -> Any:
    if responses.is_follow_up(rest, call):
        return responses.follow_up(rest, call)
    hook = _hook(rest, call)
    body = call.json
    channel = _target(rest, hook, call)
    name = check_name(body["username"]) if body.get("username") else hook.name
    check_message(body, files=len(call.files))
    if channel.archived:
        rest.threads.archive(channel, archived=False)
    author = User(hook.id, name, name, bot=True)
    body = {key: value for key, value in body.items() if key not in ("nonce", "enforce_nonce")}
    body.pop("message_reference", None)
    message = rest.posting.create(
        channel,
        author,
        body,
        files=call.files,
        webhook_id=hook.id,
        application_id=hook.application_id,
        avatar_url=body.get("avatar_url"),
    )
    waits = call.query.get("wait", "").lower() in ("true", "1")
    return payloads.message(message) if waits else None


def _target(rest: Rest, hook: Webhook, call: Call) -> Channel:
    thread_id = call.snowflake("thread_id")
    if thread_id is None:
        return hook.channel
    thread = rest.world.channels.get(thread_id)
    if thread is None or thread.parent is not hook.channel:
        raise ApiError(404, 10003)
    if thread.locked:
        raise ApiError(403, 160005)
    return thread


def _message(rest: Rest, call: Call) -> Message:
    hook = _hook(rest, call)
    message = rest.message(_target(rest, hook, call), call)
    if message.webhook_id != hook.id:
        raise ApiError(404, 10008)
    return message


@routes.route("GET", MESSAGE, token=False)
def get_message(rest: Rest, call: Call) -> Any:
    if responses.is_follow_up(rest, call):
        return responses.get(rest, call)
    return payloads.message(_message(rest, call))


@routes.route("PATCH", MESSAGE, token=False, bucket="webhook-edit")
def edit_message(rest: Rest, call: Call) -> Any:
    if responses.is_follow_up(rest, call):
        return responses.edit(rest, call)
    message = _message(rest, call)
    if message.channel.archived:
        raise ApiError(400, 50083)
    check_message(call.json, files=len(call.files), edit=True, flags=message.flags)
    rest.posting.edit(message, call.json, call.files)
    return payloads.message(message)


@routes.route("DELETE", MESSAGE, token=False, bucket="webhook-edit")
def delete_message(rest: Rest, call: Call) -> None:
    if responses.is_follow_up(rest, call):
        responses.delete(rest, call)
    else:
        rest.posting.delete(_message(rest, call))
