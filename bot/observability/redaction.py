"""What must never reach a log line: texts of people, secrets, forged lines."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

from pydantic import SecretStr, ValidationError

from bot.errors import UserFacing

REDACTED = "[redacted]"
MAX_TEXT = 2_000
"""Characters of one value."""
MAX_ITEMS = 32
MAX_DEPTH = 4
MAX_FRAMES = 24
MAX_CHAIN = 4

_FORBIDDEN = frozenset(
    (
        *("content", "contents", "text", "texts", "prompt", "reply", "replies", "said", "nonce"),
        *("message", "messages", "body", "payload", "query", "memory", "memories", "embeds"),
        *("token", "tokens", "secret", "secrets", "password", "passwd", "authorization", "auth"),
        *("cookie", "cookies", "key", "keys", "header", "headers"),
    )
)
"""Words that make a key's value suspect; numbers and flags under such a key are harmless."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # redis://user:password@host, https://key@host: who it is goes too, for a key looks the same
    (re.compile(r"(\w://)[^/\s]{1,600}@"), r"\1***@"),
    # Discord: /webhooks/ID/TOKEN and /interactions/ID/TOKEN
    (re.compile(r"(/(?:webhooks|interactions)/\d{1,20}/)[\w-]{20,300}"), r"\1***"),
    # Discord bot token: base64 of the id, a time, a signature
    (re.compile(r"\b[\w-]{18,40}\.[\w-]{6}\.[\w-]{25,110}\b"), "***"),
    (re.compile(r"\b(Bearer|Bot|Basic)\s+[\w.~+/=-]{8,512}", re.IGNORECASE), r"\1 ***"),
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?", re.DOTALL)
"""What Python's own errors quote, such as `invalid literal for int() with base 10: 'my diary'`."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")

EventDict = MutableMapping[str, Any]


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Guard every value of a log line; the last processor before the renderer."""
    for key in list(event):
        if key in {"event", "level", "logger", "timestamp"}:
            event[key] = scrub(str(event[key]))
        elif key in {"exception", "stack"}:
            event[key] = str(event[key])[:20_000]
        else:
            event[key] = _guard(key, event[key], 0)
    return event


def scrub(text: str) -> str:
    """Return the text without credentials and control characters, and not too long."""
    text = text[:MAX_TEXT] + ("…" if len(text) > MAX_TEXT else "")
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return _CONTROL.sub(lambda found: repr(found.group())[1:-1], text)


def is_suspect(key: str) -> bool:
    """Whether a value under this key may be a secret or somebody's text."""
    return any(word.lower() in _FORBIDDEN for word in _WORDS.findall(key))


def _guard(key: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, SecretStr) or is_suspect(key):
        return REDACTED
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth >= MAX_DEPTH:
        return "[…]"
    if isinstance(value, Mapping):
        items = list(value.items())[:MAX_ITEMS]
        return {scrub(str(k)): _guard(str(k), v, depth + 1) for k, v in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [_guard(key, item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    if isinstance(value, BaseException):
        return describe(value)
    return scrub(str(value))


def describe(error: BaseException) -> str:
    """Return an error's type and message, without the input that a stranger gave."""
    name = type(error).__name__
    if isinstance(error, ValidationError):
        # Its own text quotes the input.
        return f"{name}: {error.error_count()} problems in {scrub(error.title)}"
    if isinstance(error, UserFacing):
        # Its text is for the person and may quote them.
        return f"{name}: {scrub(error.source)}"
    text = str(error)
    if isinstance(error, ValueError | LookupError) and type(error).__module__ == "builtins":
        # Raised for a value, which they quote; that may be somebody's text.
        text = _QUOTED.sub("'…'", text)
    return f"{name}: {scrub(text)}" if text else name


def _is_raised_from(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def safe_traceback(exc_info: ExcInfo) -> str:
    """Return the frames of an error and its causes, innermost last, without local values."""
    chain: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(chain) < MAX_CHAIN:
        frames = traceback.format_tb(error.__traceback__, limit=-MAX_FRAMES)
        lines = ["Traceback (most recent call last):\n", *frames, describe(error)]
        if isinstance(error, BaseExceptionGroup):
            lines += [f"\n  + {describe(each)}" for each in error.exceptions[:MAX_ITEMS]]
        chain.append("".join(lines))
        error = _is_raised_from(error)
    return "\n\nwhich was caused by:\n\n".join(chain)
