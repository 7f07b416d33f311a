"""The ways to post: as the bot itself, through a webhook as the persona, or by an interaction."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

import discord
from discord.http import Route

from bot.adapters.discord.calling.calls import (
    Calls,
    Posted,
    Webhook,
    edit_route,
    execute_route,
    posted,
    send_route,
    webhook_message_route,
)
from bot.adapters.discord.calling.refusals import UNCERTAIN
from bot.adapters.discord.speaking.rows import Rows
from bot.chat.turn import Turn
from bot.delivery.pacing import Ticket
from bot.errors import DeliveryError

_NO_MENTIONS: dict[str, Any] = {"parse": []}
EPHEMERAL = 1 << 6
"""A message's flag (Discord API reference, "Message Flags")."""
_SETTLE = (0.5, 1.5, 3.0)
"""Seconds to let an uncertain message appear before each look for it."""
_LOOK_BACK = 20
"""Messages looked at for one that was posted although the call failed."""


class Voice(Protocol):
    """How one reply is posted. `header` stands in front of its first message."""

    @property
    def header(self) -> str: ...

    @property
    def webhook(self) -> int | None: ...

    def send_route(self) -> Route: ...

    def edit_route(self, message: int) -> Route: ...

    async def send(self, index: int, text: str, rows: Rows, ticket: Ticket | None) -> Posted: ...

    async def find(self, index: int, text: str) -> Posted | None:
        """Return a part that was posted although nobody was told so."""
        ...

    async def edit(self, message: int, text: str, rows: Rows, ticket: Ticket | None) -> None: ...

    async def delete(self, message: int) -> None: ...

    async def read(self, message: int) -> Posted: ...


@dataclass(slots=True)
class BotVoice:
    """Posts as the bot; Discord itself drops a second message with the same nonce."""

    calls: Calls
    turn: Turn
    header: str = ""
    seed: str = ""
    """Something after the question's id, so that a notice is no part of the reply."""
    me: int = 0

    @property
    def webhook(self) -> None:
        return None

    def send_route(self) -> Route:
        return send_route(self.turn.place.channel)

    def edit_route(self, message: int) -> Route:
        return edit_route(self.turn.place.channel, message)

    async def send(self, index: int, text: str, rows: Rows, ticket: Ticket | None) -> Posted:
        """Post a part. A part posted earlier under the same nonce is returned as it stands."""
        channel = self.turn.place.channel
        body: dict[str, Any] = {
            "content": text,
            # 25 characters at most: an id has up to 20 digits.
            "nonce": f"{self.turn.message_ids[-1]}{self.seed}-{index}"[:25],
            "enforce_nonce": True,
            "allowed_mentions": {**_NO_MENTIONS, "replied_user": True},
        }
        if rows:
            body["components"] = rows
        if index > 0 or int(self.turn.points_at) == channel:
            # A thread begins with the question itself, which nobody can reply to there.
            return await self.calls.send(channel, body, ticket)
        reference = {
            "message_id": str(self.turn.points_at),
            "channel_id": str(channel),
            "fail_if_not_exists": False,
        }
        try:
            return await self.calls.send(channel, {**body, "message_reference": reference}, ticket)
        except discord.HTTPException as error:
            if error.code != 160002:  # replying needs Read Message History, sending does not
                raise
            return await self.calls.send(channel, body, None)

    async def find(self, index: int, text: str) -> Posted | None:
        """Return a further part by its text: Discord forgets a nonce after minutes."""
        latest = await self.calls.latest(
            self.turn.place.channel, _LOOK_BACK, after=self.turn.message_ids[-1]
        )
        mine = (each for each in latest if each.author == self.me)
        return next((each for each in mine if each.content == text.strip()), None)

    async def edit(self, message: int, text: str, rows: Rows, ticket: Ticket | None) -> None:
        body = {"content": text, "components": rows, "allowed_mentions": _NO_MENTIONS}
        await self.calls.edit(self.turn.place.channel, message, body, ticket)

    async def delete(self, message: int) -> None:
        await self.calls.delete(self.turn.place.channel, message)

    async def read(self, message: int) -> Posted:
        return posted(await self.calls.message(self.turn.place.channel, message))


@dataclass(slots=True)
class InteractionVoice:
    """Answers an interaction: where the bot is no member, nothing else can be shown.

    The first message takes the place of the announced answer.
    """

    calls: Calls
    hook: Webhook
    """The interaction's own: the application's id, and the interaction's token."""
    header: str = ""
    hidden: bool = False
    """Only the person reads the answer, further parts of it included."""

    @property
    def webhook(self) -> None:
        """No webhook of a channel: where this one is refused, no other voice may answer."""

    def send_route(self) -> Route:
        return execute_route(self.hook)

    def edit_route(self, message: int) -> Route:
        return webhook_message_route("PATCH", self.hook, message)

    async def send(self, index: int, text: str, rows: Rows, ticket: Ticket | None) -> Posted:
        """Post a part, once. Only the first can be looked up when nobody knows what became of it.

        Raises:
            DeliveryError: nobody knows whether a further part stands there.
        """
        body: dict[str, Any] = {"content": text, "allowed_mentions": _NO_MENTIONS}
        if rows:
            body["components"] = rows
        if self.hidden:
            body["flags"] = EPHEMERAL
        failure: Exception | None = None
        for pause in _SETTLE:
            try:
                return await self.calls.execute(self.hook, None, body, ticket)
            except UNCERTAIN as error:
                failure, ticket = error, None
            if index > 0:
                raise DeliveryError("Discord did not say whether it took the message") from failure
            await asyncio.sleep(pause)
            if (there := await self.calls.original(self.hook)) is not None:
                return there
        raise failure or AssertionError("there is a first try")

    async def edit(self, message: int, text: str, rows: Rows, ticket: Ticket | None) -> None:
        body = {"content": text, "components": rows, "allowed_mentions": _NO_MENTIONS}
        await self.calls.edit_by_webhook(self.hook, None, message, body, ticket)

    async def delete(self, message: int) -> None:
        await self.calls.delete_by_webhook(self.hook, None, message)

    async def read(self, message: int) -> Posted:
        return await self.calls.of_webhook(self.hook, None, message)

    async def find(self, index: int, text: str) -> Posted | None:
        """Return the first part; nothing tells of the others."""
        return await self.calls.original(self.hook) if index == 0 else None

    async def standing(self) -> tuple[int, ...]:
        """Return the id of the first message, if it stands there."""
        there = await self.calls.original(self.hook)
        return () if there is None else (there.id,)


@dataclass(slots=True)
class WebhookVoice:
    """Posts as the persona. Webhook messages carry no nonce: what is uncertain is looked up."""

    calls: Calls
    turn: Turn
    hook: Webhook
    name: str
    avatar_url: str | None = None
    header: str = ""

    @property
    def webhook(self) -> int:
        return self.hook.id

    @property
    def _thread(self) -> int | None:
        place = self.turn.place
        return place.channel if place.parent is not None else None

    def send_route(self) -> Route:
        return execute_route(self.hook)

    def edit_route(self, message: int) -> Route:
        return webhook_message_route("PATCH", self.hook, message)

    async def send(self, index: int, text: str, rows: Rows, ticket: Ticket | None) -> Posted:
        """Post a part, once.

        Raises:
            discord.HTTPException, aiohttp.ClientError, TimeoutError: it is not there, or nobody
                can tell.
        """
        body: dict[str, Any] = {
            "content": text,
            "username": self.name,
            "allowed_mentions": _NO_MENTIONS,
        }
        if self.avatar_url is not None:
            body["avatar_url"] = self.avatar_url
        if rows:
            body["components"] = rows
        if index == 0:
            body["embeds"] = [self._pointer()]
        failure: Exception | None = None
        for pause in _SETTLE:
            try:
                return await self.calls.execute(self.hook, self._thread, body, ticket)
            except UNCERTAIN as error:
                failure, ticket = error, None
            await asyncio.sleep(pause)
            if (found := await self.find(index, text)) is not None:
                return found
        raise failure or AssertionError("there is a first try")

    async def edit(self, message: int, text: str, rows: Rows, ticket: Ticket | None) -> None:
        body = {"content": text, "components": rows, "allowed_mentions": _NO_MENTIONS}
        await self.calls.edit_by_webhook(self.hook, self._thread, message, body, ticket)

    async def delete(self, message: int) -> None:
        await self.calls.delete_by_webhook(self.hook, self._thread, message)

    async def read(self, message: int) -> Posted:
        return await self.calls.of_webhook(self.hook, self._thread, message)

    async def find(self, index: int, text: str) -> Posted | None:
        """Return the part if it was posted although the call failed."""
        asked, after = self.turn.points_at, self.turn.message_ids[-1]
        latest = await self.calls.latest(self.turn.place.channel, _LOOK_BACK, after=after)
        for message in latest:
            if message.webhook != self.hook.id:
                continue
            if message.answers == asked if index == 0 else message.content == text.strip():
                return message
        return None

    def _pointer(self) -> dict[str, Any]:
        """Return a one-line embed that says which message is answered: webhooks can't reply.

        It also tells, after a crash, that this question has an answer already.
        """
        place = self.turn.place
        url = f"https://discord.com/channels/{place.guild}/{place.channel}"
        name = f"↪ {self.turn.speaker.name}"[:256]
        return {"author": {"name": name, "url": f"{url}/{self.turn.points_at}"}}
