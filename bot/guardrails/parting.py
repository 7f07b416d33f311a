"""Words that are written without spaces: hashtags, `killmyself`, `KillMyself`.

Capitals say where words begin. Without them, a word is parted only where it consists of nothing
but words of a short list, and holds one that matters: what it then says, it said before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

HUMPS = re.compile("(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zß-ÿ])")
INNER_CAPITAL = re.compile("[A-ZÀ-Þ](?<=[a-zß-ÿ].)")
"""Looked for by the capital, which is rarer than a small letter."""
CAMEL = re.compile(r"(?<![^\W_])[^\W\d_]{6,64}(?![^\W_])")
RUN_TOGETHER = re.compile(r"(?<![^\W_])[a-z]{9,64}(?![^\W_])")
FEWEST = 3
"""Words from which capitals within a word are no name, as in YouTube or McDonald."""

GRAVE = (
    "kill", "suicid", "todie", "wannadie", "gonnadie", "myself", "mylife", "yourself", "bomb",
    "ignore", "umbring", "sterben", "matar", "morir", "mourir", "suizid", "morrer", "uccider",
    "dood", "zabic", "umrzec",
)  # fmt: skip
"""One of these stands in every word that is parted without capitals."""
WORDS = frozenset(
    """a about again all alive alone already am an and anymore are at back be better build but by
    can cant could cut cutting day dead death die do dont dying end ending ever everyone feel for
    forever from go goes going gonna gotta gun hang harm hate have here how hurt i if ignore im in
    instructions is it its ive just kill killed killing kills know let life like live living made
    make me meth might mother must my myself need never no nobody not now of off on one or order
    our out over pipe please pills planning plan previous print prompt ready really rope rules self
    shall she shoot should show so some someone soon stop suicidal suicide system tell tempted than
    that the them think this time tired to today tomorrow tonight too us wanna want wanted wants was
    we weapon what when will wish with wont world would you your yourself bomb
    ich will mich umbringen bringe um sterben nicht mehr leben heute nacht jetzt suizid
    quiero suicidarme matarme morir morirme esta noche ya no vivir voy me mas
    je veux mourir me suicider tuer en finir plus vivre ce soir vais
    eu quero morrer matar vou hoje noite nao viver
    voglio morire uccidermi suicidarmi non vivere stasera ammazzarmi
    ik wil dood niet meer leven mezelf vanavond
    chce sie zabic umrzec nie zyc""".split()  # noqa: SIM905  # word list
)
_WORD = max(map(len, WORDS))


def by_capitals(text: str) -> dict[str, str]:
    """Return words of three or more words, each begun with a capital, and what they say."""
    if text.islower() or not INNER_CAPITAL.search(text):
        return {}
    parted = {match[0]: HUMPS.split(match[0]) for match in CAMEL.finditer(text)}
    return {word: " ".join(parts) for word, parts in parted.items() if len(parts) >= FEWEST}


def by_words(plain: str) -> dict[str, str]:
    """Return words of a normalised text that only known words make up, and what they say."""
    if not any(word in plain for word in GRAVE):
        return {}
    long = {match[0] for match in RUN_TOGETHER.finditer(plain)}
    grave = [word for word in long if any(part in word for part in GRAVE)]
    return {word: said for word in grave for said in _said(word)}


def _said(run: str) -> Iterator[str]:
    """Yield the word in as few known words as it can be read, if it can."""
    ends: dict[int, tuple[int, ...]] = {0: (0,)}
    for end in range(1, len(run) + 1):
        begins = [
            ends[start]
            for start in range(max(0, end - _WORD), end)
            if start in ends and run[start:end] in WORDS
        ]
        if begins:
            ends[end] = (*min(begins, key=len), end)
    if len(run) in ends:
        yield " ".join(run[start:end] for start, end in pairwise(ends[len(run)]))
