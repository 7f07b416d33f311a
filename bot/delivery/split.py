"""Long replies in parts that Discord accepts: paragraph, then line, sentence, word.

An open code fence is closed at the end of a part and reopened, with its language, in the next;
so are spoilers and bold that end in a later part.
Links, spoilers, mentions, inline code and combined characters stay whole wherever they fit.
The cut of a part depends on the text up to it and little more, so that earlier parts of a
growing text stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LIMIT = 2000
"""Characters of a message (Discord, "Create Message"), counted here in UTF-16 units: the
strictest way in which anybody counts them."""

_FENCE = re.compile(r"```")
_OPENING = re.compile(r"```([A-Za-z0-9_+.#-]{0,32})\n")
_WHOLE = re.compile(
    r"`{3,}(?:[A-Za-z0-9_+.#-]{0,32}\n)?"  # a fence with its language
    r"|\[[^\[\]\n]{1,300}\]\([^()\s]{1,900}\)"  # masked link
    r"|<(?:@[!&]?|#|a?:\w{1,32}:|/[^:<>\n]{1,100}:|t:)[\w:-]{1,40}>"  # mention, emoji, time
    r"|<?https?://[^\s<>]{1,1500}>?"
    r"|\|\|(?:[^|]|\|(?!\|)){1,1500}\|\|"  # spoiler
    r"|(?P<code>`{1,2})(?!`)[^\n]{1,496}?(?<!`)(?P=code)(?!`)"
)
_MARKUP = re.compile(
    r"```|\\.|(?P<ticks>`{1,2})(?!`)[^\n]{1,500}?(?<!`)(?P=ticks)(?!`)"  # what has no marks in it
    r"|(?P<mark>\|\||\*\*)"
)
_CLOSING = len("\n```||**")
"""Characters that the longest closing takes."""
_BREAKS = (
    re.compile(r"\n[ \t]*\n+|\n(?=```)"),
    re.compile(r"\n"),
    re.compile(r"(?:[.!?…][\"'”’)\]*_]{0,3}[ \t]+|[。！？][」』”’]?)"),
    re.compile(r"[ \t]+"),
)
_EARLIEST = (0.4, 0.5, 0.4, 0.0)
"""How full a part must be for a break of each kind, so that no part is a stump."""
_INVISIBLE = re.compile(
    r"[\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]*"
)
"""What is drawn as nothing, or as a space."""
_FENCE_LINE = re.compile(r"^\s*```[\w+#.-]*\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a reply. `start` and `end` say which characters of the text it covers."""

    text: str
    start: int
    end: int
    opening: str = ""
    """The reopened fence and markup that `text` begins with."""
    closing: str = ""
    """The closed fence and markup that `text` ends with."""


@dataclass(frozen=True, slots=True)
class _Open:
    """What is open where a part is cut."""

    language: str | None = None
    """Of the fence; None where no fence is open."""
    marks: tuple[str, ...] = ()

    @property
    def opening(self) -> str:
        fence = "" if self.language is None else f"```{self.language}\n"
        return "".join(self.marks) + fence

    @property
    def closing(self) -> str:
        fence = "" if self.language is None else "\n```"
        return fence + "".join(reversed(self.marks))


def units(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_visible(text: str) -> bool:
    """Whether there is anything to see: Discord refuses messages without."""
    return _INVISIBLE.fullmatch(text) is None


def says_something(text: str) -> bool:
    """Whether there is anything to read: an empty code block is none."""
    return is_visible(_FENCE_LINE.sub("", text) if "```" in text else text)


def split(text: str, *, limit: int = LIMIT, first: int | None = None) -> list[Part]:
    """Return the parts of a reply; none when there is nothing to see.

    `limit` is in UTF-16 units and at least 100; `first` is the limit of the first part, less
    than `limit` when something else stands in front of it.
    """
    parts: list[Part] = []
    covered = 0
    position = 0
    opened = _Open()
    while position < len(text):
        room = (limit if first is None or parts else first) - len(opened.opening)
        cut = _cut(text, position, room, in_fence=opened.language is not None)
        cut, after = _opened(text, position, cut, opened)
        part = _part(text, covered, (position, cut), opened, after)
        if is_visible(text[position:cut]):
            parts.append(part)
            covered, opened = cut, after
        position = cut
    if parts and covered < len(text):
        last = parts[-1]
        parts[-1] = Part(last.text, last.start, len(text), last.opening, last.closing)
    return parts


def rest_after(text: str, standing: Sequence[str]) -> str:
    """Return what of a reply is not in the messages that stand there, for messages after them.

    All of it where the last of them says something else: the text has been changed since.
    """
    parts = split(text)
    if not standing or len(parts) < len(standing):
        return text
    part = parts[len(standing) - 1]
    covered = text[part.start : part.end]
    begin = part.start + len(covered) - len(covered.lstrip())
    said = standing[-1].removeprefix(part.opening)
    for words in (said, said.removesuffix("\n```"), said.removesuffix(part.closing)):
        # It may reach beyond its part: as the last one it had no need to leave room for a fence.
        if text.startswith(words, begin):
            end = begin + len(words)
            end, opened = _opened(text, 0, end, _Open())
            rest = text[end:]
            fenced = opened.language is not None
            return opened.opening + (rest.lstrip("\n") if fenced else rest.lstrip())
    return text


def _part(text: str, covered: int, span: tuple[int, int], opened: _Open, after: _Open) -> Part:
    """Make the part of `text` that `span` covers: `opened` before it, `after` it still open."""
    body = text[slice(*span)]
    if opened.language is None:
        body = body.lstrip("\n")
    body = body.rstrip()
    closing = after.closing
    return Part(opened.opening + body + closing, covered, span[1], opened.opening, closing)


def _opened(text: str, position: int, cut: int, opened: _Open) -> tuple[int, _Open]:
    """Return where to cut, and what is open there: marks that the cut parts from their end.

    The cut moves on behind marks that end right there, in the room of their closing.
    """
    body = text[position:cut]
    language = _fence_after(body, opened.language)
    marks, fenced = list(opened.marks), opened.language is not None
    for found in _MARKUP.finditer(body):
        mark = found["mark"]
        if found.group() == "```":
            fenced = not fenced
        elif mark and not fenced:
            if mark in marks:
                marks.remove(mark)
            elif _opens(body, *found.span()):
                marks.append(mark)
    while language is None and marks and text.startswith(marks[-1], cut):
        cut += len(marks.pop())
    return cut, _Open(language, tuple(mark for mark in marks if text.find(mark, cut) >= 0))


def _opens(body: str, start: int, end: int) -> bool:
    """Whether a mark may begin something: it is no operator between words or spaces."""
    before, after = body[start - 1 : start], body[end : end + 1]
    return not (before.isascii() and before.isalnum()) and bool(after.strip(" \n\t|*"))


def _fence_after(body: str, language: str | None) -> str | None:
    """Return the language of the fence that is open after `body`; None when none is."""
    for fence in _FENCE.finditer(body):
        if language is not None:
            language = None
        else:
            opening = _OPENING.match(body, fence.start())
            language = opening.group(1) if opening else ""
    return language


def _cut(text: str, position: int, room: int, *, in_fence: bool) -> int:
    """Return where the part that begins at `position` ends."""
    if units(text[position : position + room + 1]) <= room and len(text) - position <= room:
        still_open = _fence_after(text[position:], "" if in_fence else None) is not None
        if not still_open or units(text[position:]) + 4 <= room:
            return len(text)
    end = _fitting(text, position, room - _CLOSING)
    whole = list(_spans(text, position, end, in_fence=in_fence))
    for pattern, least in zip(_BREAKS, _EARLIEST, strict=True):
        earliest = position + max(1, int((end - position) * least))
        cuts = (found.end() for found in pattern.finditer(text, position, end))
        good = [at for at in cuts if at >= earliest and not _inside(at, whole)]
        if good:
            return good[-1]
    return _hard_cut(text, position, end, whole)


def _fitting(text: str, position: int, room: int) -> int:
    """Return the furthest end that fits `room` UTF-16 units; at least one character on."""
    end = min(len(text), position + room)
    excess = units(text[position:end]) - room
    while excess > 0:
        end -= (excess + 1) // 2
        excess = units(text[position:end]) - room
    return max(end, position + 1)


def _spans(text: str, position: int, end: int, *, in_fence: bool) -> Iterator[tuple[int, int]]:
    """Yield what must stay whole, as far as it concerns a cut up to `end`."""
    for found in _WHOLE.finditer(text, position, min(len(text), end + LIMIT)):
        start, stop = found.span()
        if start > end:
            return
        if fences := len(_FENCE.findall(found.group())):
            if in_fence:
                start = max(position, start - 1)  # or the next part begins with an empty fence
            in_fence ^= fences % 2 == 1
        if start > position or stop <= end:
            yield start, stop


def _inside(at: int, whole: list[tuple[int, int]]) -> bool:
    return any(start < at < end for start, end in whole)


def _hard_cut(text: str, position: int, end: int, whole: list[tuple[int, int]]) -> int:
    """Cut between two words that have no space: before what must stay whole, if there is any."""
    for start, stop in whole:
        if position < start < end < stop:
            return start
    at = end
    while at > position + 1 and at < len(text) and _joined(text[at - 1], text[at]):
        at -= 1
    # Nothing but joined characters: a pile of accents, which no reader will miss.
    return at if at > position + 1 or end == position + 1 else end


def _joined(before: str, after: str) -> bool:
    """Whether two characters are one to the reader: accents, joiners, skin tones, flags."""
    if after in "\u200d\ufe0e\ufe0f" or before == "\u200d":
        return True
    if unicodedata.combining(after) or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    return "\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff"
