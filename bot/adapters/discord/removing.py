"""Deletes replies of ours from a channel, whoever of us wrote them."""

from __future__ import annotations

from collections.abc import Sequence

import discord
import structlog

from bot.adapters.discord.desk import Desk
from bot.adapters.discord.refusals import FAILED
from bot.chat.place import MessageId, Place

log = structlog.get_logger(__name__)


class Remover:
    """One object for the process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def remove(self, place: Place, messages: Sequence[MessageId], by: int | None) -> None:
        """Delete messages; `by` is the webhook that wrote them, None for the bot itself.

        Raises:
            DeliveryError: one can't be deleted.
        """
        calls = self._desk.calls
        hook = None if by is None else await self._desk.webhooks.of(place.parent or place.channel)
        thread = place.channel if place.parent is not None else None
        for message in messages:
            try:
                if hook is not None and hook.id == by:
                    await calls.delete_by_webhook(hook, thread, message)
                else:  # a webhook that is gone: as a moderator, if we are one
                    await calls.delete(place.channel, message)
            except discord.NotFound:
                log.debug("gone already", message=message)
            except FAILED as error:
                raise self._desk.refused(error, place) from error
