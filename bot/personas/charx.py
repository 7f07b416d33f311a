"""CHARX: a zip whose root holds `card.json`, with assets beside it.

Members are read into memory by name and never written to a path; a prefix before the zip (a JPEG,
a self-extractor) is skipped.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from bot.errors import CardRejected
from bot.personas.coerce import Notes

CARD_NAME = "card.json"
MAX_CARD = 16 * 2**20
MAX_MEMBERS = 2_000
MAX_FILE = 16 * 2**20
MAX_TOTAL = 64 * 2**20
"""Bytes of all members together, unpacked."""
MAX_RECORDS = 10 * MAX_MEMBERS
"""Signs of a member in the bytes, before anything is built from them; assets may hold zips too."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What can be unpacked a piece at a time: 600 bytes of bzip2 or LZMA become a gigabyte at once."""
_RECORD = b"PK\x01\x02"
_STAMP = (1980, 1, 1, 0, 0, 0)
"""The same card makes the same file, whenever it is written."""


def is_charx(data: bytes) -> bool:
    """Whether there is a zip in the bytes, at the start or after a prefix."""
    return zipfile.is_zipfile(io.BytesIO(data))


def begins_at(data: bytes) -> int:
    """Return the bytes of the prefix: what stands before the first member.

    Raises:
        zipfile.BadZipFile: it is damaged; `unpack` would have said so.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return max(0, min(each.header_offset for each in archive.infolist()))


def unpack(data: bytes, notes: Notes) -> tuple[bytes, dict[str, bytes]]:
    """Return `card.json`, and the other members by their path.

    Raises:
        CardRejected: it is damaged, encrypted or too large, or has no card.
    """
    if data.count(_RECORD) > MAX_RECORDS:
        raise _too_many()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise _too_many()
            card = next((each for each in members if each.filename == CARD_NAME), None)
            if card is None:
                raise CardRejected("The CHARX has no card.json at its root.")
            content = _read(archive, card, MAX_CARD)
            return content, _others(archive, members, len(content), notes)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise CardRejected("The CHARX can't be unpacked: it is damaged.") from error
    except (RuntimeError, NotImplementedError) as error:
        raise CardRejected("The CHARX is encrypted, or packed in a way I can't read.") from error


def _too_many() -> CardRejected:
    return CardRejected("The CHARX has more than {members} files.", members=f"{MAX_MEMBERS:,}")


def _others(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], used: int, notes: Notes
) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for member in members:
        name = member.filename
        if name == CARD_NAME or member.is_dir():
            continue
        if not is_plain_path(name):
            notes.warn("the CHARX holds a file whose path leads outside: left out")
            continue
        if member.file_size > MAX_FILE:
            notes.warn(f"the CHARX holds a file of more than {MAX_FILE // 2**20} MB: left out")
            continue
        content = _read(archive, member, min(MAX_FILE, MAX_TOTAL - used))
        used += len(content)
        files[name] = content
    return files


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """Read one member, trusting what comes out rather than what its header says."""
    if member.compress_type not in _METHODS:
        raise CardRejected(
            "The CHARX is packed with another method than zip's usual one (deflate). Export the "
            "card again, or pack it anew."
        )
    with archive.open(member) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise CardRejected("The CHARX unpacks to more than I accept.")
    return content


def is_plain_path(name: str) -> bool:
    """Whether a member's path stays inside the archive."""
    path = PurePosixPath(name)
    return not (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in name
        or ":" in name
        or "\0" in name
        or not name.strip()
        or len(name) > 500
    )


def pack(card: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return a CHARX of a card and its assets."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in ((CARD_NAME, card), *sorted(files.items())):
            if name == CARD_NAME and content is not card:
                continue
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()
