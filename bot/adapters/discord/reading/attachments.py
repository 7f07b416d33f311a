"""Files that come with a message: images for models that see, and text. Bounded in every way."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Sequence
from typing import Final

import aiohttp
import discord
import structlog

from bot.adapters.discord.reading.mapping import clean_name
from bot.adapters.discord.reading.pictures import dimensions, fits
from bot.chat.preparing import files as reasons
from bot.chat.preparing.files import unread
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
    left = [each for each in results if isinstance(each, str)]
    left += [unread(_name(file), reasons.TOO_MANY) for file in files[MAX_FILES:10]]
    return read, tuple(left)


async def fetch_once(
    files: Sequence[discord.Attachment],
) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """Do what `fetch` does, over a connection of its own: for a command, which has few files."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        return await fetch(session, files)


async def _fetch(session: aiohttp.ClientSession, file: discord.Attachment) -> Attachment | str:
    name = _name(file)
    media_type = _media_type(file)
    if media_type is None:
        return unread(name, reasons.UNREADABLE)
    textual = media_type.startswith("text/")
    limit = MAX_TEXT_BYTES if textual else MAX_IMAGE_BYTES
    too_large = unread(name, reasons.TOO_LARGE_TEXT if textual else reasons.TOO_LARGE_IMAGE)
    if file.size > limit:
        return too_large
    try:
        async with asyncio.timeout(TIMEOUT), session.get(file.url) as response:
            if response.status != 200:
                return unread(name, reasons.NOT_FETCHED)
            content = await _bounded(response.content, limit)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        log.info("attachment not fetched", reason=type(error).__name__)
        return unread(name, reasons.NOT_FETCHED)
    if content is None:
        return too_large
    if textual:
        text = await asyncio.to_thread(_as_utf8, content)
        return (
            unread(name, reasons.NOT_TEXT) if text is None else Attachment(name, media_type, text)
        )
    if not content.startswith(_IMAGES[media_type]):
        return unread(name, reasons.NOT_WHAT_IT_SAYS)
    size = dimensions(content, media_type)
    if size is None:
        return unread(name, reasons.DAMAGED)
    return Attachment(name, media_type, content) if fits(size) else too_large


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


def _as_utf8(content: bytes) -> bytes | None:
    """Return a text as UTF-8 without a byte order mark; None when it is none, or in another code.

    UTF-16 is taken with its mark only: without one nobody can tell.
    """
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not utf16 and b"\x00" in content:
        return None
    try:
        return content.decode("utf-16" if utf16 else "utf-8-sig").encode()
    except UnicodeError:
        return None
