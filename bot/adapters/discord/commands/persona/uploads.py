"""Fetching a file that somebody attached to a command."""

from __future__ import annotations

import asyncio

import aiohttp
import discord

from bot.errors import CardRejected
from bot.personas.imported import MAX_CARD

TIMEOUT = 20.0
"""Seconds for the whole file."""
_PIECE = 64 * 1024


async def fetch_card(file: discord.Attachment) -> bytes:
    """Return a card's file.

    Raises:
        CardRejected: it is too large, as announced or as it turned out, or can't be fetched.
    """
    if file.size > MAX_CARD:
        raise _too_large()
    body = bytearray()
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(file.url) as response,
        ):
            if response.status != 200:
                raise CardRejected("Discord would not give me the file. Please attach it again.")
            async for piece in response.content.iter_chunked(_PIECE):
                body += piece
                if len(body) > MAX_CARD:
                    raise _too_large()
    except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
        raise CardRejected("The file could not be fetched. Please try again.") from error
    return bytes(body)


def _too_large() -> CardRejected:
    return CardRejected(
        "The file is larger than {size} MB. Save the card as JSON, or with a smaller picture.",
        size=MAX_CARD // 2**20,
    )
