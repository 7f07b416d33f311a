"""Takes the buttons off replies that are not the latest of their place any more.

It costs a call, so it comes after everything else, and under pressure not at all: a button that is
left over says that the conversation has gone on, and goes when it is pressed.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

import structlog

from bot.adapters.discord.calling.calls import edit_route, webhook_message_route
from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.place import Place
from bot.delivery.pacing import Priority
from bot.errors import StoreError
from bot.ports import Held

log = structlog.get_logger(__name__)

PATIENCE: Final = 30.0
"""Seconds that such a call may wait for its turn."""


class LatestReplies(Protocol):
    """Knows the latest reply of each place."""

    async def hold(self, place: Place, held: Held) -> Held | None:
        """Let a reply be the latest; return the one whose buttons are to go.

        Raises:
            StoreError: the store is away.
        """
        ...


class Tidying:
    """One object for the process."""

    def __init__(self, desk: Desk, latest: LatestReplies) -> None:
        self._desk = desk
        self._latest = latest

    async def replaced(self, place: Place, held: Held) -> None:
        """Another reply stands in a place: take the buttons off the one before. Never raises."""
        try:
            old = await self._latest.hold(place, held)
            if old is not None and old.message is not None:
                async with asyncio.timeout(PATIENCE):
                    await self._strip(place, old.message, old.webhook)
        except (StoreError, *FAILED) as error:
            log.info("buttons left over", reason=type(error).__name__)

    async def _strip(self, place: Place, message: int, webhook: int | None) -> None:
        body: dict[str, Any] = {"components": []}
        hook = None
        if webhook is not None:
            hook = await self._desk.webhooks.of(place.parent or place.channel)
            if hook is None or hook.id != webhook:
                return  # only that webhook could edit its message
        if hook is None:
            route = edit_route(place.channel, message)
        else:
            route = webhook_message_route("PATCH", hook, message)
        throttle = self._desk.throttle
        ticket = throttle.ask(route, Priority.TIDY)
        if not await throttle.granted(ticket):
            return
        if hook is None:
            await self._desk.calls.edit(place.channel, message, body, ticket)
        else:
            thread = place.channel if place.parent is not None else None
            await self._desk.calls.edit_by_webhook(hook, thread, message, body, ticket)
