"""Deletes replies of ours from a channel, whoever of us wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import discord
import structlog

from bot.adapters.discord.calling.calls import Webhook
from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.place import ChannelId, MessageId, Place

log = structlog.get_logger(__name__)

UNKNOWN_WEBHOOK: Final = 10015


class Remover:
    """One object for the process."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def remove(self, place: Place, messages: Sequence[MessageId], by: int | None) -> None:
        """Delete messages; `by` is the webhook that wrote them, None for the bot itself.

        Raises:
            DeliveryError: one can't be deleted.
        """
        hook = None
        if by is not None:
            found = await self._desk.webhooks.of(_owner(place))
            hook = found if found is not None and found.id == by else None
        for message in messages:
            try:
                await self._delete(place, message, hook)
            except discord.NotFound:
                log.debug("gone already", message=message)
            except FAILED as error:
                raise self._desk.refused(error, place) from error

    async def _delete(self, place: Place, message: MessageId, hook: Webhook | None) -> None:
        """Delete by the webhook; without it, or when it is gone, as a moderator, if we are one."""
        if hook is not None:
            thread = place.channel if place.parent is not None else None
            try:
                await self._desk.calls.delete_by_webhook(hook, thread, message)
            except discord.NotFound as error:
                if error.code != UNKNOWN_WEBHOOK:
                    raise
                self._desk.webhooks.forget(_owner(place))
            else:
                return
        await self._desk.calls.delete(place.channel, message)


def _owner(place: Place) -> ChannelId:
    """Return the channel that holds the webhooks: threads use their parent's."""
    return place.parent or place.channel
