"""How large a picture is, read from its first bytes: nothing is decoded to find out."""

from __future__ import annotations

import re
import struct
from typing import Final

MAX_SIDE: Final = 8192
MAX_PIXELS: Final = 40_000_000
"""A small file can hold a picture that takes gigabytes once a model's host decodes it."""
_SEGMENTS: Final = 200
_PADDING: Final = re.compile(rb"\xff{1,1024}(?=\xff)")
"""Fill bytes before a marker; a file of nothing else must not keep us busy."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that begin a frame (ITU T.81, table B.1)."""


def fits(size: tuple[int, int]) -> bool:
    """Whether a picture of this width and height has no more pixels than may be decoded."""
    width, height = size
    return width <= MAX_SIDE and height <= MAX_SIDE and width * height <= MAX_PIXELS


def dimensions(content: bytes, media_type: str) -> tuple[int, int] | None:
    """Return width and height in pixels; None when the bytes are no picture of this type."""
    read = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}.get(media_type)
    try:
        size = read(content) if read is not None else None
    except (struct.error, IndexError):
        return None
    return None if size is None or 0 in size else size


def _png(content: bytes) -> tuple[int, int] | None:
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _jpeg(content: bytes) -> tuple[int, int] | None:
    if content[:2] != b"\xff\xd8":
        return None
    at = 2
    for _ in range(_SEGMENTS):
        if (padding := _PADDING.match(content, at)) is not None:
            at = padding.end()
        if content[at] != 0xFF or content[at + 1] == 0xFF:
            return None
        marker, length = content[at + 1], struct.unpack_from(">H", content, at + 2)[0]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + length
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    kind = content[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        return width, int.from_bytes(content[27:30], "little") + 1
    if kind == b"VP8L" and content[20] == 0x2F:
        bits = struct.unpack_from("<I", content, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
