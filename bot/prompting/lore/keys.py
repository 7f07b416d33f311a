"""Keys of lorebook entries, and the texts they are looked for in.

A key is a pattern when it is written `/pattern/flags`, else literal. Literal keys are compared
without case unless the entry says otherwise, and a key of one word must stand as a whole word:
by Unicode, and not in scripts that write no spaces, where any occurrence counts.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

import regex

from bot.languages.unspaced import UNSPACED
from bot.personas.patterns import compile_javascript, written

PATTERN_SECONDS = 0.02
EVALUATION_SECONDS = 0.1
"""Seconds that one pattern, and all patterns of one evaluation, may take."""

_WORD = regex.compile(rf"[\w--[{UNSPACED}]]+", regex.VERSION1)
"""`regex`, not `re`: there the vowel signs of Hindi and Arabic belong to their words."""
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
"""The same in ASCII, in a fifth of the time."""


def normal(text: str) -> str:
    """Return a text as keys with case are compared."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """Return a text as keys without case are compared."""
    return normal(normal(text).casefold())


@dataclass(slots=True)
class Stopwatch:
    """What time the patterns of one evaluation have left."""

    left: float = EVALUATION_SECONDS
    exhausted: bool = False


@dataclass(slots=True)
class Haystack:
    """A text to look for keys in, prepared only as far as keys need it."""

    text: str
    _texts: dict[bool, str] = field(default_factory=dict)
    _words: dict[bool, frozenset[str]] = field(default_factory=dict)

    def said(self, case_sensitive: bool) -> str:
        """Return the text as keys of this kind are compared with it."""
        if case_sensitive not in self._texts:
            self._texts[case_sensitive] = (normal if case_sensitive else folded)(self.text)
        return self._texts[case_sensitive]

    def words(self, case_sensitive: bool) -> frozenset[str]:
        """Return the whole words of the text."""
        if case_sensitive not in self._words:
            said = self.said(case_sensitive)
            word = _ASCII_WORD if said.isascii() else _WORD
            self._words[case_sensitive] = frozenset(word.findall(said))
        return self._words[case_sensitive]


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
        return self.stands_in(hay.said(self.case_sensitive))

    def stands_in(self, text: str) -> bool:
        """Whether a key that is no plain word stands in a text of its kind."""
        if not self.whole:
            return self.text in text
        key, start = self.text, text.find(self.text)
        while start >= 0:
            end = start + len(key)
            before, after = text[start - 1 : start] if start else "", text[end : end + 1]
            if not _joined(before, key[0]) and not _joined(after, key[-1]):
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
            limit = min(PATTERN_SECONDS, watch.left)
            return self.compiled.search(hay.said(True), timeout=limit) is not None
        except TimeoutError:
            watch.exhausted = True
            return False
        finally:
            watch.left -= time.perf_counter() - began


Key = Literal | Pattern
MakeLiteral = Callable[[str, bool, bool, bool], Literal]


def compile_key(
    key: str,
    *,
    case_sensitive: bool,
    whole_words: bool,
    must_be_valid: bool = False,
    literal: MakeLiteral = Literal,
) -> Key | None:
    """Return a key ready to search with; None when it is empty.

    An invalid pattern is searched as it stands, unless the entry says `use_regex`.
    """
    text = key.strip()
    if text.isascii() and text.isalnum():  # most keys: nothing to look into
        plain = text if case_sensitive else text.lower()
        return literal(plain, case_sensitive, whole_words, whole_words)
    if not text:
        return None
    pattern = written(text)
    if pattern is not None:
        compiled = compile_javascript(*pattern)
        if compiled is not None or must_be_valid:
            return Pattern(compiled)
    text = normal(text) if case_sensitive else folded(text)
    whole = whole_words and not any(each.isspace() for each in text)
    return literal(text, case_sensitive, whole, whole and _WORD.fullmatch(text) is not None)


def is_pattern(key: str) -> bool:
    """Whether a key is written `/pattern/flags`."""
    return written(key) is not None


def escaped(value: str) -> str:
    """Return a value to stand within a pattern as it is: what a person says is no pattern."""
    return regex.sub(r"[^\w\s]", r"\\\g<0>", value)


def _joined(neighbour: str, edge: str) -> bool:
    """Whether a neighbour of a key's first or last character belongs to one word with it."""
    if not neighbour or _WORD.fullmatch(neighbour) is None:
        return False
    return _WORD.fullmatch(edge) is not None or not edge.isalnum()


@dataclass(slots=True)
class Buffer:
    """The scanned messages by depth, and what recursion has added."""

    messages: list[str]
    """Newest first, each with its speaker's name if names count."""
    injected: tuple[str, ...] = ()
    recursion: list[str] = field(default_factory=list)
    _texts: dict[tuple[int, int], Haystack] = field(default_factory=dict)

    def base(self, depth: int) -> Haystack | None:
        """Return the newest `depth` messages as one text; None for depth 0."""
        if depth <= 0:
            return None
        return self._kept((min(depth, len(self.messages) or 1), 0))

    def whole(self, depth: int) -> Haystack | None:
        """Return the same text with all that recursion has added."""
        if depth <= 0:
            return None
        return self._kept((min(depth, len(self.messages) or 1), len(self.recursion)))

    def recurse(self, text: str) -> Haystack | None:
        """Add the text of entries that fired. Return it, if there is any."""
        if not text:
            return None
        self.recursion.append(text)
        return Haystack(text)

    def _kept(self, key: tuple[int, int]) -> Haystack:
        depth, passes = key
        if key not in self._texts:
            spoken = [*self.messages[:depth], *self.injected] if depth else []
            joined = "".join(f"\n\x01{each}" for each in [*spoken, *self.recursion[:passes]])
            self._texts[key] = Haystack(joined[1:])
        return self._texts[key]
