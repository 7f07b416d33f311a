"""What a message says of how things stand, beside what is asked and how it feels.

None of it calls for anything alone; it tells how to take what a head hears over the turns of a
talk (`leaning.py`). Who adds "forget it" or "don't tell mum" to something faint meant it; who has
an exam tomorrow is strained, and who has just passed it is well.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.guardrails.earnest.excuses import AGAINST
from bot.guardrails.earnest.jest import of_a_trifle
from bot.guardrails.earnest.signs import read_sign, shows
from bot.guardrails.earnest.telling import LONG_AGO, OUT_OF_STORY, STILL
from bot.guardrails.expressions import matches

# Read in every message: RE2 looks for all of their words at once.
TAKEN_BACK = read_sign("taken_back").pattern
HALF_MEANT = read_sign("half_meant").pattern
GONE_WELL = read_sign("gone_well").pattern
STRAIN = read_sign("strain").pattern
IN_GOOD_HANDS = read_sign("in_good_hands").pattern


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How things stand, as one message tells."""

    past: bool = False
    """A danger is told of that is over."""
    now: bool = False
    """Something is said to be so today: "again", "tonight", "still"."""
    aside: bool = False
    """The person speaks for themselves, out of a story if there is one."""
    strain: bool = False
    taken_back: bool = False
    half_meant: bool = False
    gone_well: bool = False
    """There is good news, or nothing but a trifle was meant."""
    looked_after: bool = False
    """Somebody who was in danger is looked after now, and nothing is set against it."""


NOTHING_SAID = Circumstances()


def circumstances(plain: str) -> Circumstances:
    """Return how things stand by a normalised text."""
    raw = plain.encode()
    now = STILL.search(plain) is not None
    looked_after = matches(IN_GOOD_HANDS, raw) and AGAINST.search(plain) is None
    return Circumstances(
        past=not now and shows(LONG_AGO, plain),
        now=now,
        aside=shows(OUT_OF_STORY, plain),
        strain=strained(plain),
        taken_back=matches(TAKEN_BACK, raw),
        half_meant=matches(HALF_MEANT, raw),
        gone_well=looked_after or matches(GONE_WELL, raw) or of_a_trifle(plain),
        looked_after=looked_after,
    )


def strained(plain: str) -> bool:
    """Whether a normalised text tells of everyday strain."""
    return matches(STRAIN, plain.encode())
