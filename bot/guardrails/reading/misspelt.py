"""Key words as fingers and chats spell them: "kil myslef", "jveux mourir".

Only words that no other word is one slip away from: "hill", "pull" and "lie" stay what they are.
"""

from __future__ import annotations

import re
from typing import Final

KEYS: Final = tuple(
    """kill killing myself suicide suicidal want wanted dying alive anymore tonight hurting cutting
    wrists pills overdose overdosed bleeding goodbye everyone yourself depressed worthless painless
    forever without jumping hanging unalive existing""".split()  # noqa: SIM905  # word list
)
CHAT: Final = {
    "abt": "about", "nite": "night", "thinkin": "thinking", "diee": "die", "tihs": "this",
    "urself": "yourself", "mysself": "myself", "jveux": "je veux", "jvais": "je vais",
    "jpeux": "je peux", "chui": "je suis", "jsuis": "je suis", "plu": "plus", "kiero": "quiero",
    "qiero": "quiero", "vojo": "voglio", "nn": "non", "chec": "chce", "hcce": "chce",
    "nich": "nicht", "sterbn": "sterben", "strben": "sterben", "strebn": "sterben",
    "lebn": "leben", "umbringn": "umbringen", "umbrigen": "umbringen", "mourrir": "mourir",
    "morirr": "morir", "sterve": "sterven", "zelfmord": "zelfmoord", "wl": "wil",
}  # fmt: skip
"""Words that are spelt so on purpose, or slips too short for a rule; told with other words only."""
NEAR: Final = {
    "a": "sqz", "b": "vgn", "c": "xvd", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht", "h": "gju",
    "i": "uok", "j": "hku", "k": "jli", "l": "kop", "m": "nk", "n": "bmh", "o": "ipl", "p": "ol",
    "q": "wa", "r": "etf", "s": "adw", "t": "ryg", "u": "yij", "v": "cbf", "w": "qes", "x": "zcs",
    "y": "tuh", "z": "xa",
}  # fmt: skip
"""Letters beside a letter on a keyboard."""
WORDS: Final = frozenset(
    """kiln kills skill krill kilt kilo bill pill ills kiel kelling skilling kiling will killin
    wan wants wantage ant wand warn wane hunting hurling hurtling curing cuttings putting alive
    olive alike ally slive pill pulls pile spills pails polls hanging banging changing hinging
    dumping juming pumping wrist rists wits dyeing lying drying tying dyin dine everyones yourselves
    forevers existing exiting exist overdoses painlessly suicides suicider pils ding""".split()  # noqa: SIM905  # words
)
"""Real words that are one slip away from a key."""
WORD: Final = re.compile(r"[a-z']{2,12}")


def _slips(key: str) -> set[str]:
    """Return what one slip makes of a word: letters exchanged, lost, doubled or missed."""
    made: set[str] = set()
    for at in range(len(key)):
        before, letter, after = key[:at], key[at], key[at + 1 :]
        if after:
            made.add(before + after[0] + letter + after[1:])
        made.add(before + letter * 2 + after)
        if (len(key) > 4 and at) or letter == key[at - 1 : at]:
            made.add(before + after)
        if len(key) > 5:
            made.update(before + near + after for near in NEAR[letter])
            made.update(before + letter + near + after for near in NEAR[letter])
    return made


MEANT: Final = {
    **{slip: key for key in KEYS for slip in _slips(key) if slip not in WORDS and slip not in KEYS},
    **CHAT,
}


def slips(text: str) -> list[re.Match[str]]:
    """Return where key words are misspelt in a normalised text."""
    if MEANT.keys().isdisjoint(WORD.findall(text)):
        return []
    return [word for word in WORD.finditer(text) if word[0] in MEANT]


def mended(text: str) -> str:
    """Return a normalised text with its key words spelt right."""
    return WORD.sub(lambda word: MEANT.get(word[0], word[0]), text)
