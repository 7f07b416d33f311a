"""Lists of words that say something of a class: read from TOML, found in a text. Pure matching.

A list holds `[[group]]`s. Each has `about` (for readers) and `words`: words or phrases as they are
written, in whatever language; case, accents, apostrophes and hyphens do not count. A `*` at the
end of a word stands for any ending. A full stop stands for the end of a clause. Further keys:

- `after`: names of groups of `speaking.toml`, of which one must come before, in the same clause;
- `gap`: how many words may stand between the two (2 unless given);
- `then`: words of which one must follow at once;
- `unless`: words of which none may, such as "rock" after "progressive".

In scripts without spaces a word counts wherever its characters stand.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.errors import TroupeError
from bot.memory.words import UNSPACED

SHORTEST_STEM: Final = 3
"""Letters before a `*`, and by which phrases are looked up."""
GAP: Final = 2
UNSPACED_GAP: Final = 12
"""Characters that may stand between in scripts without spaces."""
CLAUSE_END: Final = "."

_MARKS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})
_ENDS = re.compile(r"[.,!?;:()\n\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f…]+")
_TOKEN = re.compile(r"\.|[^\W_]+\*?")

Phrase = tuple[str, ...]


def tokens_of(text: str) -> list[str]:
    """Return the folded words of a text, with a full stop at the end of each clause."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    plain = unicodedata.normalize("NFC", plain).casefold().translate(_LETTERS)
    return _TOKEN.findall(_ENDS.sub(" . ", plain))


class Text:
    """A text made ready to be searched: as words, and without any spaces."""

    def __init__(self, text: str) -> None:
        self.tokens = [CLAUSE_END, *tokens_of(text), CLAUSE_END]
        self.squeezed = "".join(self.tokens)
        self.unspaced = UNSPACED.search(self.squeezed) is not None


class Phrases:
    """Phrases by the beginning of their first word."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._spaced: dict[str, list[Phrase]] = {}
        self.squeezed: list[str] = []
        """All of them, as they stand in a squeezed text."""
        self.unspaced: list[str] = []
        """Of these the ones in scripts without spaces."""
        for phrase in phrases:
            words = tuple(tokens_of(phrase))
            if (
                any(word.endswith("*") and len(word) <= SHORTEST_STEM for word in words)
                or not words
            ):
                raise TroupeError(f"too short for a phrase: {phrase!r}")
            self.squeezed.append("".join(words))
            if UNSPACED.search(phrase):
                self.unspaced.append("".join(words))
            else:
                self._spaced.setdefault(words[0][:SHORTEST_STEM], []).append(words)

    def ends_at(self, tokens: Sequence[str], place: int) -> Iterator[int]:
        """Yield where the phrases end that begin at a place."""
        for phrase in self._spaced.get(tokens[place][:SHORTEST_STEM], ()):
            end = place + len(phrase)
            if end <= len(tokens) and all(
                token.startswith(word[:-1]) if word[-1] == "*" else token == word
                for word, token in zip(phrase, tokens[place:end], strict=True)
            ):
                yield end


@dataclass(frozen=True, slots=True)
class Group:
    """Words, and what must stand around them."""

    words: Phrases
    after: Phrases | None
    gap: int
    then: Phrases | None
    unless: Phrases | None

    def found_in(self, text: Text) -> bool:
        """Whether one of the words stands in a text as the group wants it."""
        return self._spaced(text.tokens) or (text.unspaced and self._unspaced(text.squeezed))

    def _spaced(self, tokens: Sequence[str]) -> bool:
        open_until = -1
        for place, token in enumerate(tokens):
            if token == CLAUSE_END:
                open_until = -1
            if self.after is None or place <= open_until:
                for end in self.words.ends_at(tokens, place):
                    if self._goes_on(tokens, end):
                        return True
            if self.after is not None:
                for end in self.after.ends_at(tokens, place):
                    open_until = max(open_until, end + self.gap)
        return False

    def _goes_on(self, tokens: Sequence[str], place: int) -> bool:
        def follows(phrases: Phrases) -> bool:
            return place < len(tokens) and any(phrases.ends_at(tokens, place))

        if self.unless is not None and follows(self.unless):
            return False
        return self.then is None or follows(self.then)

    def _unspaced(self, squeezed: str) -> bool:
        endings = [""] if self.then is None else self.then.unspaced
        heads = self.words.unspaced if self.then is None else self.words.squeezed
        for head in heads:
            for ending in endings:
                if any(self._introduced(squeezed, at) for at in _places(squeezed, head + ending)):
                    return True
        return False

    def _introduced(self, squeezed: str, at: int) -> bool:
        if self.after is None:
            return True
        before = squeezed[max(0, at - UNSPACED_GAP) : at].rpartition(CLAUSE_END)[2]
        return any(frame in before for frame in self.after.unspaced)


def _places(squeezed: str, word: str) -> Iterator[int]:
    """Yield where a word stands, save within a longer number."""
    at = squeezed.find(word)
    while at >= 0:
        if not (word[0].isdigit() and squeezed[at - 1].isdigit()):
            yield at
        at = squeezed.find(word, at + 1)


def read_groups(folder: Path, *, speaking: str) -> dict[str, tuple[Group, ...]]:
    """Return the groups of each list of a folder, by its name.

    `speaking` is the list of the groups that `after` names.

    Raises:
        TroupeError: a list is wrong.
    """
    read = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in folder.glob("*.toml")}
    frames: Mapping[str, Sequence[str]] = read.pop(speaking)
    groups = {}
    for name, content in sorted(read.items()):
        try:
            groups[name] = tuple(_group(each, frames) for each in content["group"])
        except (KeyError, TypeError) as error:
            raise TroupeError(f"{name}.toml: {error!r} is missing or wrong") from error
    return groups


def _group(raw: Mapping[str, Any], frames: Mapping[str, Sequence[str]]) -> Group:
    if unknown := raw.keys() - {"about", "after", "gap", "then", "unless", "words"}:
        raise TypeError(f"unknown keys {sorted(unknown)}")
    after = [phrase for frame in raw.get("after", ()) for phrase in frames[frame]]
    then, unless = raw.get("then"), raw.get("unless")
    return Group(
        words=Phrases(raw["words"]),
        after=Phrases(after) if after else None,
        gap=int(raw.get("gap", GAP)),
        then=None if then is None else Phrases(then),
        unless=None if unless is None else Phrases(unless),
    )
