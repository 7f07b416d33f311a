"""Where a channel belongs, also for threads that Discord has not told us about."""

from __future__ import annotations

import time
from typing import Any, Final

import discord
import structlog

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.reading.mapping import is_unknown, place_of_channel
from bot.chat.place import ChannelId, Place
from bot.recent import Recent

log = structlog.get_logger(__name__)

_KEPT: Final = 1000
_FOR: Final = 600.0
"""Seconds for which an answer is believed."""


class Places:
    """Places by channel. Only channels missing from the guild's own list are asked for."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._asked = Recent[int, tuple[Place, float]](_KEPT)

    async def of(self, channel: Any, guild_id: int | None) -> Place:
        """Return the place of a channel.

        One that Discord does not tell about counts as closed to @everyone.
        """
        if not is_unknown(channel, guild_id):
            return place_of_channel(channel, guild_id)
        known = self._asked.get(channel.id)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        place = await self._ask(channel, guild_id)
        self._asked[channel.id] = (place, time.monotonic() + _FOR)
        return place

    async def _ask(self, channel: Any, guild_id: int | None) -> Place:
        try:
            found = await self._client.fetch_channel(channel.id)
            if isinstance(found, discord.Thread) and found.parent is None:
                return await self._with_parent(found, guild_id)
        except (discord.InvalidData, *FAILED) as error:
            log.info("channel not found", reason=type(error).__name__)
            return place_of_channel(channel, guild_id)
        return place_of_channel(found, guild_id)

    async def _with_parent(self, thread: discord.Thread, guild_id: int | None) -> Place:
        """Return a thread's place when not even its parent is known."""
        place = place_of_channel(thread, guild_id)
        parent = await self._client.fetch_channel(thread.parent_id)
        around = place_of_channel(parent, guild_id)
        return Place(
            place.channel,
            place.guild,
            parent=ChannelId(thread.parent_id),
            category=around.category,
            age_restricted=around.age_restricted,
            restricted=around.restricted or thread.is_private(),
        )
