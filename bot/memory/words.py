"""Words as the index knows them: folded, freed of stop words, stemmed, and hashed.

Languages that are written without spaces give pairs of characters. A word becomes a 32-bit number,
so that an index can be stored and built without any text.
"""

from __future__ import annotations

import re
import threading
import unicodedata
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.languages.stop_words import STOP_WORDS
from bot.memory.arrays import np
from bot.recent import Recent

if TYPE_CHECKING:
    from numpy.typing import NDArray

Terms: TypeAlias = "NDArray[np.uint32]"

LONGEST_TEXT: Final = 4_000
"""Characters that are read of one text."""
LONGEST_WORD: Final = 40

_WORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019\u02bc`](?:s\b)?")
_ACCENTS = re.compile("[\u0300-\u036f]")
UNSPACED_CLASS: Final = (
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
UNSPACED: Final = re.compile(f"{UNSPACED_CLASS}+")
"""Thai, Lao, Myanmar, Khmer, kana, Han; and Hangul, whose particles cling to the words."""
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
"""A Han character is often a word by itself."""
_SCRIPTS: Final = (
    (re.compile("[\u0400-\u04ff]"), "russian"),
    (re.compile("[\u0370-\u03ff]"), "greek"),
    (re.compile("[\u0600-\u06ff]"), "arabic"),
    (re.compile("[\u0900-\u097f]"), "hindi"),
    (re.compile("[\u0530-\u058f]"), "armenian"),
    (re.compile("[\u0b80-\u0bff]"), "tamil"),
)
LATIN: Final = "english"
"""Stands for a text in Latin letters whose language does not show."""

_local = threading.local()
"""Stemmers keep a state while they work, so that each thread has its own."""


def fold(text: str) -> str:
    """Return the text in small letters and compatibility forms, without marks on Latin letters."""
    text = text[:LONGEST_TEXT]
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", text))
    return _APOSTROPHE.sub("", text.casefold())


def language_of(text: str) -> str | None:
    """Return the stemmer's name of the text's language; None when it does not show.

    The script decides, and among languages in Latin letters the number of stop words.
    """
    head = text[:200]
    for pattern, name in () if head.isascii() else _SCRIPTS:
        if pattern.search(head):
            return name
    words = set(_WORD.findall(fold(text[:600])))
    counts = {name: len(words & stops) for name, stops in STOP_WORDS.items()}
    best = max(counts, key=lambda name: counts[name])
    rivals = sorted(counts.values())[-2:]
    return best if counts[best] > 1 and rivals[0] < rivals[1] else None


def languages_of(texts: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return each text's language, and those languages that occur, most frequent first.

    A text too short to tell takes the most frequent language.
    """
    found = [language_of(text) for text in texts]
    counts: dict[str, int] = {}
    for name in found:
        if name is not None:
            counts[name] = counts.get(name, 0) + 1
    order = sorted(counts, key=lambda name: (-counts[name], name)) or [LATIN]
    # A language that hardly ever occurs was probably mistaken.
    kept = [name for name in order if counts.get(name, 1) * 20 >= sum(counts.values())]
    return [name if name in kept else kept[0] for name in found], tuple(kept)


def words_of(text: str) -> list[str]:
    """Return the folded words of a text, and the character pairs of unspaced scripts."""
    folded = fold(text)
    if folded.isascii():
        return [word[:LONGEST_WORD] for word in _WORD.findall(folded)]
    found: list[str] = []
    for word in _WORD.findall(folded):
        if not word.isascii() and UNSPACED.search(word):
            for run in UNSPACED.findall(word):
                found += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
                found += _HAN.findall(run)
            found += [rest for rest in UNSPACED.split(word) if rest]
        else:
            found.append(word[:LONGEST_WORD])
    return found


def terms_of(text: str, language: str) -> Terms:
    """Return the hashes of the text's stems, in order, each as often as it occurs."""
    hashes = [_hash(word, language) for word in words_of(text)]
    return np.array([value for value in hashes if value], dtype=np.uint32)


_hashes = Recent[int, int](65_536)
_asked = Recent[tuple[int, tuple[str, ...]], Terms](256)


def query_terms(text: str, languages: tuple[str, ...]) -> Terms:
    """Return each hash once: of the stems in every language that the index holds.

    Remembered, since one question is asked of facts and of turns. Do not change what it returns.
    """
    # By hash, not by text: what a person deletes must not live on here.
    key = hash((text, len(text))), languages
    terms = _asked.get(key)
    if terms is None:
        words = words_of(text)
        found = {_hash(word, language): None for language in languages for word in words}
        terms = _asked[key] = np.fromiter((value for value in found if value), dtype=np.uint32)
    return terms


def _hash(word: str, language: str) -> int:
    """Return the hash of a word's stem, or 0 for a stop word."""
    key = hash((word, len(word), language))  # not the word: see `query_terms`
    found = _hashes.get(key)
    if found is None:
        found = _hashes[key] = _hashed(word, language)
    return found


def _hashed(word: str, language: str) -> int:
    if word in STOP_WORDS.get(language, ()):
        return 0
    stem = word if word.isdigit() else _stemmer(language).stemWord(word)
    return zlib.crc32(stem.encode("utf-8", "surrogatepass")) or 1


def _stemmer(language: str) -> Any:
    import snowballstemmer  # late: 3 MiB of languages, where nobody may have a memory

    made: dict[str, Any] = _local.__dict__
    if language not in made:
        made[language] = snowballstemmer.stemmer(language)
    return made[language]
