"""A message as the router reads it: cut, folded, and split into words."""

from __future__ import annotations

import re
import unicodedata

HEAD, TAIL = 280, 140
"""Characters kept of a long message: what is asked stands at its beginning or at its end. Reading
half as much again finds nothing more."""
LONGEST = 4_000
"""Characters in which these are looked for: as many as Discord takes."""
_MOST_SPELLED = 3 * (HEAD + TAIL)
"""Signs that a text may have once they are taken apart: Korean has thrice as many as letters, one
Arabic sign stands for eighteen."""
MAX_TOKENS = 60
"""Words kept, two thirds from the beginning and the rest from the end."""

_CODE_BLOCK = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_CUSTOM_EMOJI = re.compile(r"<a?:(\w{1,32}):\d{1,20}>")
_MENTION = re.compile(r"<(?:@[!&]?|#)\d{1,20}>")
_URL = re.compile(r"(?:https?://|www\.)\S+")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['\u2019\u02bc`](?<=\\w.)(?=\\w)")
_REPEATED = re.compile(r"(.)\1\1+", re.DOTALL)
_DIGITS = re.compile(r"\d+")
_SYMBOLS = (
    r"!-/:-@\[-`{-\xbf\u0589\u05be\u05c3\u060c\u061b\u061f\u066a-\u066d\u06d4\u0964\u0965"
    r"\u2010-\u2bff\u3000-\u303f\u30fb\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
    r"\U0001f000-\U0001faff"
)
_TOKEN = re.compile(rf"[^\s{_SYMBOLS}]+|[{_SYMBOLS}]")
_SHORT = {
    **dict.fromkeys(("abt", "bout"), "about"),
    **dict.fromkeys(("bc", "bcuz", "coz", "cuz", "cos"), "because"),
    **dict.fromkeys(("pls", "plz", "plss", "pleez"), "please"),
    **dict.fromkeys(("thx", "ty", "tysm", "thanx", "tnx"), "thanks"),
    **dict.fromkeys(("smth", "sth", "smthn", "somethin"), "something"),
    **dict.fromkeys(("tmrw", "tmr", "tmw"), "tomorrow"),
    **dict.fromkeys(("wat", "wut", "wht", "wha"), "what"),
    **dict.fromkeys(("rly", "rlly"), "really"),
    **dict.fromkeys(("msg", "mssg"), "message"),
    **dict.fromkeys(("ur", "yr"), "your"),
    **dict.fromkeys(("u", "ya", "yu"), "you"),
    "r": "are",
    "urself": "yourself",
    "ppl": "people",
    "b0": "before",
    "bday": "birthday",
    "sry": "sorry",
    "gf": "girlfriend",
    "bf": "boyfriend",
    "ngl": "honestly",
    "tbh": "honestly",
    "rn": "now",
    "kinda": "somewhat",
}
"""English as it is typed in chats, and as it is written elsewhere: one word, one weight."""
_ROW = re.compile(r"([\W_]{8})[\W_]+")
"""A row of signs: a line drawn, emoji upon emoji."""
_WORDLIKE = re.compile(r"[^\W_]")

URL_WORD = "linkurl"
CODE_WORD = "codeblock"


def any_of(*words: str) -> str:
    """Return the words as alternatives of a pattern; spaces part them."""
    return "|".join(" ".join(words).split())


def cut(message: str) -> str:
    """Return the beginning and the end of a long message, without the links and rows of signs
    that would fill them."""
    if len(message) <= HEAD + TAIL:
        return message
    text, ends = _ends(message, LONGEST * 2 // 3, LONGEST // 3), _ends(message, HEAD, TAIL)
    bare = _without_links(text)
    if bare is text and _ROW.search(ends) is None:
        return ends  # as nearly all: to look through the rest would cost more than all else
    return _ends(_ROW.sub(r"\1", bare), HEAD, TAIL)


def _ends(text: str, head: int, tail: int) -> str:
    return text if len(text) <= head + tail else f"{text[:head]} {text[-tail:]}"


def _without_links(text: str) -> str:
    if "://" in text or "www." in text:
        return _URL.sub(f" {URL_WORD} ", text)
    return text


def fold(message: str) -> str:
    """Return the message in small letters, without accents, invisible signs and long repeats."""
    text = cut(message)
    if "```" in text:
        text = _CODE_BLOCK.sub(lambda block: f" {CODE_WORD} {block.group()[3:203]} ", text)
    if "<" in text:
        text = _MENTION.sub(" ", _CUSTOM_EMOJI.sub(r" \1 ", text))
    text = _without_links(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text))
        text = _ends(text, _MOST_SPELLED * 2 // 3, _MOST_SPELLED // 3)
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", text))
    text = _APOSTROPHES.sub("", text.lower())
    return _REPEATED.sub(r"\1\1", _DIGITS.sub("0", text))


def words(folded: str) -> list[str]:
    """Return the words and single signs of a folded text, at most `MAX_TOKENS`."""
    found = [_SHORT.get(token, token) for token in _TOKEN.findall(folded)]
    if len(found) > MAX_TOKENS:
        head = MAX_TOKENS * 2 // 3
        found = found[:head] + found[head - MAX_TOKENS :]
    return found


def has_words(message: str) -> bool:
    """Whether anything but signs, emoji and links is said."""
    bare = _ends(message, LONGEST * 2 // 3, LONGEST // 3)
    if "://" in bare or "www." in bare:
        bare = _URL.sub(" ", bare)
    if "<" in bare:
        bare = _MENTION.sub(" ", _CUSTOM_EMOJI.sub(" ", bare))
    return _WORDLIKE.search(bare) is not None
