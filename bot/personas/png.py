"""PNG and APNG files as rows of chunks: texts are read and written, image bytes pass untouched.

Written here because Pillow sees the card in only 18 of 67 real files without decoding the whole
image: half of them hold the text after the image data, and some are broken after it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.errors import CardRejected
from bot.personas.coerce import Notes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 65_536
MAX_TEXT = 16 * 2**20
"""Bytes of one text, after inflation. A zlib bomb is stopped here."""
MAX_TEXTS = 512
"""Texts with a card that are looked at."""
MAX_ASSETS = 2_000
"""As many as a CHARX may hold. They have a bound of their own: the card may stand behind them."""
MAX_INFLATED = 64 * 2**20
"""Bytes of all texts of one file together, after inflation."""
MAX_TAIL = 2**20
"""Bytes after the end of the picture that an export keeps."""

CARD_KEYWORDS = ("ccv3", "chara")
"""Keywords of the chunks that hold a card, best first."""
MAX_KEYWORD = 300
"""Bytes in which a keyword's end is looked for; the specification allows 79."""
ASSET_KEYWORD = "chara-ext-asset_"
"""Prefix of the legacy chunks that hold a card's assets."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk. `checksum` is the one it was read with; without it the right one counts."""

    kind: bytes
    body: bytes
    checksum: int | None = None
    cut: bool = False
    """The file broke off within it."""

    @property
    def damaged(self) -> bool:
        """Whether its checksum is wrong, or the file broke off within it."""
        return self.cut or self.checksum not in (None, self._right())

    def encoded(self) -> bytes:
        """Return the chunk as it stood in its file, a wrong checksum included."""
        checksum = self._right() if self.checksum is None else self.checksum
        return (
            struct.pack(">I", len(self.body)) + self.kind + self.body + struct.pack(">I", checksum)
        )

    def _right(self) -> int:
        return zlib.crc32(self.body, zlib.crc32(self.kind))


@dataclass(frozen=True, slots=True)
class Text:
    """A text's keyword, as it was written, and its content."""

    keyword: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PackedText:
    """A text as it stands in a file: nothing is inflated yet."""

    keyword: str
    kind: bytes
    rest: bytes
    """What follows the keyword in the chunk."""


@dataclass(slots=True)
class Inflation:
    """What one file's texts may still become when they are inflated."""

    left: int = MAX_INFLATED


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
        chunks.append(Chunk(kind, body, checksum))
        if len(chunks) > MAX_CHUNKS:
            raise CardRejected("The PNG has too many parts.")
        if kind == b"IEND":
            return chunks
        position = body_end + 4
    if data[position + 4 : position + 8] == b"IDAT":  # what there is of the picture is shown
        chunks.append(Chunk(b"IDAT", data[position + 8 :], cut=True))
    notes.warn("the PNG is broken off or damaged: read up to there")
    return chunks


def tail_of(data: bytes, chunks: Sequence[Chunk], notes: Notes) -> bytes:
    """Return what stands after the end of the picture, unless it is very much."""
    if not chunks or chunks[-1].kind != b"IEND":
        return b""
    tail = data[len(SIGNATURE) + sum(12 + len(each.body) for each in chunks) :]
    if len(tail) <= MAX_TAIL:
        return tail
    notes.warn(f"more than {MAX_TAIL // 2**20} MB stand after the PNG's end: an export omits them")
    return b""


def texts_of(chunks: Iterable[Chunk], notes: Notes) -> Iterator[PackedText]:
    """Yield the texts that hold a card or its assets, not yet unpacked."""
    left = {True: MAX_TEXTS, False: MAX_ASSETS}
    for chunk in filter(is_card_text, chunks):
        name, _, rest = chunk.body.partition(b"\0")
        keyword = name.decode("latin-1").strip()
        is_card = keyword.lower() in CARD_KEYWORDS
        if not left[is_card]:
            notes.warn("the PNG has very many texts: the others were not read")
            continue
        left[is_card] -= 1
        yield PackedText(keyword, chunk.kind, rest)


def unpack(text: PackedText, inflation: Inflation, notes: Notes) -> bytes | None:
    """Return a text's content: of tEXt, zTXt, and iTXt also with a broken header. None when it
    can't be inflated.

    Raises:
        CardRejected: it is larger than `MAX_TEXT`, or all of the file are than `MAX_INFLATED`.
    """
    rest = text.rest
    if text.kind == b"tEXt":
        return _bounded(rest)
    if text.kind == b"zTXt":
        return _inflate(rest[1:], inflation, notes)
    compressed, fields = rest[:1], rest[2:].split(b"\0", 2)
    if len(fields) == 3 and compressed in (b"\0", b"\1"):
        packed = compressed == b"\1"
        return _inflate(fields[2], inflation, notes) if packed else _bounded(fields[2])
    # Some writers leave out a NUL of the header (11 chunks in 9 files of one dump): the text
    # begins where JSON does, or is all that follows the NULs.
    notes.warn("a PNG text has a broken header: read all the same")
    brace = rest.find(b"{")
    return _bounded(rest[brace:] if brace >= 0 else rest.lstrip(b"\0\1"))


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_TEXT:
        raise CardRejected("The PNG holds a text of more than {size} MB.", size=MAX_TEXT // 2**20)
    return content


def _inflate(packed: bytes, inflation: Inflation, notes: Notes) -> bytes | None:
    most = min(MAX_TEXT, max(0, inflation.left)) + 1
    try:
        content = zlib.decompressobj().decompress(packed, most)
    except zlib.error:
        inflation.left -= len(packed)
        notes.warn("a compressed PNG text can't be unpacked: left out")
        return None
    inflation.left -= len(content)
    if inflation.left < 0:
        raise CardRejected(
            "The PNG's texts unpack to more than {size} MB.", size=MAX_INFLATED // 2**20
        )
    return _bounded(content)


def is_card_text(chunk: Chunk) -> bool:
    """Whether a chunk holds a card or one of its legacy assets, in any letter case."""
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt"):
        return False
    keyword = chunk.body[:MAX_KEYWORD].partition(b"\0")[0].decode("latin-1").strip().lower()
    return keyword in CARD_KEYWORDS or keyword.startswith(ASSET_KEYWORD)


def card_follows_picture(chunks: Iterable[Chunk]) -> bool:
    """Whether a card's text comes later than the image data, where many readers don't look."""
    begun = False
    for chunk in chunks:
        begun = begun or chunk.kind == b"IDAT"
        if begun and is_card_text(chunk):
            return True
    return False


def picture_of(chunks: Iterable[Chunk], tail: bytes = b"") -> bytes | None:
    """Return the file without the card, `tail` at its end; None when there is no image in it."""
    kept = [chunk for chunk in chunks if not is_card_text(chunk)]
    if not any(chunk.kind == b"IHDR" for chunk in kept) or not any(
        chunk.kind == b"IDAT" for chunk in kept
    ):
        return None
    if kept[-1].kind != b"IEND":
        kept.append(Chunk(b"IEND", b""))
    return SIGNATURE + b"".join(chunk.encoded() for chunk in kept) + tail


def with_texts(picture: bytes, texts: Iterable[Text]) -> bytes:
    """Return a picture with these tEXt chunks at its beginning, in place of any card in it.

    There every reader finds them: some stop at the image data.
    """
    chunks = chunks_of(picture, Notes())
    tail = tail_of(picture, chunks, Notes())
    kept = [each for each in chunks if not is_card_text(each)]
    if not kept or kept[-1].kind != b"IEND":
        kept.append(Chunk(b"IEND", b""))
    added = [
        Chunk(b"tEXt", each.keyword.encode("latin-1") + b"\0" + each.content) for each in texts
    ]
    ordered = [*kept[:1], *added, *kept[1:]]
    return SIGNATURE + b"".join(chunk.encoded() for chunk in ordered) + tail


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
