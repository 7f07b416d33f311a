"""Changes what an earlier process left of a reply, where nobody goes on with it."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import discord

from bot.adapters.discord.calling.refusals import FAILED
from bot.adapters.discord.speaking.desk import Desk
from bot.adapters.discord.speaking.rows import is_stop
from bot.adapters.discord.speaking.speaking import Speaking
from bot.adapters.discord.speaking.voices import Voice
from bot.chat.running import Amended
from bot.chat.turn import Turn
from bot.delivery.pacing import Priority
from bot.delivery.split import LIMIT, units
from bot.errors import DeliveryError
from bot.ports import Face, Progress

PATIENCE: Final = 20.0
"""Seconds for the change, once it is known who speaks."""
_HEADER: Final = re.compile(r"(?:> [^\n]*\n)?(?:\*\*[^\n]+\*\*\n)?")
"""What stands above a reply that the bot itself speaks: what was asked, and whose words it says."""


async def amend(desk: Desk, turn: Turn, face: Face, noted: Progress, amended: Amended) -> bool:
    """Change the end of a reply, and take its Stop button away; False where nothing stands.

    Raises:
        DeliveryError: it could not be changed.
    """
    voice, standing = await Speaking(desk, turn, face, noted).found()
    if not standing:
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            return await _amend(desk, voice, standing[-1], noted, amended)
    except discord.NotFound:
        return True  # somebody removed it: nothing is to be said any more
    except FAILED as error:
        raise desk.refused(error, turn.place) from error


async def _amend(desk: Desk, voice: Voice, message: int, noted: Progress, amended: Amended) -> bool:
    there = await voice.read(message)
    offers = any(not is_stop(button) for button in there.buttons)
    found = None if voice.webhook is not None else _HEADER.match(there.content)
    header = found.group() if found is not None else ""
    own = there.content[len(header) :]
    complete = offers or (noted.final and not there.buttons)
    text = amended(own, LIMIT - units(header), complete=complete)
    if text is None:
        return True
    if not text:
        await voice.delete(message)
        return False
    ticket = desk.throttle.ask(voice.edit_route(message), Priority.FINAL)
    if not await desk.throttle.granted(ticket):
        raise DeliveryError("the change was given up")
    await voice.edit(message, f"{header}{text}", [], ticket)
    return True
