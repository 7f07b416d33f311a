"""PNG and APNG files as rows of chunks: texts are read and written, image bytes pass untouched.

Written here because Pillow sees the card in only 18 of 67 real files without decoding the whole
image: half of them hold the text after the image data, and some are broken after it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.errors import CardRejected
from bot.personas.coerce import Notes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 65_536
MAX_TEXT = 16 * 2**20
"""Bytes of one text, after inflation. A zlib bomb is stopped here."""
MAX_TEXTS = 512

CARD_KEYWORDS = ("ccv3", "chara")
"""Keywords of the chunks that hold a card, best first."""
ASSET_KEYWORD = "chara-ext-asset_"
"""Prefix of the legacy chunks that hold a card's assets."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk. `damaged` when its checksum is wrong."""

    kind: bytes
    body: bytes
    damaged: bool = False

    def encoded(self) -> bytes:
        """Return the chunk as it stands in a file."""
        checksum = zlib.crc32(self.kind + self.body)
        return (
            struct.pack(">I", len(self.body)) + self.kind + self.body + struct.pack(">I", checksum)
        )


@dataclass(frozen=True, slots=True)
class Text:
    """A text chunk's keyword, as it was written, and its content."""

    keyword: str
    content: bytes


def is_png(data: bytes) -> bool:
    """Whether the bytes begin like a PNG."""
    return data.startswith(SIGNATURE)


def chunks_of(data: bytes, notes: Notes) -> list[Chunk]:
    """Return the chunks up to IEND, or up to where the file breaks off.

    Raises:
        CardRejected: there are absurdly many.
    """
    chunks: list[Chunk] = []
    position, end = len(SIGNATURE), len(data)
    while position + 8 <= end:
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        body_end = position + 8 + length
        if body_end + 4 > end or not kind.isalpha():
            break
        body = data[position + 8 : body_end]
        (checksum,) = struct.unpack_from(">I", data, body_end)
        chunks.append(Chunk(kind, body, zlib.crc32(body, zlib.crc32(kind)) != checksum))
        if len(chunks) > MAX_CHUNKS:
            raise CardRejected("The PNG has too many parts.")
        if kind == b"IEND":
            return chunks
        position = body_end + 4
    if data[position + 4 : position + 8] == b"IDAT":  # what there is of the picture is shown
        chunks.append(Chunk(b"IDAT", data[position + 8 :], damaged=True))
    notes.warn("the PNG is broken off or damaged: read up to there")
    return chunks


def texts_of(chunks: Iterable[Chunk], notes: Notes) -> Iterator[Text]:
    """Yield the readable texts: tEXt, zTXt, and iTXt also with a broken header.

    Raises:
        CardRejected: a text is larger than `MAX_TEXT` once inflated.
    """
    count = 0
    for chunk in chunks:
        if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        count += 1
        if count > MAX_TEXTS:
            notes.warn("the PNG has very many texts: the others were not read")
            return
        keyword, _, rest = chunk.body.partition(b"\0")
        if len(keyword) > 300:
            continue
        content = _content(chunk.kind, rest, notes)
        if content is not None:
            yield Text(keyword.decode("latin-1").strip(), content)


def _content(kind: bytes, rest: bytes, notes: Notes) -> bytes | None:
    if kind == b"tEXt":
        return _bounded(rest)
    if kind == b"zTXt":
        return _inflate(rest[1:], notes)
    compressed, fields = rest[:1], rest[2:].split(b"\0", 2)
    if len(fields) == 3 and compressed in (b"\0", b"\1"):
        return _inflate(fields[2], notes) if compressed == b"\1" else _bounded(fields[2])
    # Some writers leave out a NUL of the header (11 chunks in 9 files of one dump): the text
    # begins where JSON does, or is all that follows the NULs.
    notes.warn("a PNG text has a broken header: read all the same")
    brace = rest.find(b"{")
    return _bounded(rest[brace:] if brace >= 0 else rest.lstrip(b"\0\1"))


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_TEXT:
        raise CardRejected("The PNG holds a text of more than {size} MB.", size=MAX_TEXT // 2**20)
    return content


def _inflate(packed: bytes, notes: Notes) -> bytes | None:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(packed, MAX_TEXT + 1)
    except zlib.error:
        notes.warn("a compressed PNG text can't be unpacked: left out")
        return None
    return _bounded(content)


def is_card_text(chunk: Chunk) -> bool:
    """Whether a chunk holds a card or one of its legacy assets, in any letter case."""
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return False
    keyword = chunk.body.partition(b"\0")[0].decode("latin-1").strip().lower()
    return keyword in CARD_KEYWORDS or keyword.startswith(ASSET_KEYWORD)


def card_follows_picture(chunks: Iterable[Chunk]) -> bool:
    """Whether a card's text comes later than the image data, where many readers don't look."""
    begun = False
    for chunk in chunks:
        begun = begun or chunk.kind == b"IDAT"
        if begun and is_card_text(chunk):
            return True
    return False


def picture_of(chunks: Iterable[Chunk]) -> bytes | None:
    """Return the file without the card; None when there is no image in it."""
    kept = [chunk for chunk in chunks if not is_card_text(chunk)]
    if not any(chunk.kind == b"IHDR" for chunk in kept) or not any(
        chunk.kind == b"IDAT" for chunk in kept
    ):
        return None
    if kept[-1].kind != b"IEND":
        kept.append(Chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunk.encoded() for chunk in kept)


def with_texts(picture: bytes, texts: Iterable[Text]) -> bytes:
    """Return a picture with these tEXt chunks at its beginning, in place of any card in it.

    There every reader finds them: some stop at the image data.
    """
    chunks = [each for each in chunks_of(picture, Notes()) if not is_card_text(each)]
    closing = Chunk(b"IEND", b"")
    body = [chunk for chunk in chunks if chunk.kind != b"IEND"]
    added = [
        Chunk(b"tEXt", each.keyword.encode("latin-1") + b"\0" + each.content) for each in texts
    ]
    return SIGNATURE + b"".join(
        chunk.encoded() for chunk in [*body[:1], *added, *body[1:], closing]
    )


def blank_picture(size: int = 64, colour: tuple[int, int, int] = (88, 101, 242)) -> bytes:
    """Return a plain square, for a card that has no picture of its own."""
    row = b"\0" + bytes(colour) * size
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = (
        Chunk(b"IHDR", header),
        Chunk(b"IDAT", zlib.compress(row * size, 9)),
        Chunk(b"IEND", b""),
    )
    return SIGNATURE + b"".join(chunk.encoded() for chunk in chunks)
