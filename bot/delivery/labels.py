"""`Name:` at the beginning of a line: whose words follow, in every form that models write it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.delivery.small import small

_CLOSERS: Final = {"**": "**", "*": "*", "__": "__", "_": "_", "[": "]", "<": ">", "(": ")",
                   '"': '"', "“": "”", "«": "»"}  # fmt: skip
_LEAD: Final = re.compile(r"[ \t]*(?:[>\-–—][ \t]?)?(?:#{1,4}[ \t]+)?")
_OPENER: Final = re.compile(r"\*\*|__|[*_\[<(\"“«]")
_COLON: Final = re.compile(r"[ \t]{0,2}[:：]")
_SPACES: Final = re.compile(r"\s+")


class Whose(Enum):
    """Whose line begins."""

    NOBODY = "nobody"
    OPEN = "open"
    """More text is needed to tell."""
    OWN = "own"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Label:
    """What stands at the beginning of a line, and how many characters it takes."""

    whose: Whose
    size: int = 0


NOBODY: Final = Label(Whose.NOBODY)
OPEN: Final = Label(Whose.OPEN)


def folded(name: str) -> str:
    """Return a name as labels are compared: small letters, single spaces."""
    return small(_SPACES.sub(" ", name).strip())


def names_of(own: Iterable[str], others: Iterable[str]) -> Mapping[str, Whose]:
    """Return whose each name is; our own wins."""
    found = {folded(name): Whose.OTHER for name in others if folded(name)}
    return found | {folded(name): Whose.OWN for name in own if folded(name)}


def label_of(line: str, names: Mapping[str, Whose], *, ended: bool) -> Label:
    """Return what a line begins with; `ended`: nothing is to come after `line`."""
    lead = _LEAD.match(line)
    at = lead.end() if lead else 0
    if at == len(line):
        return NOBODY if ended else OPEN
    opener = _OPENER.match(line, at)
    closer = ""
    if opener is not None:
        if not ended and opener.end() == len(line):
            return OPEN  # one star may become two
        at, closer = opener.end(), _CLOSERS[opener.group()]
    rest = small(line[at:])
    best = OPEN if not ended and any(name.startswith(rest) for name in names) else NOBODY
    for name, whose in names.items():
        if rest.startswith(name):
            best = max(
                best, _after(line, at + len(name), whose, closer, ended=ended), key=_certainty
            )
    return best


def _certainty(label: Label) -> tuple[int, int]:
    return (0 if label is NOBODY else 1 if label is OPEN else 2, label.size)


def _after(line: str, at: int, whose: Whose, closer: str, *, ended: bool) -> Label:
    """Look at what follows a name."""
    rest = line[at:]
    closed = bool(closer) and rest.startswith(closer)
    if closer and not closed and not ended and closer.startswith(rest):
        return OPEN
    if closed:
        at += len(closer)
    if not ended and not line[at:].strip(" \t") and len(line) - at <= 2:
        return OPEN
    colon = _COLON.match(line, at)
    if colon is None:
        return NOBODY
    at = colon.end()
    if closer and not closed:
        rest = line[at:]
        if not ended and len(rest) < len(closer) and closer.startswith(rest):
            return OPEN
        if not rest.startswith(closer):
            return NOBODY if whose is Whose.OWN else Label(whose, at)
        at += len(closer)
    return Label(whose, at)
