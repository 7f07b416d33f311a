"""Opens a thread of its own for a conversation: `bot.chat.arriving.thread_opening.ThreadOpener`."""

from __future__ import annotations

from typing import Final

import aiohttp
import discord
import structlog

from bot.adapters.discord.speaking.desk import Desk
from bot.chat.arriving.thread_opening import thread_from
from bot.chat.place import Place
from bot.chat.turn import Message

log = structlog.get_logger(__name__)

ALREADY: Final = 160004
"""The message has a thread already (Discord API reference, "JSON Error Codes")."""
ARCHIVE_AFTER: Final = 1440
"""Minutes without a message after which Discord puts the thread away."""
TITLE: Final = 60


class Threads:
    """Threads that begin with a message, and so have its id: opening one twice is no harm."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def open(self, message: Message) -> Place | None:
        """Return the thread that begins with a message; None where there can be none."""
        place = message.place
        try:
            await self._desk.calls.start_thread(
                place.channel, message.id, title_of(message), ARCHIVE_AFTER
            )
        except discord.HTTPException as error:
            if error.code != ALREADY:
                log.info("thread not opened", status=error.status, code=error.code)
                return None
        except (discord.RateLimited, aiohttp.ClientError, OSError) as error:
            log.info("thread not opened", reason=type(error).__name__)
            return None
        return thread_from(message)


def title_of(message: Message) -> str:
    """Return a thread's title: the beginning of what it is about, else whose it is."""
    words = " ".join(message.text.split())
    if len(words) > TITLE:
        words = words[:TITLE].rsplit(" ", 1)[0] + "…"
    return words or message.speaker.name
