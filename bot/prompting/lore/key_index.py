"""All literal keys of some books, laid out so that one pass over a text finds every one.

Plain words are looked up among the text's words. Of other keys only those are searched whose
first characters stand in the text at all: a thousand searches become a handful.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from bot.prompting.lore.keys import Haystack, Literal

GRAM = 4
"""Characters of a key that are looked up before it is searched."""
FEW = 32
"""So many keys are quicker searched one by one."""

_Kind = tuple[bool, int]
"""Case-sensitive or not, and the length of what is looked up."""


class KeyIndex:
    """Finds literal keys. The same key of many entries is one `Literal` here."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool, bool, bool], Literal] = {}
        self._words: dict[bool, dict[str, Literal]] = {True: {}, False: {}}
        self._parts: dict[_Kind, dict[str, list[Literal]]] = defaultdict(lambda: defaultdict(list))

    def literal(self, text: str, case_sensitive: bool, whole: bool, word: bool) -> Literal:
        """Return the key, which is found from now on."""
        name = (text, case_sensitive, whole, word)
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Literal(*name)
            if word:
                self._words[case_sensitive][text] = known
            else:
                start = text[:GRAM]
                self._parts[case_sensitive, len(start)][start].append(known)
        return known

    def found(self, hay: Haystack) -> set[Literal]:
        """Return all keys that stand in a text."""
        keys: set[Literal] = set()
        for case_sensitive, words in self._words.items():
            if words:
                keys.update(words[each] for each in hay.words(case_sensitive) & words.keys())
        for (case_sensitive, length), starts in self._parts.items():
            text = hay.said(case_sensitive)
            for start in _present(text, length, starts):
                keys.update(key for key in starts[start] if key.stands_in(text))
        return keys


def _present(text: str, length: int, starts: dict[str, list[Literal]]) -> Iterable[str]:
    if len(starts) <= FEW:
        return [start for start in starts if start in text]
    return {text[at : at + length] for at in range(len(text) - length + 1)} & starts.keys()
