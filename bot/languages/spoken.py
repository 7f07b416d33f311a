"""In which language a message is written: by its script, and in Latin letters by its words.

Made for short chat messages. It would rather say nothing than something wrong: a message that
does not show its language ("ok", a name, an emoji) leaves the language as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

import re2

from bot.languages.chat_words import CHAT_WORDS
from bot.languages.stop_words import STOP_WORDS
from bot.recent import Recent

NAMES: Final[Mapping[str, str]] = {
    "ar": "Arabic",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
"""English names by ISO 639-1 code: the languages that are told apart."""

READ: Final = 400
"""Characters that are looked at."""
CUES_MEMORY: Final = 2**20
"""Bytes that the automaton of all cues may use; it is made as texts need it."""
ENOUGH: Final = 1.0
"""What a language must score: one word that no other language has, or several shared ones."""
LEAD: Final = 1.3
"""How many times the runner-up's score the best must have."""

_BY_STEMMER = {name.lower(): code for code, name in NAMES.items()}
_NOISE = re.compile(r"```.*?(?:```|\Z)|`[^`]*`|<[^<>\s]{2,80}>|\S+://\S+|www\.\S+|@\S+", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("(?<=\\w)['\u2019\u02bc`](?=\\w)")
_SCRIPTS: Final = (
    ("ja", re.compile("[\u3040-\u30ff\uff66-\uff9f]")),
    ("ko", re.compile("[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("uk", re.compile("[\u0404\u0406\u0407\u0454\u0456\u0457\u0490\u0491]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
)
"""Scripts that belong to one language here; for what is shared, see `_by_script`."""
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")

_CUES: Final = tuple(
    (re.compile(pattern), code, weight)
    for code, pattern, weight in (
        ("de", "[\u00df]", 2.0),
        ("de", "[\u00e4\u00f6\u00fc]", 0.7),
        ("de", r"\w(?:ung|keit|schen|chen|isch)\b|\bge\w+t\b|sch", 0.5),
        ("es", "[\u00f1\u00bf\u00a1]", 2.0),
        (
            "es",
            "\\b(?:qu\u00e9|c\u00f3mo|m\u00e1s|s\u00ed|est\u00e1s?|d\u00f3nde|cu\u00e1\\w+|t\u00fa|\u00e9l)\\b",
            0.8,
        ),
        ("es", "ci[o\u00f3]n\\b|\\w(?:ando|iendo|ito|ita)\\b|ll", 0.4),
        ("pt", "[\u00e3\u00f5]|\\b(?:\u00e9|voc\u00ea|j\u00e1|at\u00e9|s\u00f3)\\b", 1.5),
        ("pt", "\u00e7\u00e3o\\b|nh|lh|\\w(?:inho|inha)\\b", 0.6),
        (
            "fr",
            "[\u0153\u00eb\u00ea\u00fb\u00ee]|\\b[ldjmntsqc]['\u2019][a-z\u00e0-\u00ff]|eau|oux\\b",
            0.8,
        ),
        ("fr", "\u00e7a|[\u00e8\u00e0\u00f9]", 0.4),
        (
            "it",
            "zione\\b|gli\\b|\\w(?:ello|etta|ino)\\b|cch|\\bc['\u2019]\u00e8|[\u00ec\u00f2]",
            0.6,
        ),
        ("it", "\\b(?:\u00e8|perch\u00e9|pi\u00f9|cos\u00ec|gi\u00e0)\\b", 1.2),
        ("it", "[\u00e8\u00e0\u00f9]", 0.4),
        ("pl", "[\u0142\u0105\u0119\u015b\u017c\u017a\u0107\u0144]", 2.0),
        ("pl", "cz|sz|rz|dz|\\w(?:owa\u0107|ego|ych)\\b", 0.6),
        ("tr", "[\u011f\u0131\u015f]", 2.0),
        ("tr", r"\w(?:iyor|lar|ler|mak|mek|dir|yorum)\b|\w(?:[ae]ci|sin)\b", 0.6),
        ("nl", r"ij|aa|oe|uu|\bge\w+d\b|\w(?:tje|lijk|heid)\b", 0.5),
        ("en", r"\w(?:ing|tion|ed|ly)\b|th|wh|\bw\w+", 0.4),
        ("id", r"\b(?:me|ber|di|ter)(?:ng|ny|m|n)\w+|\w(?:nya|kan)\b|ng\b", 0.5),
        ("sv", "[\u00e5]", 0.6),
        ("no", "[\u00e5\u00f8\u00e6]", 0.6),
        ("da", "[\u00e5\u00f8\u00e6]", 0.6),
        ("fi", "\u00e4\u00e4|\\w(?:ssa|lla|nen)\\b|kk|yy", 0.6),
        ("hu", "[\u0151\u0171]", 2.0),
        ("ro", "[\u0103\u0219\u021b\u0163\u015f]", 1.5),
        ("vi", "[\u0111\u01a1\u01b0\u1ea0-\u1ef9]", 2.0),
    )
)
"""Letters and endings that speak for a language, at most once each."""


def _at_once() -> re2.Set:
    """Return all cues as one automaton."""
    options = re2.Options()
    options.max_mem = CUES_MEMORY
    made = re2.Set.SearchSet(options)
    for pattern, _, _ in _CUES:
        made.Add(pattern.pattern)
    made.Compile()
    return made


_ALL_CUES: Final = _at_once()


REMEMBERED: Final = 512
"""Texts whose language is remembered: a turn asks for that of its message more than once."""
_remembered = Recent[int, str | None](REMEMBERED)
_UNKNOWN: Final = ""


def spoken_language(text: str) -> str | None:
    """Return the ISO 639-1 code of a message's language; None when it does not show."""
    # By hash, not by text: what a person deletes must not live on here.
    key = hash((text, len(text)))
    known = _remembered.get(key, _UNKNOWN)
    if known == _UNKNOWN:
        known = _remembered[key] = _spoken(text)
    return known


def _spoken(text: str) -> str | None:
    text = _NOISE.sub(" ", text[:READ])
    code, letters = (None, 0) if text.isascii() else _by_script(text)
    # A single foreign word in a sentence in Latin letters is a quotation.
    if letters and letters * 4 >= len(_LATIN.findall(text)):
        return code
    scores = _scores(text)
    ranked = sorted(scores.values(), reverse=True)[:2]
    if not ranked or ranked[0] < ENOUGH or (len(ranked) > 1 and ranked[0] < LEAD * ranked[1]):
        return None
    best = max(scores, key=lambda code: scores[code])
    # Hindi in Latin letters: its writer would not want to read Devanagari.
    return best if best in NAMES else None


def _by_script(text: str) -> tuple[str, int]:
    """Return the language of the script that most letters are of, and how many are.

    In any script a single word of another is a quotation. Kana tell Japanese from Chinese, and a
    few letters Ukrainian from Russian: the script that they share with it then counts for them.
    """
    letters = {code: len(script.findall(text)) for code, script in _SCRIPTS}
    if letters["ja"]:
        letters["ja"] += letters.pop("zh")
    if letters["uk"]:
        letters["uk"] = letters.pop("ru")
    code = max(letters, key=lambda each: letters[each])
    return code, letters[code]


def last_spoken(texts: Iterable[str]) -> str | None:
    """Return the language of the first text that shows one; give the newest text first."""
    return next(filter(None, map(spoken_language, texts)), None)


def _scores(text: str) -> dict[str, float]:
    scores: dict[str, float] = {}
    for word in dict.fromkeys(_WORD.findall(_folded(text))):  # sums depend on their order
        codes = _WORDS.get(word, ())
        for code in codes:
            scores[code] = scores.get(code, 0.0) + 1.0 / len(codes)
    for code, weight in _cues_in(text.lower()):
        scores[code] = scores.get(code, 0.0) + weight
    return scores


def _cues_in(lowered: str) -> list[tuple[str, float]]:
    """Return which languages letters and endings speak for, and with what weight."""
    if lowered.isascii():  # where RE2 means the same by words and their edges as Python
        return [_CUES[number][1:] for number in sorted(_ALL_CUES.Match(lowered) or ())]
    return [(code, weight) for pattern, code, weight in _CUES if pattern.search(lowered)]


def _folded(text: str) -> str:
    """Return a text in small letters without marks, as the word lists are."""
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text)).replace("\u0131", "i")
    return _APOSTROPHES.sub("", text.casefold())


def _known_words() -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for name, words in STOP_WORDS.items():
        for word in words:
            if len(word) > 1 or word == "y":
                found.setdefault(word, set()).add(_BY_STEMMER[name])
    for code, more in CHAT_WORDS.items():
        for word in more.split():
            found.setdefault(word, set()).add(code)
    return {word: tuple(sorted(codes)) for word, codes in found.items()}


_WORDS: Final = _known_words()
"""The languages of each known word."""
