"""Pictures of cards: the small square beside a persona's messages, and other formats as PNG.

Pictures come from strangers: only known formats, a bound on pixels before anything is decoded, and
one at a time. Decoding is bound to a processor: call it from a thread.
"""

from __future__ import annotations

import io
import re
import struct
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.personas.coerce import Notes
from bot.personas.png import chunks_of, is_png, tail_of

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_PIXELS = 25_000_000
"""Decoded, these take 100 MB for a moment. Real cards have 1 to 6 million."""
SIDES = (256, 192, 128)
"""Pixels of the square, largest first."""
MAX_BYTES = 256 * 1024
"""Largest emoji (Discord, "Application-Owned Emoji"); the smallest square always fits."""
SMALL = 32 * 1024
"""Bytes; larger ones may gain from being made anew."""
PICTURE = re.compile(rb"IHDR(?:PLTE|tRNS|gAMA|sRGB|pHYs)*(?:IDAT)+IEND")
_FACE = (0.5, 0.15)
"""What is kept of a tall picture: heads are near the top."""

_one_at_a_time = threading.Lock()


def portrait(picture: bytes) -> bytes | None:
    """Return a square PNG of at most `MAX_BYTES`; None when the picture can't be shown."""
    if _is_portrait(picture):
        return picture
    return _safely(_square, picture)


def as_png(picture: bytes) -> bytes | None:
    """Return a picture as a PNG of the same size; None when it can't be read."""
    return _safely(lambda data: _png(_decoded(data)), picture)


def _safely(make: Callable[[bytes], bytes | None], picture: bytes) -> bytes | None:
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's about bombs: the bound here is stricter
        try:
            return make(picture)
        except Exception:  # noqa: BLE001  # Pillow raises whatever a broken file makes it raise
            return None


def _is_portrait(picture: bytes) -> bool:
    """Whether this is what we would make of it: a small, square, sound PNG without any text."""
    if len(picture) > SMALL or not is_png(picture):
        return False
    chunks = chunks_of(picture, Notes())
    if not PICTURE.fullmatch(b"".join(chunk.kind for chunk in chunks)):
        return False
    if len(chunks[0].body) != 13:
        return False
    width, height = struct.unpack(">II", chunks[0].body[:8])
    sound = not any(chunk.damaged for chunk in chunks)
    ends = not tail_of(picture, chunks, Notes())
    return sound and ends and 0 < width == height <= SIDES[0]


def _square(picture: bytes) -> bytes | None:
    from PIL import Image, ImageOps

    whole = _decoded(picture, enough=SIDES[0] * 2)
    for side in SIDES:
        square = ImageOps.fit(whole, (side, side), Image.Resampling.LANCZOS, centering=_FACE)
        data = _png(square)
        if len(data) <= MAX_BYTES:
            return data
    return None


def _decoded(picture: bytes, enough: int | None = None) -> Image.Image:
    """Return a picture the right way up. A JPEG need not be decoded larger than `enough`."""
    # Imported here: who shows no picture need not pay 8 MiB for it.
    from PIL import Image, ImageFile, ImageOps

    # Some real cards break off within the picture: what is there is shown.
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    with Image.open(io.BytesIO(picture), formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("too many pixels")
        if enough is not None:
            image.draft("RGB", (enough, enough))
        upright = ImageOps.exif_transpose(image)
        return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
