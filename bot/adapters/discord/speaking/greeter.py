"""Posts a persona's first words in its own voice, and renders them when they are flipped."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import discord
import structlog

from bot.adapters.discord.calling.calls import Posted
from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.speaking.desk import Desk
from bot.adapters.discord.speaking.webhooks import header_of, webhook_name
from bot.chat.place import MessageId, Place
from bot.delivery.split import LIMIT, units
from bot.ports import Face

log = structlog.get_logger(__name__)

PATIENCE: Final = 3.0
"""Seconds to wait for a webhook and an avatar."""
POST_TIMEOUT: Final = 20.0
EMBED_UNITS: Final = 4000
EMBEDS_UNITS: Final = 5900
"""Discord takes 4,096 characters an embed and 6,000 a message."""
_NO_MENTIONS: Final[dict[str, Any]] = {"parse": []}


class Greeter:
    """Says a greeting as its persona, where webhooks are allowed; else as the bot."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def post(self, place: Place, face: Face, text: str, components: list[Any]) -> MessageId:
        """Post a greeting with buttons under it, in one message.

        Raises:
            DeliveryError: Discord would not take it.
        """
        self._desk.check(place)
        try:
            async with asyncio.timeout(POST_TIMEOUT):
                posted = await self._post(place, face, text, components)
        except FAILED as error:
            raise self._desk.refused(error, place) from error
        return MessageId(posted.id)

    async def _post(self, place: Place, face: Face, text: str, components: list[Any]) -> Posted:
        body: dict[str, Any] = {"allowed_mentions": _NO_MENTIONS, "components": components}
        voice = None if place.is_dm else await self._webhook(place, face)
        if voice is not None:
            hook, url = voice
            named = {"username": webhook_name(face.name)} | ({"avatar_url": url} if url else {})
            thread = place.channel if place.parent is not None else None
            try:
                return await self._desk.calls.execute(
                    hook, thread, {**body, **named, **_shown(text)}, None
                )
            except (discord.Forbidden, discord.NotFound):
                self._desk.webhooks.forget(place.parent or place.channel)
        return await self._desk.calls.send(
            place.channel, {**body, **_shown(text, header_of(face.name))}, None
        )

    async def _webhook(self, place: Place, face: Face) -> tuple[Any, str | None] | None:
        try:
            async with asyncio.timeout(PATIENCE):
                hook, url = await asyncio.gather(
                    self._desk.webhooks.of(place.parent or place.channel),
                    self._desk.avatars.url(face),
                )
        except TimeoutError:
            log.info("greeting without webhook: lookup late")
            return None
        return None if hook is None else (hook, url)


def rendered(text: str, header: str = "") -> tuple[str, list[discord.Embed]]:
    """Return a greeting as content and embeds of one message.

    One message, so that flipping is one edit: what is longer than a message stands in embeds,
    and what is longer than those is cut where it is shown. The conversation has all of it.
    """
    if units(header + text) <= LIMIT:
        return header + text, []
    embeds: list[discord.Embed] = []
    left = EMBEDS_UNITS
    while text and left > 0:
        part = _first(text, min(EMBED_UNITS, left))
        embeds.append(discord.Embed(description=part))
        text, left = text[len(part) :].lstrip(), left - units(part)
    if text and embeds:
        embeds[-1].description = f"{embeds[-1].description}…"
    return header, embeds


def _first(text: str, limit: int) -> str:
    """Return the beginning of a text within so many UTF-16 units, cut at a space if it can be."""
    end = min(len(text), limit)
    while units(text[:end]) > limit:
        end -= max(1, (units(text[:end]) - limit) // 2)
    if end < len(text):
        space = max(text.rfind(" ", end // 2, end), text.rfind("\n", end // 2, end))
        end = space if space > 0 else end
    return text[:end]


def _shown(text: str, header: str = "") -> dict[str, Any]:
    content, embeds = rendered(text, header)
    body: dict[str, Any] = {"embeds": [embed.to_dict() for embed in embeds]} if embeds else {}
    return {**body, "content": content} if content else body
