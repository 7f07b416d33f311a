"""Looks, over REST, at what became of messages whose events we may have missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import discord
import structlog

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.reading.mapping import HIDING, Us, is_hiding, text_in, titled
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.arriving.looking_again import Fate
from bot.chat.arriving.thread_opening import may_stand_above
from bot.chat.place import MessageId, Place

log = structlog.get_logger(__name__)

_UNKNOWN_MESSAGE: Final = 10008
_FORUMS: Final = (discord.ChannelType.forum.value, discord.ChannelType.media.value)


class DiscordChannels:
    """One call a message; one more where a thread began with it, or a 🙈 is under it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def fate(self, place: Place, message: MessageId) -> Fate:
        """Return what became of a message; nothing where Discord can't or won't tell."""
        try:
            return await self._fate(place, message)
        except FAILED as error:
            log.info("message not looked at again", reason=type(error).__name__)
            return Fate()

    async def _fate(self, place: Place, message: MessageId) -> Fate:
        for channel in await self._homes(place, message):
            try:
                data = await self._desk.calls.message(channel, message)
            except discord.NotFound as error:
                if error.code != _UNKNOWN_MESSAGE:
                    raise
            else:
                now = await self._read(channel, data)
                if not now.text or channel != int(message):
                    return now
                post = await self._desk.calls.channel(channel)
                return replace(now, text=titled(str(post["name"]), now.text))
        return Fate(gone=True)

    async def _homes(self, place: Place, message: MessageId) -> tuple[int, ...]:
        """Return where a message may stand: what a thread began with stands in the channel around
        it, and is only repeated in the thread; a forum's post stands in itself."""
        if place.parent is None or not may_stand_above(place, message):
            return (place.channel,)
        if int(message) != place.channel:
            return (place.channel, place.parent)
        parent = await self._desk.calls.channel(place.parent)
        return (place.channel if parent.get("type") in _FORUMS else place.parent,)

    async def _read(self, channel: int, data: dict[str, Any]) -> Fate:
        account = self._desk.account
        if account is None or data.get("webhook_id") or data["author"].get("bot"):
            return Fate()  # nobody's question, or perhaps a persona's own words
        is_ours: Callable[[int], bool] = self._desk.webhooks.is_ours
        text = text_in(data, Us(account.id, is_ours, account.application))
        if is_hiding(text) or await self._covered(channel, data):
            return Fate(gone=True)
        return Fate(text=text if data.get("edited_timestamp") else None)

    async def _covered(self, channel: int, data: dict[str, Any]) -> bool:
        """Whether the message's author, and not just anybody, put a 🙈 under it."""
        emojis = {str(each["emoji"]["name"]) for each in data.get("reactions") or ()}
        if HIDING not in emojis:
            return False
        return await self._desk.calls.reacted(
            channel, int(data["id"]), HIDING, int(data["author"]["id"])
        )
