"""Make `bot/guardrails/reading/confusables.py` from the confusables of Unicode TR 39.

    python tests/bench/make_confusables.py confusables.json > bot/guardrails/reading/confusables.py

The JSON is the data file of the `confusable-homoglyphs` wheel (MIT; Unicode licence): for each
character a list of those that look like it. Kept is what looks like an ASCII letter or digit and
is a letter, number or symbol of another script; normalisation (NFKC) does the rest at run time.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

SIMILAR = {
    "a": "аαɑᴀ∆ΑАдꓮᎪ@",
    "b": "ЬвьβʙɓБбΒВᏏ",
    "c": "сϲᴄƈСϹꓚ¢ҫ",
    "d": "ԁɗᴅđժᏧ",
    "e": "еεєᴇɛҽЕΕэ€ǝ",
    "f": "ғꜰƒϝ",
    "g": "ɡɢցԍǥ",
    "h": "һнʜɦНΗҺհ",
    "i": "іιɪıίїΙІɩ",
    "j": "јʝᴊЈ",
    "k": "кκᴋƙқҡΚК",
    "l": "ⅼʟӏłŀℓ",
    "m": "мᴍϻΜМ",
    "n": "пηɴոΝռחᏁ",
    "o": "оοσᴏօόøΟОөᎾ",
    "p": "рρᴘƥþΡР",
    "q": "ԛզɋ",
    "r": "гʀɾяᴦ",
    "s": "ѕꜱʂЅ",
    "t": "тτᴛƭΤТ",
    "u": "υᴜսʋцμ",
    "v": "νᴠѵ∨",
    "w": "ѡωᴡԝшщ",
    "x": "хχΧХ×",
    "y": "уγʏүУΥύ",
    "z": "ᴢʐƶΖ",
}
"""Lookalikes in use that TR 39, being about identifiers, leaves out."""


HEADER = '''"""Characters that look like ASCII letters.

Made by `tests/bench/make_confusables.py`: edit that.

Source: Unicode TR 39 confusables by way of confusable-homoglyphs 3.3.1 (MIT).
"""

# fmt: off
LOOKALIKES: dict[str, str] = {'''
FOOTER = '''}
"""ASCII letter → what looks like it, after NFKC and case folding."""'''


def folded(char: str) -> str:
    """Return a character as it stands in normalised text."""
    return unicodedata.normalize("NFKC", char).casefold()


def wanted(char: str, like: str) -> bool:
    """Whether this pair of the data file is of use."""
    if len(char) != 1 or len(like) != 1 or not (like.isascii() and like.isalpha()):
        return False
    return not char.isascii() and unicodedata.category(char)[0] in "LNS"


def table(data: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    """Return each look-alike with the letter it looks like; ours win over the data file's."""
    found: dict[str, str] = {}
    for target, chars in SIMILAR.items():
        for char in chars:
            found.setdefault(folded(char), target)
    for char, likes in data.items():
        for like in likes:
            if wanted(char, like["c"]):
                found.setdefault(folded(char), like["c"].lower())
    return {char: target for char, target in found.items() if len(char) == 1 and not char.isascii()}


def lines(found: dict[str, str]) -> list[str]:
    """Return the dictionary's lines."""
    by_target: dict[str, list[str]] = defaultdict(list)
    for char, target in sorted(found.items()):
        by_target[target].append(char)
    return [f'    "{target}": "{"".join(by_target[target])}",' for target in sorted(by_target)]


if __name__ == "__main__":
    source = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    sys.stdout.write("\n".join([HEADER, *lines(table(source)), FOOTER, ""]))
