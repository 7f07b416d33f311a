"""The REST calls that a reply needs, by ids and plain payloads: no cache, no model objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from discord.http import Route

from bot.adapters.discord.calling.rest import RestClient
from bot.delivery.pacing import Priority, Ticket

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = "/channels/{channel_id}/messages/{message_id}"
WEBHOOK = "/webhooks/{webhook_id}/{webhook_token}"
LOADING = 1 << 7
"""A message that only says that an answer is coming (Discord API reference, "Message Flags")."""
WEBHOOK_MESSAGE = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook of ours. `token` is a secret: whoever has it can post."""

    id: int
    token: str

    def __repr__(self) -> str:
        return f"Webhook(id={self.id})"


@dataclass(frozen=True, slots=True)
class Posted:
    """A message as Discord has it."""

    id: int
    content: str
    author: int
    webhook: int | None = None
    answers: int | None = None
    """The message it replies to, or points at with a jump link."""
    buttons: tuple[str, ...] = ()
    """Custom ids of what can be pressed under it."""


def posted(data: dict[str, Any]) -> Posted:
    """Read the parts of a message payload that delivery needs."""
    reference = data.get("message_reference") or {}
    answers = reference.get("message_id")
    for embed in data.get("embeds") or ():
        url = (embed.get("author") or {}).get("url") or ""
        last = url.rpartition("/")[2]
        if "/channels/" in url and last.isdecimal():
            answers = last
    webhook = data.get("webhook_id")
    return Posted(
        id=int(data["id"]),
        content=data.get("content") or "",
        author=int(data["author"]["id"]),
        webhook=int(webhook) if webhook else None,
        answers=int(answers) if answers else None,
        buttons=tuple(
            str(part["custom_id"])
            for row in data.get("components") or ()
            for part in row.get("components") or ()
            if "custom_id" in part
        ),
    )


class Calls:
    """Thin and typed: each method is one call. All raise what `RestClient.request` raises."""

    def __init__(self, rest: RestClient) -> None:
        self._rest = rest

    @property
    def rest(self) -> RestClient:
        return self._rest

    async def send(self, channel: int, body: dict[str, Any], ticket: Ticket | None) -> Posted:
        return posted(await self._rest.request(send_route(channel), json=body, ticket=ticket))

    async def edit(
        self, channel: int, message: int, body: dict[str, Any], ticket: Ticket | None
    ) -> None:
        await self._rest.request(edit_route(channel, message), json=body, ticket=ticket)

    async def delete(self, channel: int, message: int) -> None:
        route = Route("DELETE", MESSAGE, channel_id=channel, message_id=message)
        await self._rest.request(route)

    async def execute(
        self, hook: Webhook, thread: int | None, body: dict[str, Any], ticket: Ticket | None
    ) -> Posted:
        data = await self._rest.request(
            execute_route(hook), json=body, params=_params(thread, wait="true"), ticket=ticket
        )
        return posted(data)

    async def edit_by_webhook(
        self,
        hook: Webhook,
        thread: int | None,
        message: int,
        body: dict[str, Any],
        ticket: Ticket | None,
    ) -> None:
        route = webhook_message_route("PATCH", hook, message)
        await self._rest.request(route, json=body, params=_params(thread), ticket=ticket)

    async def delete_by_webhook(self, hook: Webhook, thread: int | None, message: int) -> None:
        route = webhook_message_route("DELETE", hook, message)
        await self._rest.request(route, params=_params(thread))

    async def of_webhook(self, hook: Webhook, thread: int | None, message: int) -> Posted:
        """Return a message of a webhook; needs no permission."""
        route = webhook_message_route("GET", hook, message)
        return posted(await self._rest.request(route, params=_params(thread)))

    async def original(self, hook: Webhook) -> Posted | None:
        """Return the first answer to an interaction; None while it is only announced."""
        route = Route(
            "GET",
            WEBHOOK_MESSAGE,
            webhook_id=hook.id,
            webhook_token=hook.token,
            message_id="@original",
        )
        data = await self._rest.request(route)
        return None if int(data.get("flags") or 0) & LOADING else posted(data)

    async def typing(self, channel: int) -> None:
        route = Route("POST", "/channels/{channel_id}/typing", channel_id=channel)
        await self._rest.request(route, priority=Priority.TYPING)

    async def latest(self, channel: int, limit: int, *, after: int = 0) -> Sequence[Posted]:
        """Return the channel's latest messages after a message id, newest first."""
        route = Route("GET", MESSAGES, channel_id=channel)
        # With `after` Discord returns the oldest ones after it, which may miss the newest.
        data = await self._rest.request(route, params={"limit": str(limit)})
        return [posted(each) for each in data if int(each["id"]) > after]

    async def webhooks(self, channel: int) -> Sequence[dict[str, Any]]:
        """Return a channel's webhooks; needs Manage Webhooks."""
        route = Route("GET", "/channels/{channel_id}/webhooks", channel_id=channel)
        data = await self._rest.request(route)
        return [each for each in data if isinstance(each, dict)]

    async def guild_webhooks(self, guild: int) -> Sequence[dict[str, Any]]:
        """Return the webhooks of all channels of a guild; needs Manage Webhooks in all of it."""
        route = Route("GET", "/guilds/{guild_id}/webhooks", guild_id=guild)
        data = await self._rest.request(route)
        return [each for each in data if isinstance(each, dict)]

    async def create_webhook(self, channel: int, name: str) -> dict[str, Any]:
        route = Route("POST", "/channels/{channel_id}/webhooks", channel_id=channel)
        made: dict[str, Any] = await self._rest.request(
            route, json={"name": name}, priority=Priority.LOOKUP, reason="Troupe's personas"
        )
        return made

    async def delete_webhook(self, hook: Webhook) -> None:
        await self._rest.request(
            Route("DELETE", WEBHOOK, webhook_id=hook.id, webhook_token=hook.token),
            priority=Priority.LOOKUP,
        )

    async def application_emojis(self, application: int) -> Sequence[dict[str, Any]]:
        route = Route("GET", "/applications/{application_id}/emojis", application_id=application)
        data = await self._rest.request(route)
        return [each for each in data.get("items", ()) if isinstance(each, dict)]

    async def create_application_emoji(
        self, application: int, name: str, image: str
    ) -> dict[str, Any]:
        """Upload an image; `image` is a data URI."""
        route = Route("POST", "/applications/{application_id}/emojis", application_id=application)
        made: dict[str, Any] = await self._rest.request(
            route, json={"name": name, "image": image}, priority=Priority.LOOKUP
        )
        return made

    async def message(self, channel: int, message: int) -> dict[str, Any]:
        """Return a message; needs Read Message History."""
        route = Route("GET", MESSAGE, channel_id=channel, message_id=message)
        data: dict[str, Any] = await self._rest.request(route)
        return data

    async def reacted(self, channel: int, message: int, emoji: str, user: int) -> bool:
        """Return whether a user reacted with an emoji; needs Read Message History."""
        route = Route(
            "GET",
            f"{MESSAGE}/reactions/{{emoji}}",
            channel_id=channel,
            message_id=message,
            emoji=emoji,
        )
        # Users come by their ids.
        data = await self._rest.request(route, params={"after": str(user - 1), "limit": "1"})
        return any(int(each["id"]) == user for each in data)

    async def react(self, channel: int, message: int, emoji: str) -> None:
        """React to a message; needs Add Reactions and Read Message History."""
        route = Route(
            "PUT",
            f"{MESSAGE}/reactions/{{emoji}}/@me",
            channel_id=channel,
            message_id=message,
            emoji=emoji,
        )
        await self._rest.request(route)

    async def open_dm(self, person: int) -> int:
        """Return the channel of direct messages with a person."""
        route = Route("POST", "/users/@me/channels")
        data = await self._rest.request(route, json={"recipient_id": str(person)})
        return int(data["id"])

    async def start_thread(self, channel: int, message: int, name: str, archive: int) -> None:
        """Open a thread from a message; needs Create Public Threads. `archive` is in minutes."""
        route = Route("POST", f"{MESSAGE}/threads", channel_id=channel, message_id=message)
        body = {"name": name, "auto_archive_duration": archive}
        await self._rest.request(route, json=body, priority=Priority.FIRST)

    async def reopen_thread(self, thread: int) -> None:
        """Take a thread out of the archive; one that is not locked needs the right to write there
        (Discord API reference, "Modify Channel")."""
        route = Route("PATCH", "/channels/{channel_id}", channel_id=thread)
        await self._rest.request(route, json={"archived": False}, priority=Priority.LOOKUP)

    async def guild(self, guild: int) -> dict[str, Any]:
        route = Route("GET", "/guilds/{guild_id}", guild_id=guild)
        data: dict[str, Any] = await self._rest.request(route)
        return data

    async def channel(self, channel: int) -> dict[str, Any]:
        route = Route("GET", "/channels/{channel_id}", channel_id=channel)
        data: dict[str, Any] = await self._rest.request(route)
        return data


def send_route(channel: int) -> Route:
    return Route("POST", MESSAGES, channel_id=channel)


def edit_route(channel: int, message: int) -> Route:
    return Route("PATCH", MESSAGE, channel_id=channel, message_id=message)


def execute_route(hook: Webhook) -> Route:
    return Route("POST", WEBHOOK, webhook_id=hook.id, webhook_token=hook.token)


def webhook_message_route(method: str, hook: Webhook, message: int) -> Route:
    return Route(
        method,
        WEBHOOK_MESSAGE,
        webhook_id=hook.id,
        webhook_token=hook.token,
        message_id=message,
    )


def _params(thread: int | None, **more: str) -> dict[str, str]:
    return {**more, "thread_id": str(thread)} if thread is not None else more
