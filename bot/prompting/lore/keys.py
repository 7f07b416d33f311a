"""Keys of lorebook entries, and the texts they are looked for in.

A key is a pattern when it is written `/pattern/flags`, else literal. Literal keys are compared
without case unless the entry says otherwise, and a key of one word must stand as a whole word:
by Unicode, and not in scripts that write no spaces, where any occurrence counts.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import regex

MAX_PATTERN = 1_000
"""Characters of a stranger's pattern."""
PATTERN_SECONDS = 0.02
EVALUATION_SECONDS = 0.1
"""Seconds that one pattern, and all patterns of one evaluation, may take."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u30ff\u3100-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, Chinese, Japanese; Korean joins particles to its words."""
_WORD = re.compile(rf"[^\W{_UNSPACED}]+")
_PATTERN = re.compile(r"/((?:[^/\\]|\\.)+)/([gimsuy]*)", re.DOTALL)
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}


def folded(text: str) -> str:
    """Return a text as keys without case are compared."""
    return unicodedata.normalize("NFC", text).casefold()


@dataclass(slots=True)
class Stopwatch:
    """What time the patterns of one evaluation have left."""

    left: float = EVALUATION_SECONDS
    exhausted: bool = False


@dataclass(slots=True)
class Haystack:
    """A text to look for keys in, prepared only as far as keys need it."""

    text: str
    _folded: str | None = None
    _words: frozenset[str] | None = None
    _folded_words: frozenset[str] | None = None

    @property
    def folded(self) -> str:
        if self._folded is None:
            self._folded = folded(self.text)
        return self._folded

    def words(self, case_sensitive: bool) -> frozenset[str]:
        """Return the whole words of the text."""
        if case_sensitive:
            if self._words is None:
                self._words = frozenset(_WORD.findall(self.text))
            return self._words
        if self._folded_words is None:
            self._folded_words = frozenset(_WORD.findall(self.folded))
        return self._folded_words


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A key that is searched as it stands."""

    text: str
    case_sensitive: bool
    whole: bool
    """Must stand as a whole word."""
    word: bool
    """Is one word of a script with spaces: then looking it up suffices."""

    def found(self, hay: Haystack, _: Stopwatch) -> bool:
        """Whether the key stands in a text."""
        if self.word:
            return self.text in hay.words(self.case_sensitive)
        text = hay.text if self.case_sensitive else hay.folded
        return self._stands_whole(text) if self.whole else self.text in text

    def _stands_whole(self, text: str) -> bool:
        key, start = self.text, text.find(self.text)
        while start >= 0:
            end = start + len(key)
            before, after = text[start - 1 : start] if start else "", text[end : end + 1]
            if not _joined(before, key[0]) and not _joined(key[-1], after):
                return True
            start = text.find(key, start + 1)
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A key that is a regular expression; None when it is invalid and must never match."""

    compiled: regex.Pattern[str] | None

    def found(self, hay: Haystack, watch: Stopwatch) -> bool:
        """Whether the pattern matches a text, within its time."""
        if self.compiled is None or watch.left <= 0:
            watch.exhausted = watch.exhausted or watch.left <= 0
            return False
        began = time.perf_counter()
        try:
            return (
                self.compiled.search(hay.text, timeout=min(PATTERN_SECONDS, watch.left)) is not None
            )
        except TimeoutError:
            watch.exhausted = True
            return False
        finally:
            watch.left -= time.perf_counter() - began


Key = Literal | Pattern


def compile_key(
    key: str, *, case_sensitive: bool, whole_words: bool, must_be_valid: bool = False
) -> Key | None:
    """Return a key ready to search with; None when it is empty.

    An invalid pattern is searched as it stands, unless the entry says `use_regex`.
    """
    text = key.strip()
    if text.isascii() and text.isalnum():  # most keys: nothing to look into
        plain = text if case_sensitive else text.lower()
        return Literal(plain, case_sensitive, whole_words, whole_words)
    if not text:
        return None
    written = _PATTERN.fullmatch(text)
    if written is not None:
        compiled = compile_pattern(written[1], written[2])
        if compiled is not None or must_be_valid:
            return Pattern(compiled)
    text = unicodedata.normalize("NFC", text) if case_sensitive else folded(text)
    whole = whole_words and not any(each.isspace() for each in text)
    return Literal(text, case_sensitive, whole, whole and _WORD.fullmatch(text) is not None)


@lru_cache(maxsize=4_096)
def compile_pattern(pattern: str, flags: str) -> regex.Pattern[str] | None:
    """Compile a JavaScript pattern; None when it is invalid or too long."""
    if len(pattern) > MAX_PATTERN:
        return None
    number = regex.VERSION0
    for flag in flags:
        number |= _FLAGS.get(flag, regex.VERSION0)
    # JavaScript's "[^]" is any character and "[]" is none; here both would be errors.
    ours = pattern.replace("[^]", r"[\s\S]").replace("[]", r"(?!)")
    try:
        return regex.compile(ours, number)
    except (regex.error, OverflowError, RecursionError, ValueError, MemoryError):
        return None


def is_pattern(key: str) -> bool:
    """Whether a key is written `/pattern/flags`."""
    return _PATTERN.fullmatch(key.strip()) is not None


def escaped(value: str) -> str:
    """Return a value to stand within a pattern as it is: a person's name is no pattern."""
    return regex.escape(value, special_only=True)


def any_found(keys: Iterable[Key], hay: Haystack, watch: Stopwatch) -> bool:
    """Whether one of the keys stands in a text."""
    return any(key.found(hay, watch) for key in keys)


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours belong to one word."""
    return bool(left and right) and _WORD.fullmatch(left + right) is not None


@dataclass(slots=True)
class Buffer:
    """The scanned messages by depth, and what recursion has added."""

    messages: list[str]
    """Newest first, each with its speaker's name if names count."""
    injected: tuple[str, ...] = ()
    recursion: list[str] = field(default_factory=list)
    _bases: dict[int, Haystack] = field(default_factory=dict)
    _added: Haystack | None = None

    def base(self, depth: int) -> Haystack | None:
        """Return the newest `depth` messages as one text; None for depth 0."""
        if depth <= 0:
            return None
        depth = min(depth, len(self.messages) or 1)
        if depth not in self._bases:
            joined = "\n\x01".join(self.messages[:depth])
            injects = "".join(f"\n\x01{each}" for each in self.injected)
            self._bases[depth] = Haystack(unicodedata.normalize("NFC", f"\x01{joined}{injects}"))
        return self._bases[depth]

    def added(self) -> Haystack | None:
        """Return the text of entries that fired in earlier passes."""
        if not self.recursion:
            return None
        if self._added is None:
            self._added = Haystack(unicodedata.normalize("NFC", "\n\x01".join(self.recursion)))
        return self._added

    def recurse(self, text: str) -> None:
        """Add the text of entries that fired."""
        if text:
            self.recursion.append(text)
            self._added = None
