"""`Remember that …` and `forget that …`, said in a message, in the main languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.memory.item import LONGEST_STATEMENT, Item, Kind, Slot
from bot.memory.words import LATIN, language_of, query_terms

COVERED: Final = 0.6
"""The share of a request's words that an item must hold to be the one that is meant."""

_OPENING = (
    r"^\W*(?:(?:hey|hi|ok|okay|please|bitte|por favor|per favore|alsjeblieft|s'il te plaît)\W+)?"
    r"(?:@?\w+\s*[,:]\s*)?(?:please\s+|bitte\s+)?"
)
_REMEMBER = (
    r"(?:can|could|would) you (?:please )?remember that|remember(?: that|:)"
    r"|don'?t forget(?: that|:)"
    r"|keep in mind that|merk dir(?:,? dass|:| bitte:?)|denk dran,? dass|vergiss nicht,? dass"
    r"|souviens[- ]toi que|rappelle[- ]toi que|retiens que|n'oublie pas que|recuerda que"
    r"|acuérdate de que|no olvides que|lembra(?:-te)? que|lembre(?:-se)?(?: de)? que"
    r"|não esqueças que|ricorda(?:ti)? che|non dimenticare che|onthoud dat|vergeet niet dat"
    r"|zapamiętaj,? że|pamiętaj,? że|запомни,?(?: что)?|помни,? что|hatırla:?|unutma:?"
)
_FORGET = (
    r"(?:can|could|would) you (?:please )?forget (?:that|about)"
    r"|forget (?:that|about|what i said about)"
    r"|vergiss(?:,? dass| das mit|:)|oublie que|oublie ce que j'ai dit sur|olvida que"
    r"|olvídate de que|esquece que|esqueça que|dimentica che|vergeet dat|zapomnij,? że"
    r"|забудь,?(?: что| про)"
)
_SUFFIX = (
    (
        re.compile(
            r"^(.{2,300}?)(?:ということ|こと)?を?(?:覚えて(?:おいて)?(?:ね|ください)?)[。！!]?$"
        ),
        True,
    ),
    (re.compile(r"^(.{2,300}?)(?:ということ|こと)?を?(?:忘れて(?:ね|ください)?)[。！!]?$"), False),
    (re.compile(r"^(?:请)?记住[，,:：]?\s*(.{2,300})$"), True),
    (re.compile(r"^(?:请)?忘(?:记|掉)[，,:：]?\s*(.{2,300})$"), False),
    (
        re.compile(r"^(.{2,300}?)(?:라는|다는)?\s*(?:것을|걸|거)?\s*기억해\s?(?:줘|주세요)?[.!]?$"),
        True,
    ),
    (
        re.compile(r"^(.{2,300}?)(?:라는|다는)?\s*(?:것을|걸|거)?\s*잊어\s?(?:줘|주세요)?[.!]?$"),
        False,
    ),
)
_PREFIX = (
    (re.compile(rf"{_OPENING}(?:{_REMEMBER})\s+(.{{2,400}})", re.IGNORECASE | re.DOTALL), True),
    (re.compile(rf"{_OPENING}(?:{_FORGET})\s+(.{{2,400}})", re.IGNORECASE | re.DOTALL), False),
)
_CONSTRAINT = re.compile(
    r"\b(?:allerg\w+|intoleran\w*|vegan\w*|vegetari\w+|never mention"
    r"|don'?t (?:ever )?(?:mention|call|talk|bring up)|erwähn\w* nie"
    r"|sprich (?:mich )?(?:nie|nicht)|ne (?:me )?parle pas|аллерги\w+"
    r"|no me (?:hables|llames))\b|アレルギー|过敏|알레르기",
    re.IGNORECASE,
)
_PREFERENCE = re.compile(
    r"\b(?:i|ich|je|yo|eu|io|ik)(?:['’]d|['’]m)?\W{1,2}(?:\w+\W{1,2}){0,2}?(?:like|love|hate"
    r"|prefer|enjoy|mag|liebe|hasse|bevorzuge|aime|adore|déteste|préfère|prefiero|gosto|adoro|odio"
    r"|preferisco|hou van|haat)\b|\bme gusta\w*|\bmi piac\w+"
    r"|нрав|люблю|ненавижу|好き|嫌い|喜欢|讨厌|좋아|싫어",
    re.IGNORECASE,
)
_CALL_ME = re.compile(
    r"^(?:to )?(?:call me|my name is|nenn mich|ich hei(?:ß|ss)e|appelle[- ]moi|je m'appelle|llámame"
    r"|me llamo|chiamami|mi chiamo|me chamo|ik heet)\s+([\w'’ .-]{1,40}?)[.!]?$",
    re.IGNORECASE,
)

_ABOUT_SELF: Final = re.compile(
    r"(?<!\w)(?:my|mine|did i|do i|am i|have i|was i|were i|about me|know me|remember me"
    r"|i (?:told|said)|meine?[rmns]?|habe ich|bin ich|über mich|mon|ma|mes|ai-je|de moi|mis?|yo"
    r"|sobre mí|minha|meu"
    r"|meus|mia|mio|miei|mijn|mój|moja|moje|мой|моя|моё|мои|меня|benim)(?!\w)"
    r"|私の|僕の|俺の|我的|关于我|내 |나의|제 ",
    re.IGNORECASE,
)


class Wish(Enum):
    """What somebody wants of the memory."""

    REMEMBER = "remember"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Request:
    """A wish, and what it is about."""

    wish: Wish
    text: str


def read_request(message: str) -> Request | None:
    """Return what a message asks of the memory, or None."""
    message = message.strip()[:600]
    for pattern, remember in (*_PREFIX, *_SUFFIX):
        found = pattern.match(message)
        if found and found[1].strip():
            text = " ".join(found[1].split())[:LONGEST_STATEMENT].rstrip(" .!")
            return Request(Wish.REMEMBER if remember else Wish.FORGET, text) if text else None
    return None


def says_of_self(text: str) -> bool:
    """Whether a message tells, asks or wants something about its writer."""
    return (
        _ABOUT_SELF.search(text) is not None
        or read_request(text) is not None
        or kind_of(text)[0] is not Kind.FACT
    )


def asks_about_self(text: str) -> bool:
    """Whether a message is about its writer, so that also a factual answer may need memories."""
    return _ABOUT_SELF.search(text) is not None


def kind_of(text: str) -> tuple[Kind, str]:
    """Return the kind and the slot of what a person wants remembered."""
    if _CALL_ME.match(text):
        return Kind.PROFILE, Slot.CALL_ME.value
    if _CONSTRAINT.search(text):
        return Kind.CONSTRAINT, ""
    return (Kind.PREFERENCE if _PREFERENCE.search(text) else Kind.FACT), ""


def matching(text: str, items: Sequence[Item]) -> list[Item]:
    """Return the items that a request to forget means, by their words."""
    found = []
    for item in items:
        language = item.language or language_of(text) or LATIN
        wanted = set(query_terms(text, (language,)).tolist())
        held = set(query_terms(item.text, (language,)).tolist())
        if wanted and len(wanted & held) >= COVERED * len(wanted):
            found.append(item)
    return found
