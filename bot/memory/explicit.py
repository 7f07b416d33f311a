"""`Remember that …` and `forget that …`, said in a message, in the main languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from bot.memory.item import Item, Kind, Slot
from bot.memory.words import LATIN, language_of, query_terms

LONGEST_REQUEST: Final = 1_200
"""Characters that are read; what is asked for in more is longer than any memory."""
COVERED: Final = 0.75
"""The share of a request's words that an item must hold to be the one that is meant."""
HELD: Final = 0.5
"""The share of a constraint's words that the request must hold besides: a passing word is not
enough to take an allergy away."""

_OPENING = (
    r"^\W*(?:(?:hey|hi|ok|okay|please|bitte|por favor|per favore|alsjeblieft|s'il te plaît)\W+)?"
    r"(?:@?\w+\s*[,:]\s*)?(?:please\s+|bitte\s+)?"
)
_REMEMBER = (
    r"(?:can|could|would|will) you (?:please )?remember that|(?:please )?remember:"
    r"|remember that(?! (?:time|day|night|evening|morning|summer|winter|trip|party|movie|film|show"
    r"|song|book|game|guy|girl|man|woman|kid|one|place|thing|joke|story|feeling|scene|episode"
    r"|moment|conversation|when)\b)"
    r"|remember(?= (?:i|i'm|i’m|i'd|i've|we|we're)\s)"
    r"|remember(?= (?:my|our) (?:\S+ ){1,6}(?:is|are|was|were|has|have|lives?|likes?|hates?)\b)"
    r"|(?:i want|i'd like|i would like|i need) you to (?:remember|know)(?: that)?"
    r"|(?:please )?(?:note|make a note) that"
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
            r"^(.{2,300}?)(?:ということ|こと)?を?(?:覚えて(?:おいて)?(?:ね|ください|くれ)?)[。！!]?$"
        ),
        True,
    ),
    (re.compile(r"^(.{2,300}?)(?:ということ|こと)?を?忘れて(?:ね|ください|くれ)[。！!]?$"), False),
    (re.compile(r"^(?:请|请你|帮我)?记住(?!了)[，,:：]?\s*(.{2,300})$"), True),
    (
        re.compile(
            r"^(?:(?:请|请你)忘(?:记|掉)(?!了)[，,:：]?|忘(?:记|掉)(?:关于|我说的|[，,:：]))\s*(.{2,300})$"
        ),
        False,
    ),
    (
        re.compile(
            r"^(.{2,300}?)(?:라는|다는)?\s{0,8}(?:것을|걸|거)?\s{0,8}기억해\s?(?:줘|주세요)?[.!]?$"
        ),
        True,
    ),
    (
        re.compile(
            r"^(.{2,300}?)(?:라는|다는)?\s{0,8}(?:것을|걸|거)?\s{0,8}잊어\s?(?:줘|주세요)?[.!]?$"
        ),
        False,
    ),
)
_PREFIX = (
    (re.compile(rf"{_OPENING}(?:{_REMEMBER})\s+(.{{2,1000}})", re.IGNORECASE | re.DOTALL), True),
    (re.compile(rf"{_OPENING}(?:{_FORGET})\s+(.{{2,1000}})", re.IGNORECASE | re.DOTALL), False),
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


_POLITE: Final = re.compile(rf"{_OPENING}(?:can|could|would|will) you\b", re.IGNORECASE)
"""A question that is a wish all the same."""
_CLAUSE: Final = re.compile(r"[,;.!?\n，。！？]\s*")


class Wish(Enum):
    """What somebody wants of the memory."""

    REMEMBER = "remember"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Request:
    """A wish, and what it is about."""

    wish: Wish
    text: str


_SENTENCES = re.compile(r"[^.!?…。！？؟\n]+[.!?…。！？؟]*")
_ASKS = re.compile(r"[?？؟]")


def read_request(message: str) -> Request | None:
    """Return what a message asks of the memory, or None. The text is whole, however long."""
    message = message.strip()[:LONGEST_REQUEST]
    asks = message.endswith(("?", "？", "吗", "嗎"))
    for pattern, remember in (*_PREFIX, *_SUFFIX):
        found = pattern.match(message)
        if found is None or (asks and not _POLITE.match(message)):
            continue
        text = found[1].rstrip("?？ ") if asks else found[1]
        if not remember:
            text = _CLAUSE.split(text, maxsplit=1)[0]
        text = " ".join(text.split()).rstrip(" .!")
        # "Forget about it" is a way of speaking.
        if text and (remember or _terms(text, language_of(text) or LATIN)):
            return Request(Wish.REMEMBER if remember else Wish.FORGET, text)
    return None


def says_of_self(text: str) -> bool:
    """Whether a message tells, asks or wants something about its writer."""
    return (
        _ABOUT_SELF.search(text) is not None
        or read_request(text) is not None
        or kind_of(text)[0] is not Kind.FACT
    )


def tells_of_self(text: str) -> bool:
    """Whether a message tells something about its writer: a question alone does not."""
    told = " ".join(each for each in _SENTENCES.findall(text) if not _ASKS.search(each))
    return bool(told) and says_of_self(told)


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
    return [item for item in items if _means(text, item)]


def _means(text: str, item: Item) -> bool:
    language = item.language or language_of(text) or LATIN
    wanted, held = _terms(text, language), _terms(item.text, language)
    common = len(wanted & held)
    if not wanted or common < COVERED * len(wanted):
        return False
    return item.kind is not Kind.CONSTRAINT or common >= HELD * len(held)


def speaks_of(said: str, text: str) -> bool:
    """Whether something that was said holds the words of a request."""
    language = language_of(said) or LATIN
    wanted = _terms(text, language)
    return bool(wanted) and len(wanted & _terms(said, language)) >= COVERED * len(wanted)


def _terms(text: str, language: str) -> set[int]:
    return set(query_terms(text, (language,)).tolist())
