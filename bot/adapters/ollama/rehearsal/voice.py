"""Reads a persona's manner out of the messages that a model would get."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.routing.route import Route

MAX_TEXT = 60_000
"""Characters of a message that are read."""
MAX_LINES = 200

_SPOKEN = re.compile(r"^[ \t>*-]{0,4}([^\W\d_][^:\n]{0,39}):[ \t]+(\S[^\n]*)$", re.MULTILINE)
_NAME = re.compile(r"\b[Yy]ou(?:'re| are)(?: playing| now)? ([A-Z][\w'’-]*(?: [A-Z][\w'’-]*){0,3})")
_BLOCK = re.compile(r"\[[^\[\]]{0,4000}\]|<(\w{1,40})\b[^<>]{0,200}>[^<>]{0,8000}</\1>", re.DOTALL)
_INSTRUCTIONS = "[Instructions for this reply]"
"""The heading that `bot.prompting` puts after the person's words."""
_ACTION = re.compile(r"\*[^*\n]{3,160}\*")
_SENTENCE = re.compile(r"[^.!?…\n]{2,180}[.!?…]+[\"”’']?")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_PEOPLE = frozenset({"user", "you", "human", "{{user}}", "<user>", "player", "guest"})

_MARKS: Mapping[Route, tuple[str, ...]] = {
    Route.FACTUAL: ("route: factual", "can be checked", "facts", "keep what you know"),
    Route.CREATIVE: ("route: creative", "something new", "fresh", "first idea"),
    Route.COMPANION: ("route: companion", "about the person", "answer the person", "listen"),
}
_HINTS: Mapping[Route, str] = {
    Route.FACTUAL: " what when where which why explain tall far many much define ",
    Route.CREATIVE: " write story poem imagine idea ideas invent song name haiku ",
    Route.COMPANION: " i i'm my me feel today hello hi hey tired sad ",
}
STOPWORDS = frozenset(
    word
    for line in (
        "a about an and any are as at be been but by can could did do does for from had has have",
        "he her hey hi him his how i i'm if in is it it's its just like me my no not of on or our",
        "please she so some tell than that the their them then there these they this to too us was",
        "we were what when where which who why will with would you your write give make poem story",
        "song idea ideas name far much many tall really very",
    )
    for word in line.split()
)
_ANAPHORA = ("it ", "that ", "the first", "the second", "they ", "he ", "she ", "there ", "this ")
"""A sentence that begins like this leans on the one before it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the stand-in goes by."""

    name: str
    lines: tuple[str, ...]
    """What the persona says in its examples."""
    said: str
    """The person's words."""
    route: Route

    @property
    def actions(self) -> list[str]:
        """Return the persona's stage directions."""
        return [found for line in self.lines for found in _ACTION.findall(line)]

    @property
    def sentences(self) -> list[str]:
        """Return the persona's sentences that fit any talk: short, and without figures."""
        found: list[str] = []
        for line in self.lines:
            plain = _ACTION.sub(" ", line)
            for sentence in _SENTENCE.findall(plain):
                trimmed = sentence.strip(" *\"“”'’")
                if _stands_alone(trimmed):
                    found.append(trimmed)
        return list(dict.fromkeys(found))

    @property
    def topic(self) -> list[str]:
        """Return the words of the person that carry meaning, in their order."""
        return [word for word in words_of(self.said) if word.lower() not in STOPWORDS][:6]


def _stands_alone(sentence: str) -> bool:
    fits = 8 <= len(sentence) <= 90 and not any(char.isdigit() for char in sentence)
    return fits and not sentence.lower().startswith(_ANAPHORA)


def words_of(text: str) -> list[str]:
    return _WORD.findall(text[:MAX_TEXT])


def scene_of(messages: Sequence[Mapping[str, Any]]) -> Scene:
    """Read system message, examples and last user message."""
    system = "\n".join(_text(m) for m in messages if m.get("role") == "system")[:MAX_TEXT]
    last = next((_text(m) for m in reversed(messages) if m.get("role") == "user"), "")[:MAX_TEXT]
    spoken = _spoken(system)
    name = _name(system, [speaker for speaker, _ in spoken])
    own = [line for speaker, line in spoken if _same(speaker, name)]
    said = _said(last)
    return Scene(name, tuple(own[:MAX_LINES]), said, _route(last, said))


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _spoken(system: str) -> list[tuple[str, str]]:
    return [(m[1].strip(" *_"), m[2].strip()) for m in _SPOKEN.finditer(system)]


def _name(system: str, speakers: list[str]) -> str:
    """Return the persona's name: as the text says, or the one who speaks most."""
    if found := _NAME.search(system):
        return found[1]
    counts = Counter(speaker for speaker in speakers if speaker.lower() not in _PEOPLE)
    often = [(speaker, n) for speaker, n in counts.most_common(1) if n > 1]
    return often[0][0] if often else ""


def _same(speaker: str, name: str) -> bool:
    one, two = speaker.lower(), name.lower()
    return bool(two) and (one == two or two.startswith(one + " ") or one.startswith(two + " "))


def _said(last: str) -> str:
    """Return the person's own words out of the last message, free of the volatile block.

    They stand right before our instructions, with examples, history or notes before them.
    """
    before, found, _ = last.rpartition(_INSTRUCTIONS)
    if found:
        paragraphs = [part.strip() for part in re.split(r"\n\s*\n", before) if part.strip()]
        words = paragraphs[-1] if paragraphs else ""
        speaker = _SPOKEN.match(words)
        return speaker.group(2) if speaker else words
    bare = _BLOCK.sub("\n", last).strip()
    spoken = [line for _, line in _spoken(bare)]
    if spoken:
        return spoken[-1]
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", bare) if part.strip()]
    return paragraphs[-1] if paragraphs else last.strip()


def _route(last: str, said: str) -> Route:
    block = last.lower().replace(said.lower(), " ")
    scores = {route: sum(mark in block for mark in marks) for route, marks in _MARKS.items()}
    best = max(scores, key=lambda route: scores[route])
    if scores[best]:
        return best
    words = [word.lower() for word in words_of(said)]
    hints = {route: sum(f" {word} " in hint for word in words) for route, hint in _HINTS.items()}
    best = max(hints, key=lambda route: hints[route])
    return best if hints[best] else Route.COMPANION
