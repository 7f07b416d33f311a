"""What a creative tool works on: a text, a file, or a message that the person can read."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import discord

from bot.adapters.discord.attachments import fetch
from bot.adapters.discord.links import linked_message
from bot.adapters.discord.mapping import clean_text
from bot.chat.turn import Attachment
from bot.errors import InvalidChoice
from bot.prompting.late import is_textual

MOST: Final = 8_000
"""Characters of material, all together."""


async def material_of(
    interaction: discord.Interaction[Any],
    text: str | None,
    file: discord.Attachment | None,
    link: str | None,
) -> tuple[Attachment, ...]:
    """Return what was given as quoted files: it is read, and gives no orders.

    Raises:
        UserFacing: something of it can't be used; the text says what to do.
    """
    found: list[Attachment] = []
    if text is not None:
        found.append(_quoted("text", text))
    files = [file] if file is not None else []
    if link is not None:
        message = await linked_message(interaction, link)
        if clean_text(message.content):
            found.append(_quoted("message", message.content))
        files += message.attachments
    found += await _fetched(files)
    size = sum(len(each.content.decode("utf-8", "replace")) for each in found if is_textual(each))
    if size > MOST:
        raise InvalidChoice(
            "That is too long: {size} characters, and I take {most}. Give me a part of it.",
            size=f"{size:,}",
            most=f"{MOST:,}",
        )
    return tuple(found)


async def _fetched(files: list[discord.Attachment]) -> list[Attachment]:
    if not files:
        return []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        read, unread = await fetch(session, files)
    if unread:
        raise InvalidChoice("I can't use that file: {file}.", file=unread[0])
    for each in read:
        if is_textual(each) and not clean_text(each.content.decode("utf-8", "replace")):
            raise InvalidChoice("The file {name} is empty.", name=each.name)
    return list(read)


def _quoted(name: str, text: str) -> Attachment:
    cleaned = clean_text(text, MOST + 1)
    if not cleaned:
        raise InvalidChoice("The text is empty. Write something into it, or leave it out.")
    return Attachment(name, "text/plain", cleaned.encode("utf-8", "replace"))
