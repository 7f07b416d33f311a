"""Card files, made by hand: every container, well formed and not."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from typing import Any

from bot.personas.png import SIGNATURE, blank_picture

PICTURE = blank_picture(8)


def v1(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Sera",
        "description": "An elf.",
        "personality": "kind",
        "scenario": "A glade.",
        "first_mes": "Hello, {{user}}.",
        "mes_example": "<START>\n{{user}}: hi\n{{char}}: hello",
        **fields,
    }


def v2(**fields: Any) -> dict[str, Any]:
    data = {
        **v1(),
        "creator_notes": "",
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": ["Again!"],
        "tags": ["elf"],
        "creator": "me",
        "character_version": "1",
        "extensions": {},
        **fields,
    }
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": data}


def v3(**fields: Any) -> dict[str, Any]:
    card = v2(**{"group_only_greetings": [], **fields})
    return {**card, "spec": "chara_card_v3", "spec_version": "3.0"}


def entry(**fields: Any) -> dict[str, Any]:
    return {
        "keys": ["forest"],
        "content": "Trees.",
        "extensions": {},
        "enabled": True,
        "insertion_order": 10,
        "use_regex": False,
        **fields,
    }


def book(*entries: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"extensions": {}, "entries": list(entries), **fields}


def as_json(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


def packed(tree: Any) -> bytes:
    return base64.b64encode(as_json(tree))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes, after: bool = False) -> bytes:
    """Return a picture with chunks after its header, or after its image data."""
    header_end = len(SIGNATURE) + 25
    at = len(PICTURE) - 12 if after else header_end
    return PICTURE[:at] + b"".join(chunks) + PICTURE[at:]


def text_chunk(keyword: str, content: bytes, kind: str = "tEXt") -> bytes:
    head = keyword.encode("latin-1") + b"\0"
    if kind == "zTXt":
        return chunk(b"zTXt", head + b"\0" + zlib.compress(content))
    if kind == "iTXt":
        return chunk(b"iTXt", head + b"\0\0\0\0" + content)
    if kind == "iTXt packed":
        return chunk(b"iTXt", head + b"\1\0\0\0" + zlib.compress(content))
    if kind == "iTXt short":
        return chunk(b"iTXt", head + b"\0\0\0" + content)
    return chunk(b"tEXt", head + content)


def charx(tree: Any, files: dict[str, bytes] | None = None, prefix: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", as_json(tree))
        for name, content in (files or {}).items():
            archive.writestr(name, content)
    return prefix + buffer.getvalue()
