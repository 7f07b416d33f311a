"""What of a text is played, and what somebody says as themselves.

A character speaks in quotes and acts between asterisks; what stands beside that is the author's own
voice. A text that is one quote and nothing else shows no story: anybody can put quotes around what
they mean.
"""

from __future__ import annotations

import re

from bot.guardrails.earnest.telling import FICTION, FIRST_PERSON, OTHERS, SINCERE, SWORN, TASK
from bot.guardrails.reading.normalise import normalise

_PAIRS = (
    (r"(?<![*\w])\*(?![*\s])[^*\n]+", r"\*(?!\*)"),
    (r"(?<![_\w])_(?![_\s])[^_\n]+", r"_(?![_\w])"),
    (r'"[^"\n]*', '"'),
    (r'[“„][^“”"\n]*', '[”“"]'),
    (r"«[^»\n]*", "»"),
    (r"「[^」\n]*", "」"),
    (r"『[^』\n]*", "』"),
)
CLOSED = re.compile("|".join(begins + ends for begins, ends in _PAIRS))
WRITTEN = re.compile(
    "|".join(
        [r'\A[^"\n]*[^\s"]"(?=[\s,.!?]|\Z)', *(f"{begins}(?:{ends}|$)" for begins, ends in _PAIRS)]
    ),
    re.MULTILINE,
)
"""The same while it is written: a quote may be open at the end, or have begun before the text."""
SENTENCE = re.compile(r"[.!?…\n]\s+")


def outside(text: str, *, being_written: bool = False) -> str:
    """Return what stands beside the play lines; empty where nothing is said there."""
    bare = (WRITTEN if being_written else CLOSED).sub(" ", text)
    return bare if any(char.isalpha() for char in bare) else ""


def has_play(text: str) -> bool:
    """Whether a character speaks or acts in it, beside something else: another line of play, or
    what is told."""
    lines = [match[0] for match in CLOSED.finditer(text)]
    acts = sum(_acted(line) for line in lines)
    return bool(lines) and (outside(text) != "" or 0 < acts < len(lines))


def plays(text: str) -> bool:
    """Whether it is a line of a scene: one that somebody acts may stand alone."""
    return has_play(text) or text.lstrip().startswith(("*", "_"))


def acted(text: str) -> bool:
    """Whether somebody acts in it: what is said beside that needs no quotes to be a character's."""
    return has_play(text) and any(_acted(match[0]) for match in CLOSED.finditer(text))


def _acted(line: str) -> bool:
    return line[0] in "*_"


def own_words(text: str) -> str:
    """Return what a person says as themselves: what stands beside play lines, else all of it."""
    return outside(text) if has_play(text) else text


def narrated(bare: str) -> bool:
    """Whether what stands beside the play lines is a story's: a task to write, or others' deeds."""
    plain = normalise(bare).plain
    if TASK.search(plain):
        return True
    return OTHERS.search(plain) is not None and FIRST_PERSON.search(plain) is None


def own_voice(text: str) -> bool:
    """Whether somebody speaks of themselves, and nothing of it is a story's."""
    plain = normalise(text).plain
    told = has_play(text) or FICTION.search(plain) or TASK.search(plain) or OTHERS.search(plain)
    return not told and FIRST_PERSON.search(plain) is not None


def lone_voice(text: str) -> bool:
    """Whether somebody acts, and says "I" beside it to nobody of a story: "*sighs* I want to die"
    may be a character's line, and a person's."""
    lines = [match[0] for match in CLOSED.finditer(text)]
    if not lines or not all(map(_acted, lines)):
        return False
    plain, own = normalise(text).plain, normalise(outside(text)).plain
    return FIRST_PERSON.search(own) is not None and OTHERS.search(plain) is None


def before_the_task(bare: str) -> str:
    """Return the sentences that come before the first one to speak of a story; else nothing."""
    plain = normalise(bare).plain
    found = min((m.start() for m in (FICTION.search(plain), TASK.search(plain)) if m), default=0)
    ends = [match.end() for match in SENTENCE.finditer(plain, 0, found)]
    return plain[: ends[-1]] if ends else ""


def sincere(text: str) -> bool:
    """Whether a question beside the play lines is marked as meant."""
    return SINCERE.search(normalise(own_words(text)).plain) is not None


def sworn(bare: str) -> bool:
    """Whether a draft says outright that a human being writes it."""
    return SWORN.search(normalise(bare).plain) is not None
