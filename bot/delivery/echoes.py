"""A reply that begins by repeating what was said before: the question, or an earlier reply."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

LEAST_QUESTION: Final = 20
LEAST_REPLY: Final = 40
"""Letters and digits that must be alike before it is no accident."""
MOST: Final = 1500
"""Letters and digits that are compared."""
_LETTERS: Final = re.compile(r"[^\W_]+")
_TRAIL: Final = re.compile(r"[\"'”’»)*_.!?…:–—>-]*(?:[^\S\n]*[:–—>-]+)?\s*")
"""What belongs to an echo behind its last letter; marks that open something are the reply's."""


class EchoFilter:
    """Drops an echoed question, and an earlier reply that is followed by something new.

    A reply that is nothing but an earlier one passes: somebody may have asked to hear it again.
    What could still be an echo is held back; the first other letter sets it free.
    """

    def __init__(self, question: str, replies: Sequence[str]) -> None:
        asked = letters_of(question)
        self._question = asked if len(asked) >= LEAST_QUESTION else ""
        told = (letters_of(reply) for reply in replies)
        self._replies = tuple(each for each in told if len(each) >= LEAST_REPLY)
        self._held = ""
        self._over = not (self._question or self._replies)
        self.dropped = False
        """Something was repeated, and left out."""

    def feed(self, piece: str) -> str:
        """Return the text that is no echo."""
        if self._over:
            return piece
        self._held += piece
        return self._decided(closing=False)

    def close(self) -> str:
        """Return what was held back."""
        return "" if self._over else self._decided(closing=True)

    def _decided(self, *, closing: bool) -> str:
        said = letters_of(self._held)
        whole = [each for each in (self._question, *self._replies) if each and said == each]
        begun = [each for each in (self._question, *self._replies) if each.startswith(said)]
        if begun and not closing:
            return ""
        self._over = True
        if closing and whole and self._question not in whole:
            return self._held
        return self._without(said)

    def _without(self, said: str) -> str:
        """Return what is held without the longest echo that it begins with."""
        echoes = [e for e in (self._question, *self._replies) if e and said.startswith(e)]
        if not echoes:
            return self._held
        self.dropped = True
        cut = _position(self._held, len(max(echoes, key=len)))
        trail = _TRAIL.match(self._held, cut)
        return self._held[trail.end() if trail else cut :]


def letters_of(text: str) -> str:
    """Return the letters and digits of a text, in small letters: what an echo has in common."""
    letters = "".join(_LETTERS.findall(text)).lower()
    # The end of a text is no end of a word: more of it may come.
    return letters.replace("ς", "σ")[:MOST]


def _position(text: str, count: int) -> int:
    """Return where the first `count` letters and digits, as `letters_of` has them, end."""
    seen = 0
    for at, char in enumerate(text):
        if seen >= count:
            return at
        if char.isalnum():
            seen += len(char.lower())
    return len(text)
