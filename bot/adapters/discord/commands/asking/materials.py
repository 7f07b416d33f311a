"""What a creative tool works on: a text, a file, or a message that the person can read."""

from __future__ import annotations

from typing import Any, Final

import discord

from bot.adapters.discord.reading.attachments import fetch_once
from bot.adapters.discord.reading.links import linked_message
from bot.adapters.discord.reading.mapping import clean_text
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
) -> tuple[str, tuple[Attachment, ...]]:
    """Return the text that was given, in whatever way, and the pictures.

    Raises:
        UserFacing: something of it can't be used; the text says what to do.
    """
    texts: list[str] = []
    if text is not None:
        texts.append(_own(text))
    files = [file] if file is not None else []
    if link is not None:
        message = await linked_message(interaction, link)
        if said := clean_text(message.content):
            texts.append(said)
        files += message.attachments
    fetched = await _fetched(files)
    texts += [_own_text(each) for each in fetched if is_textual(each)]
    if sum(map(len, texts)) > MOST:
        raise InvalidChoice(
            "That is too long: I take {most} characters. Give me a part of it.", most=f"{MOST:,}"
        )
    return "\n\n".join(texts), tuple(each for each in fetched if not is_textual(each))


async def _fetched(files: list[discord.Attachment]) -> list[Attachment]:
    if not files:
        return []
    read, unread = await fetch_once(files)
    if unread:
        raise InvalidChoice("I can't use that file: {file}.", file=unread[0])
    return list(read)


def _own(text: str) -> str:
    cleaned = clean_text(text)
    if not cleaned:
        raise InvalidChoice("The text is empty. Write something into it, or leave it out.")
    return cleaned


def _own_text(file: Attachment) -> str:
    cleaned = clean_text(file.content.decode("utf-8", "replace"), MOST + 1)
    if not cleaned:
        raise InvalidChoice("The file {name} is empty.", name=file.name)
    return cleaned
