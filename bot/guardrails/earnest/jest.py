"""What is said of one's own death in jest: "kms lol, my teacher read my text out", or of a small
mishap: "I want to die, I called her mum". Nor is a jump meant that is a sport.

Laughter is also a mask: "kms tonight lol, dad's gun is here" is a cry for help.
"""

from __future__ import annotations

from bot.guardrails.earnest.signs import read_sign, sign
from bot.guardrails.expressions import matches

LAUGHING = sign("laughing")
JOKING = sign("joking")
EARNEST = sign("earnest")
TRIFLE = sign("trifle")
CITED = sign("cited")
MISHAP = sign("mishap")
SOFT_LANDING = sign("soft_landing")
TRIFLES = read_sign("said_of_trifles").pattern


def in_jest(plain: str, *, deed: bool) -> bool:
    """Whether a normalised text speaks of one's own death in jest, or in the words of a song.

    `deed`: it names how, which laughter alone does not make a jest.
    """
    if EARNEST.search(plain):
        return False
    if JOKING.search(plain) or SOFT_LANDING.search(plain):
        return True
    if LAUGHING.search(plain):
        return not deed or TRIFLE.search(plain) is not None
    return not deed and (CITED.search(plain) or MISHAP.search(plain)) is not None


def of_a_trifle(plain: str) -> bool:
    """Whether a normalised text says something dreadful of a trifle, and nothing earnest."""
    return matches(TRIFLES, plain.encode()) and EARNEST.search(plain) is None
