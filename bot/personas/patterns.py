"""JavaScript's regular expressions, as cards hold them, compiled for Python.

Lorebook keys and regex scripts were written for SillyTavern. Most of the two languages is the
same; what reads differently is rewritten here, and what JavaScript would refuse is refused. On
purpose `\\w`, `\\d` and `\\b` go by Unicode, where JavaScript knows ASCII only: words of any
language then count as words.
"""

from __future__ import annotations

import re
from functools import lru_cache

import regex

MAX_PATTERN = 2_000
"""Characters of a stranger's pattern."""
FLAGS = "gimsuy"

_WRITTEN = re.compile(rf"/((?:[^/\\]|\\.)+)/([{FLAGS}]*)", re.DOTALL)
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}
_COUNT = re.compile(r"\{\d{1,9}(?:,\d{0,9})?\}")
_CODE_POINT = re.compile(r"u\{([0-9a-fA-F]{1,6})\}")
_NAME = re.compile(r"k<(\w{1,40})>")
_PROPERTY = re.compile(r"[pP]\{[A-Za-z_=]{1,60}\}")
_KNOWN_ESCAPES = frozenset("bBdDsSwWfnrtvxu0123456789")
"""Letters and digits that mean the same after a backslash in both languages."""
_ERRORS = (regex.error, OverflowError, RecursionError, ValueError, MemoryError)


def written(text: str) -> tuple[str, str] | None:
    """Return pattern and flags of a text written `/pattern/flags`; None if it is not."""
    found = _WRITTEN.fullmatch(text.strip())
    return None if found is None else (found[1], found[2])


@lru_cache(maxsize=4_096)
def compile_javascript(pattern: str, flags: str) -> regex.Pattern[str] | None:
    """Compile a JavaScript pattern; None when it is invalid or too long."""
    if len(pattern) > MAX_PATTERN or len(set(flags)) < len(flags) or set(flags) - set(FLAGS):
        return None
    number = regex.VERSION0
    for flag in flags:
        number |= _FLAGS.get(flag, regex.VERSION0)
    try:
        ours = "".join(_Translation(pattern, multiline="m" in flags).run())
        return regex.compile(rf"\A(?:{ours})" if "y" in flags else ours, number)
    except _ERRORS:
        return None


class _Translation:
    """One pattern on its way from JavaScript to Python."""

    def __init__(self, pattern: str, *, multiline: bool) -> None:
        self._pattern = pattern
        self._multiline = multiline
        self._at = 0

    def run(self) -> list[str]:
        """Return the pieces of the pattern.

        Raises:
            ValueError: JavaScript knows no such pattern.
        """
        pieces: list[str] = []
        repeats = False
        while self._at < len(self._pattern):
            sign = self._pattern[self._at]
            count = _COUNT.match(self._pattern, self._at) if sign == "{" else None
            if sign in "*+?" or count is not None:
                if repeats:
                    raise ValueError("nothing to repeat")  # no possessive ones in JavaScript
                pieces.append(self._repeat(count[0] if count else sign))
                repeats = True
                continue
            repeats = False
            pieces.append(self._one(sign))
        return pieces

    def _repeat(self, sign: str) -> str:
        self._at += len(sign)
        if self._pattern.startswith("?", self._at):
            self._at += 1
            return sign + "?"
        return sign

    def _one(self, sign: str) -> str:
        if sign == "\\":
            return self._escape(inside=False)
        if sign == "[":
            return self._class()
        self._at += 1
        if sign == "(":
            return self._group()
        if sign == "$" and not self._multiline:
            return r"\Z"  # Python's stands before a last line end too
        return "\\{" if sign == "{" else sign  # `{e<=1}` would be a fuzzy match

    def _group(self) -> str:
        """Read `(` with what makes its kind, whose `?` repeats nothing."""
        for opening in ("?:", "?=", "?!", "?<=", "?<!"):
            if self._pattern.startswith(opening, self._at):
                self._at += len(opening)
                return "(" + opening
        if self._pattern.startswith("?<", self._at):
            self._at += 2
            return "(?<"
        if self._pattern.startswith("?", self._at):
            raise ValueError("an unknown kind of group")
        return "("

    def _class(self) -> str:
        self._at += 1
        for whole, ours in (("^]", r"[\s\S]"), ("]", r"(?!)")):
            if self._pattern.startswith(whole, self._at):
                self._at += len(whole)
                return ours
        pieces = ["["]
        while self._at < len(self._pattern):
            sign = self._pattern[self._at]
            if sign == "\\":
                pieces.append(self._escape(inside=True))
                continue
            self._at += 1
            pieces.append(r"\[" if sign == "[" else sign)
            if sign == "]":
                return "".join(pieces)
        raise ValueError("a class without an end")

    def _escape(self, *, inside: bool) -> str:
        self._at += 1
        sign = self._pattern[self._at : self._at + 1]
        if not sign:
            raise ValueError("a backslash at the end")
        point = _CODE_POINT.match(self._pattern, self._at)
        if point is not None:
            self._at = point.end()
            return regex.escape(chr(int(point[1], 16)), special_only=False)
        of_signs = _PROPERTY.match(self._pattern, self._at)
        if of_signs is not None:
            self._at = of_signs.end()
            return "\\" + of_signs[0]
        name = None if inside else _NAME.match(self._pattern, self._at)
        if name is not None:
            self._at = name.end()
            return f"(?P={name[1]})"
        self._at += 1
        if sign in _KNOWN_ESCAPES or not sign.isalnum():
            return "\\" + sign
        return sign  # `\A` and `\pL` are letters in JavaScript
