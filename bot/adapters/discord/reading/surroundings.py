"""Reads the messages that people refer to, over REST, for the surroundings of a turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import discord
import structlog

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.reading.mapping import Us, quoted_of, titled
from bot.adapters.discord.speaking.desk import Desk
from bot.chat.place import MessageId, Place
from bot.chat.turn import Quoted
from bot.recent import Recent

log = structlog.get_logger(__name__)

_FORUMS: Final = frozenset({discord.ChannelType.forum.value, discord.ChannelType.media.value})
_KEPT: Final = 1000
_FOR: Final = 600.0
"""Seconds for which a thread's first message is remembered."""


class DiscordSurroundings:
    """Bounded look-ups. Starters are remembered for a while: every turn of a thread needs one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._starters = Recent[int, tuple[float, Quoted | None]](_KEPT)

    async def chain(self, place: Place, message: MessageId, most: int) -> tuple[Quoted, ...]:
        """Return a message, what it replies to, and so on, newest first; at most `most`."""
        found: list[Quoted] = []
        wanted: MessageId | None = message
        while wanted is not None and len(found) < most:
            data = await self._read(place.channel, wanted)
            if data is None:
                break
            us = self._us()
            for each in (data, data.get("referenced_message")):  # one call shows two of them
                if isinstance(each, dict) and us is not None:
                    found.append(quoted_of(each, us))
            wanted = found[-1].answers if found else None
        return tuple(found[:most])

    async def starter(self, place: Place) -> Quoted | None:
        """Return the message that a thread or a forum post began with; it has the thread's id."""
        known = self._starters.get(place.channel)
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        us = self._us()
        found = await self._found(place, us) if us is not None else None
        self._starters[place.channel] = (time.monotonic() + _FOR, found)
        return found

    async def _found(self, place: Place, us: Us) -> Quoted | None:
        ident = MessageId(place.channel)
        # A forum post holds its first message itself; a thread's stands in the parent channel.
        data = await self._read(place.channel, ident)
        if data is None or data.get("type") == discord.MessageType.thread_starter_message.value:
            data = await self._read(place.parent or place.channel, ident)
            return quoted_of(data, us) if data is not None else None
        quoted, title = quoted_of(data, us), await self._title(place)
        hidden = not quoted.text and bool(data.get("content"))
        return quoted if hidden else replace(quoted, text=titled(title, quoted.text))

    def forget(self, message: MessageId) -> None:
        """A message was edited or deleted."""
        self._starters.pop(message, None)

    async def _read(self, channel: int, message: MessageId) -> dict[str, Any] | None:
        try:
            return await self._desk.calls.message(channel, message)
        except FAILED as error:
            log.info("message not read", reason=type(error).__name__)
            return None

    async def _title(self, place: Place) -> str:
        """Return a forum post's title; that of any other thread repeats what it began with."""
        calls = self._desk.calls
        try:
            if (await calls.channel(place.parent or place.channel))["type"] not in _FORUMS:
                return ""
            return str((await calls.channel(place.channel))["name"])
        except FAILED as error:
            log.info("title not read", reason=type(error).__name__)
            return ""

    def _us(self) -> Us | None:
        account = self._desk.account
        if account is None:
            return None
        is_ours: Callable[[int], bool] = self._desk.webhooks.is_ours
        return Us(account.id, is_ours, account.application)
