"""Role-play scenes: what opens one, whether it is still open, and what is said outside of it.

A scene is open when somebody plays: an action between asterisks, a line in quotes, "I draw my
sword", or "you are the innkeeper and I am a traveller", in a turn that was routed as creative. It
stays open until somebody ends it or the talk takes another route. `((…))`, `[ooc]` and the like
leave it for one message, and so does a question that has nothing to do with it. Read beside the
table's opinion, which finds scenes but not their ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from bot.recent import Recent
from bot.routing.play_words import (
    ASIDE,
    COMMON,
    ENDS_PLAY,
    HANDS_A_PART,
    OTHERS,
    SETS_UP,
    STEPS_OUT,
    THINGS,
    TOLD_AS_I,
    WANTS_HELP,
)
from bot.routing.route import Route
from bot.routing.text import fold
from bot.routing.wording import asks, beginning, wants

READ = 2_000
"""Characters of a reply in which an action is looked for."""
QUITE_A_FACT = 0.85
"""Probability of a fact from which a question without any tie to the scene is asked outside."""
_BOLD = re.compile(r"\*\*+[^*\n]*\*\*+|`[^`\n]*`")
_ACTION = re.compile(r"(?<!\*)\*(?![\s*])([^*\n]{2,}?)(?<!\s)\*(?!\*)")
_SPEECH = re.compile(
    r"^\s*(?:[-\u2013\u2014]\s*[\w\u00bf\u00a1]|[\"\u201c\u201d\u201e\u00ab\u00bb\u300c\u300e]\s*[^\"\n]{2,})"
)
"""A line that begins with what is said: in quotes, or after a dash."""
_LATER_SPEECH = re.compile(r"[.!?\u2026]\s+[\"\u201c\u201e\u00ab\u00bb][^\"\n]{2,}")
"""What is said after a sentence: I step closer. "You lied to me." """
_SENTENCE_ENDS = '.!?\u2026"\u201d\u00bb:;,\u2014-)'
_WORD = re.compile(r"[^\W\d_]+")
_DENSE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_SIGN_WORDS = re.compile("[\u30a1-\u30ff]{2,}|[\u3400-\u9fff]+|[\uac00-\ud7a3]{2,}")
_SHORTEST = 3
_ENDING = 2
"""Letters in which two forms of a word may differ at their ends: "guards" and "guard"."""


def acts(text: str, *, asked_for: bool = False) -> bool:
    """Whether a text holds an action between asterisks.

    Neither bold, nor a title on a line of its own, nor one stressed word: "that is *so* good".
    In a piece that was `asked_for`, only what begins a line and has several words is one.
    """
    if "*" not in text:
        return False
    bare = _BOLD.sub(" ", text[:READ])
    return any(_is_action(bare, found, asked_for) for found in _ACTION.finditer(bare))


def _is_action(text: str, found: re.Match[str], asked_for: bool) -> bool:
    inside = found[1]
    before, after = text[: found.start()].rstrip(" "), text[found.end() :].lstrip(" ")
    begins, ends = not before or before[-1] == "\n", not after or after[0] == "\n"
    if begins and ends and inside[-1] not in _SENTENCE_ENDS and inside[0].isupper():
        return False
    several = " " in inside.strip()
    if asked_for:
        return several and begins
    return several or begins or before[-1] in _SENTENCE_ENDS


def plays(message: str) -> bool:
    """Whether a message that may be creative is a line of a play, and no request."""
    folded = beginning(message)
    if SETS_UP.search(folded):
        return True
    if wants(folded):
        return acts(message, asked_for=True)
    spoken = _SPEECH.match(message) or _LATER_SPEECH.search(message)
    return bool(spoken or TOLD_AS_I.match(folded)) or acts(message)


class Told(NamedTuple):
    """One turn. `said` is empty where a persona spoke unasked."""

    said: str
    route: Route
    reply: str


class _Part(Enum):
    """What a turn is to a scene."""

    PLAYS = auto()
    GOES_ON = auto()
    WANTS = auto()
    """Something else is written."""
    ASIDE = auto()
    ASKS = auto()
    ENDS = auto()


_PARTS = Recent[int, _Part](4_096)
"""Of turns met lately, each read once. By hash: what a person deletes must not live on here."""


def open_after(turns: Iterable[Told]) -> bool:
    """Whether a scene is open after some turns of one person, the last one first.

    A question in between does not end a scene, but a second one does: then they are the talk. No
    more turns are taken than are needed.
    """
    asked = False
    for turn in turns:
        part = _part(turn)
        if part is _Part.PLAYS:
            return True
        if part in (_Part.WANTS, _Part.ENDS) or (part is _Part.ASKS and asked):
            return False
        if part is not _Part.ASIDE:
            asked = part is _Part.ASKS
    return False


def _part(turn: Told) -> _Part:
    key = hash(turn)
    known = _PARTS.get(key)
    if known is None:
        known = _PARTS[key] = _read(turn)
    return known


def _read(turn: Told) -> _Part:
    folded = beginning(turn.said)
    if ENDS_PLAY.search(folded):
        return _Part.ENDS
    if ASIDE.search(folded):
        return _Part.ASIDE
    if turn.route is not Route.CREATIVE:
        return _Part.ASKS if turn.route is Route.FACTUAL else _Part.ENDS
    wanted = wants(folded)
    takes_part = HANDS_A_PART.match(folded) and _SPEECH.match(turn.reply)
    if takes_part or acts(turn.reply, asked_for=wanted) or plays(turn.said):
        return _Part.PLAYS
    return _Part.WANTS if wanted else _Part.GOES_ON


def steps_out(folded: str) -> bool:
    """Whether a message leaves a scene by its brackets or in words."""
    return any(each.search(folded) for each in (ASIDE, ENDS_PLAY, STEPS_OUT, WANTS_HELP))


def wants_help(folded: str) -> bool:
    """Whether a message plainly asks for help with one's own work."""
    return WANTS_HELP.search(folded) is not None


def asked_outside(message: str, spoken: Sequence[str], factual: float, gate: float) -> bool:
    """Whether a message within a scene asks the one who plays, and not the character.

    What asks for a fact, shares neither a word nor a person with the scene and names nothing that
    a play has ("the door") has nothing to do with it. A mere continuation always has.

    Args:
        message: the message.
        spoken: the last lines of the scene.
        factual: how likely the message by itself asks for a fact, 0 to 1.
        gate: how likely it only continues.
    """
    if factual < QUITE_A_FACT or gate > 0.8 or acts(message) or _SPEECH.match(message):
        return False
    folded = beginning(message)
    if not (asks(folded) or wants(folded)) or OTHERS.search(folded) or THINGS.search(folded):
        return False
    told = {name for text in spoken for name in _names(fold(text))}
    return not _share_a_word(_names(folded), told)


def _names(folded: str) -> set[str]:
    """Return what may be the names of things; of scripts without gaps, pairs of signs."""
    if _DENSE.search(folded):
        runs = _SIGN_WORDS.findall(folded)
        return {run[at : at + 2] for run in runs for at in range(len(run) - 1)} - COMMON
    return {word for word in _WORD.findall(folded) if len(word) >= _SHORTEST} - COMMON


def _share_a_word(some: set[str], others: set[str]) -> bool:
    """Whether there are two forms of one word: equal, or with the longer one's beginning."""
    if some & others:
        return True
    begun = {each[:-_ENDING] for each in others if len(each) > _SHORTEST + _ENDING}
    whole = {each[: len(each) - cut] for each in others for cut in range(_ENDING + 1)}
    return any(
        (len(each) > _SHORTEST + _ENDING and each[:-_ENDING] in whole)
        or any(each[: len(each) - cut] in begun for cut in range(_ENDING))
        for each in some
    )
