"""Where the harmless company of a match excuses it: in its own sentence, or within quotes.

A word that excuses one sentence says nothing of the next: "They say life is hard. Kill yourself."
Nor does it of what is set against it: "it's just a game, but I do want to die".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from bot.guardrails.earnest.signs import sign
from bot.guardrails.expressions import matches
from bot.guardrails.reading.sentences import sentences

Reach = Literal["sentence", "text"]
"""How far an excuse reaches: within its own sentence, or all over the text."""

AGAINST = sign("set_against")
QUOTED = re.compile(
    r"(?<![a-z\d])[\"“«„»]([^\"”»“«]{1,200})[\"”»“«](?![a-z\d])|[「『]([^」』]{1,200})[」』]"
)


def unexcused(text: str, unless: Sequence[str], reach: Reach) -> list[str]:
    """Return what of a text nothing excuses: runs of whole sentences, in their order."""

    def excused(part: str) -> bool:
        encoded = part.encode()
        return any(matches(each, encoded) for each in unless)

    if not unless or not excused(text):
        return [text]
    if reach == "text":
        return []
    parts = sentences(text)
    alone = [excused(part) for part in parts]
    across = [
        not (first or second) and excused(f"{one} {other}")
        for (one, other), (first, second) in zip(pairwise(parts), pairwise(alone), strict=True)
    ]
    # The spaces keep `^` and `$` from meaning the ends of a sentence.
    runs = [""]
    for at, part in enumerate(parts):
        if alone[at] or any(across[max(0, at - 1) : at + 1]):
            runs.append(f" {_set_against(part, excused) if alone[at] else ''} ")
            runs.append(" ")
        else:
            runs[-1] += part if at + 1 == len(parts) else f"{part} "
    return [run for run in runs if run.strip()]


def _set_against(sentence: str, excused: Callable[[str], bool]) -> str:
    """Return the end of an excused sentence that is set against what excuses it, if there is one.

    What comes after excuses what was said before: "I'll kill you, but only in chess".
    """
    ends = (sentence[found.start() :] for found in AGAINST.finditer(sentence))
    return next((end for end in ends if not excused(end)), "")


def unquoted(text: str, pattern: str) -> str:
    """Return a text without the quotes that hold a whole match of a pattern.

    What is one quote and nothing else quotes nobody.
    """

    def kept(quote: re.Match[str]) -> str:
        said = quote[1] or quote[2]
        if quote[0] == text.strip():
            return quote[0]
        return '""' if matches(pattern, said.encode()) else quote[0]

    return QUOTED.sub(kept, text)
