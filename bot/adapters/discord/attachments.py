"""Files that come with a message: images for models that see, and text. Bounded in every way."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Sequence
from typing import Final

import aiohttp
import discord
import structlog

from bot.adapters.discord.mapping import clean_name
from bot.chat.turn import Attachment

log = structlog.get_logger(__name__)

MAX_FILES: Final = 4
MAX_IMAGE_BYTES: Final = 8 * 1024 * 1024
MAX_TEXT_BYTES: Final = 256 * 1024
TIMEOUT: Final = 8.0
"""Seconds for all files of a message together."""

_IMAGES: Final = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/webp": (b"RIFF",),
}
"""First bytes by type: what a file is called proves nothing."""
_TEXT_ENDINGS: Final = tuple(
    """.txt .md .rst .csv .tsv .json .jsonl .yaml .yml .toml .ini .cfg .log .xml .html .css .js .ts
    .py .rs .go .c .h .cpp .hpp .java .kt .rb .php .sh .sql .lua .patch .diff .tex""".split()  # noqa: SIM905  # a list would take forty lines
)


async def fetch(
    session: aiohttp.ClientSession, files: Sequence[discord.Attachment]
) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """Return what could be read, and the name of each other file with the reason.

    Never raises: a question is worth answering without its picture. Addresses of Discord's CDN
    expire, so files are fetched at once and the address is not kept.
    """
    results = await asyncio.gather(*(_fetch(session, file) for file in files[:MAX_FILES]))
    read = tuple(each for each in results if isinstance(each, Attachment))
    unread = [each for each in results if isinstance(each, str)]
    unread += [f"{_name(file)} (more than {MAX_FILES} files)" for file in files[MAX_FILES:10]]
    return read, tuple(unread)


async def _fetch(session: aiohttp.ClientSession, file: discord.Attachment) -> Attachment | str:
    name = _name(file)
    media_type = _media_type(file)
    if media_type is None:
        return f"{name} (not an image or a text)"
    limit = MAX_TEXT_BYTES if media_type.startswith("text/") else MAX_IMAGE_BYTES
    if file.size > limit:
        return f"{name} (larger than {limit // 1024} KB)"
    try:
        async with asyncio.timeout(TIMEOUT), session.get(file.url) as response:
            if response.status != 200:
                return f"{name} (could not be fetched)"
            content = await _bounded(response.content, limit)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        log.info("attachment not fetched", reason=type(error).__name__)
        return f"{name} (could not be fetched)"
    if content is None:
        return f"{name} (larger than {limit // 1024} KB)"
    if not _is_what_it_says(content, media_type):
        return f"{name} (its content is something else)"
    return Attachment(name, media_type, content)


async def _bounded(stream: aiohttp.StreamReader, limit: int) -> bytes | None:
    """Read a body of at most `limit` bytes; None when there is more, whatever was announced."""
    body = bytearray()
    async for chunk in stream.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _name(file: discord.Attachment) -> str:
    return clean_name(file.filename, "file")


def _media_type(file: discord.Attachment) -> str | None:
    """Return the type that a file is read as; None for what is not read at all."""
    announced = (file.content_type or "").split(";")[0].strip().lower()
    if announced in _IMAGES:
        return announced
    if announced.startswith("text/") or announced in ("application/json", "application/xml"):
        return "text/plain"
    return "text/plain" if file.filename.lower().endswith(_TEXT_ENDINGS) else None


def _is_what_it_says(content: bytes, media_type: str) -> bool:
    starts = _IMAGES.get(media_type)
    if starts is not None:
        return content.startswith(starts)
    if b"\x00" in content:
        return False
    try:
        codecs.decode(content, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
