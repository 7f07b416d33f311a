"""Only the persona speaks: leaked names are dropped, and a reply ends at somebody else's line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.delivery.labels import Label, Whose, label_of, names_of
from bot.delivery.small import small
from bot.delivery.template_tokens import TOKENS, Reading, read

ROLES: Final = ("User", "Human", "Assistant")
"""Names that templates give to the two sides; nobody here is called so."""
HEADINGS: Final = (
    "[notes for this reply", "[end of notes]", "[instructions for this reply", "[house rules",
    "[quotes for this reply", "[end of quotes]",
    "[the conversation begins",
)  # fmt: skip
"""The headings of our own prompts: they end a reply in code too."""
_MARKS: Final = (*TOKENS, *HEADINGS)
_MARK: Final = re.compile("|".join(map(re.escape, _MARKS)))
_FIRST: Final = frozenset(each[0] for each in _MARKS)
_LONGEST: Final = max(map(len, _MARKS))
_FENCE: Final = re.compile(r"[ \t]*```")
_TICKS: Final = re.compile(r"`+")
_TOKEN: Final = re.compile("|".join(map(re.escape, TOKENS)))
_BEFORE: Final = 200
"""Characters of a line before a token that are looked at."""


class SpeakerFilter:
    """Passes on a stream without labels of the persona, up to the first line of another.

    Lines of others that come before anything of the persona are passed over. What could still
    become a label is held back: at most one name's length. In a code block nothing is a label.
    """

    def __init__(
        self, own_names: Sequence[str], other_names: Sequence[str], question: str = ""
    ) -> None:
        """`question`: where it has tokens of templates in it, the reply may be about them."""
        self._names = names_of(own_names, (*ROLES, *other_names))
        self._asked = _TOKEN.search(small(question)) is not None
        self._passed = ""
        """What was passed on of the line that is held, in small letters."""
        self._held = ""
        self._space = ""
        """White space that goes out with what follows it."""
        self._at_start = True
        """What is held begins a line."""
        self._ticks = ""
        """What began the code in this line that is still open."""
        self._spoke = self._said = self._fenced = self._skipping = self._eating = False
        self.dropped = False
        """A label of the persona was dropped, or a line of another passed over."""
        self.ended = False
        """The rest of the stream is somebody else's: generation can stop."""

    def feed(self, piece: str) -> str:
        """Return the text that may be passed on now."""
        return "" if self.ended else self._advance(piece, closing=False)

    def close(self) -> str:
        """Return what was held back."""
        return "" if self.ended else self._advance("", closing=True)

    def _advance(self, piece: str, *, closing: bool) -> str:
        self._held += piece
        out: list[str] = []
        while self._held and not self.ended:
            if self._at_start and not self._begun(closing=closing):
                break
            if self._eating:
                self._held = self._held.lstrip(" \t")
                self._eating = not self._held
                if self._eating:
                    break
            part, whole = self._line(closing=closing)
            if not self._skipping:
                out.append(part)
                self._said = self._said or bool(part.strip())
            if not whole:
                break
        return self._spaced("".join(out), closing=closing)

    def _spaced(self, text: str, *, closing: bool) -> str:
        """Keep white space back until something follows it; none leads, none is left at a cut."""
        text = self._space + text
        if not self._spoke:
            text = text.lstrip()
            self._spoke = bool(text)
        bare = text.rstrip()
        self._space = text[len(bare) :]
        return bare + self._space if closing and not self.ended else bare

    def _begun(self, *, closing: bool) -> bool:
        """Look at the beginning of a line. False while it is open whose it is."""
        line, newline, _ = self._held.partition("\n")
        ended = closing or bool(newline)
        if not ended and _may_be_fence(line):
            return False
        fenced = _FENCE.match(line) is not None
        if not (fenced or self._fenced):
            label = label_of(line, self._names, ended=ended)
            if label.whose is Whose.OPEN:
                return False
            self._meet(label)
        self._fenced ^= fenced and not self._skipping
        self._at_start = False
        return True

    def _meet(self, label: Label) -> None:
        """Do what a line's label asks for."""
        if label.whose is Whose.OTHER and self._said and not self._skipping:
            self.ended, self._held = True, ""
        elif label.whose is Whose.OTHER:
            self._skipping = self.dropped = True
        elif label.whose is Whose.OWN:
            self._held = self._held[label.size :]
            self._skipping, self._eating, self.dropped = False, True, True

    def _line(self, *, closing: bool) -> tuple[str, bool]:
        """Pass on what is certain of a line; return it, and whether the line is over."""
        line, newline, rest = self._held.partition("\n")
        ended = closing or bool(newline)
        counted = line if ended else line.rstrip("`")  # more backticks may come
        mark = self._mark(counted, over=ended) if _suspect(line) else None
        if mark is not None and (ended or not mark.open):
            self.ended, self._held = True, ""
            return line[: mark.at], False
        if newline:
            self._held, self._at_start, self._ticks, self._passed = rest, True, "", ""
            return line + newline, True
        if mark is not None:
            sure = mark.at
        else:
            sure = len(line) if closing else len(line) - _open_tail(small(line))
        self._ticks = _code_in(line[:sure], self._ticks)[1]
        self._held = line[sure:]
        self._passed = (self._passed + small(line[:sure]))[-_BEFORE:]
        return line[:sure], False

    def _mark(self, line: str, *, over: bool) -> _Mark | None:
        """Return the first thing in a line that ends the reply, or may still turn out to."""
        code, open_from = ([], len(line)) if self._fenced else _code_in(line, self._ticks)[::2]
        lowered = small(line)
        for found in _MARK.finditer(lowered):
            at = found.start()
            if found.group() in HEADINGS:
                return _Mark(at, open=False)
            if self._fenced or any(start < at < end for start, end in code):
                continue
            before = (self._passed + lowered[:at])[-_BEFORE:]
            after = lowered[found.end() :]
            reading = read(before, found.group(), after, over=over, asked=self._asked)
            if reading is not Reading.TALK:
                return _Mark(at, open=reading is Reading.OPEN or open_from <= at)
        return None


@dataclass(frozen=True, slots=True)
class _Mark:
    at: int
    open: bool
    """More is to come that tells whether it is one: the rest of its sentence, or the end of code
    that it stands in."""


def _code_in(line: str, ticks: str) -> tuple[list[tuple[int, int]], str, int]:
    """Return the closed code of a line that began in `ticks`; what is open at its end; and where.

    Code ends at as many backticks as began it.
    """
    closed, start = [], -1
    for run in _TICKS.finditer(line):
        if not ticks:
            ticks, start = run.group(), run.start()
        elif run.group() == ticks:
            closed.append((start, run.end()))
            ticks = ""
    return closed, ticks, start if ticks else len(line)


def _suspect(line: str) -> bool:
    return any(each in line for each in _FIRST)


def _may_be_fence(line: str) -> bool:
    bare = line.lstrip(" \t")
    return len(bare) < 3 and not bare.strip("`")


def _open_tail(lowered: str) -> int:
    """Return how many characters at the end could grow into a mark, or into more backticks."""
    if lowered.endswith("`"):
        return len(lowered) - len(lowered.rstrip("`"))
    for at in range(max(0, len(lowered) - _LONGEST + 1), len(lowered)):
        tail = lowered[at:]
        if tail[0] in _FIRST and any(mark.startswith(tail) for mark in _MARKS):
            return len(tail)
    return 0
