"""Settings that hold more than one value in a string. What is wrong is said without quoting it."""

from __future__ import annotations

import base64
import binascii
import json
import re

KEY_BYTES = 32
KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")

MAX_HEADERS = 20
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
"""A token (RFC 9110, 5.6.2)."""
HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]{0,4094}[\x21-\x7e])?")
"""Visible characters, with spaces and tabs between: no line can be forged (RFC 9110, 5.5)."""
OWN_HEADERS = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "host", "te", "trailer",
     "transfer-encoding", "upgrade"}
)  # fmt: skip
"""Headers that say how a request is framed: ours alone."""


def read_keys(text: str) -> list[tuple[str, bytes]]:
    """Read `id:base64 of 32 bytes`, comma-separated, newest first.

    Raises:
        ValueError: with one line that never quotes a key.
    """
    keys: list[tuple[str, bytes]] = []
    for number, part in enumerate((p.strip() for p in text.split(",") if p.strip()), start=1):
        ident, _, encoded = part.partition(":")
        if not KEY_ID.fullmatch(ident):
            raise ValueError(f"key {number} needs an id: id:base64")
        try:
            secret = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            secret = b""
        if len(secret) != KEY_BYTES:
            raise ValueError(
                f"key {number} must be base64 of {KEY_BYTES} bytes: openssl rand -base64 32"
            )
        if ident in dict(keys):
            raise ValueError(f"key {number} repeats an id")
        keys.append((ident, secret))
    if not keys:
        raise ValueError("needs at least one key")
    return keys


def read_headers(text: str) -> dict[str, str]:
    """Read a JSON object of HTTP headers.

    Raises:
        ValueError: with one line that never quotes a value.
    """
    try:
        pairs = json.loads(text, object_pairs_hook=tuple)
    except (ValueError, RecursionError):
        pairs = None
    if not isinstance(pairs, tuple):
        example = '{"Authorization": "Bearer …"}'
        raise ValueError(f"must be JSON such as {example}")  # noqa: TRY004  # of pydantic's kind
    if len(pairs) > MAX_HEADERS:
        raise ValueError(f"may hold {MAX_HEADERS} headers at most")
    headers: dict[str, str] = {}
    for number, (name, value) in enumerate(pairs, start=1):
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"header {number} has a name that is none")
        if name.lower() in OWN_HEADERS:
            raise ValueError(f"{name} is set by Troupe itself")
        if name.lower() in {each.lower() for each in headers}:
            raise ValueError(f"{name} is given twice")
        if not isinstance(value, str) or not HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} must be a line of visible ASCII characters")
        headers[name] = value
    return headers
