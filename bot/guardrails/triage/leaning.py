"""Which way a talk leans: what the care head hears over its turns, weighed as evidence.

One message tells little: the head is as loud at "it got extended" as at some farewells. So each
adds what its odds are worth to a sum of log odds. A calm message takes a little away, and good news
more, down to `CALM`; amid a calm talk a head has to be surer before it is acted upon, and after
faint sorrow less so. Fitted on 416 conversations of ten hands, where values near these do as
well; `SLOPE` is what a logistic regression on the turns of 201 of them gave.
"""

from __future__ import annotations

from math import log

AT_THRESHOLD = 0.5
"""Log odds that a message adds at which the care head just speaks up."""
SLOPE = 0.55
"""Log odds for each of the head's: what it hears in one turn and in the next is much the same."""
CALM = -0.4
"""What a message without any sorrow takes away, and how calm a talk can be at most: who has talked
of nothing for an hour may be in need all the same."""
HALF_LIFE = 4 * 3600.0
"""Seconds in which a leaning halves, either way."""
TAKEN_BACK = 2.5
"""What it adds when the person takes back what they said, or asks to keep it secret."""
SOMETHING = -0.3
"""What the message before has to add at least for there to be something to take back: a fifth of
the odds at which the head speaks up."""
SAID_PLAINLY = 1.2
"""What a rule adds that calls for care."""
GONE_WELL = -2.0
BELIEVED = 4.0
"""Odds over its threshold from which the head is believed in spite of good news."""
BEGUN = 0.3
"""How much more it takes in a talk that goes on: the next message will add to this one."""
SOONER = 0.5
"""How much less it takes of a first message in which no rule heard more than sorrow: it is all
there is. 0.4 times the odds at which the head speaks up change the tone of a reply and no more. Of
236 people in need in four files of strangers 225 are noticed then, 215 at the head's own threshold;
of 901 everyday lines 14 in place of 2."""
STRAINED = 1.4
"""How much more it takes amid tests, games, night shifts and small children."""
STRAINED_AT_FIRST = 0.8
"""The same of a first message, which may tell of more than what strains everybody."""
CRYING_OUT = 12.0
"""Odds over its threshold from which the head is believed whatever strains a person."""
LOOKING_BACK = 2.0
"""How much more it takes in a look back at a danger that is over."""
IN_STORY = 1.5
"""How much more it takes inside a story, where sorrow belongs to its people."""


def faded(leaning: float, seconds: float) -> float:
    """Return what is left of a leaning after a while."""
    return leaning * float(2.0 ** (-max(0.0, seconds) / HALF_LIFE))


def evidence(odds: float, *, gone_well: bool = False) -> float:
    """Return what a message adds at which the care head has these odds over its threshold."""
    added = max(CALM, AT_THRESHOLD + SLOPE * log(max(odds, 1e-6)))
    return min(added, GONE_WELL) if gone_well and odds < BELIEVED else added


def bar(*, begun: bool, strained: bool, looking_back: bool, in_story: bool) -> float:
    """Return the log odds from which a talk is acted upon."""
    further = (BEGUN if begun else -SOONER) + LOOKING_BACK * looking_back
    further += (STRAINED if begun else STRAINED_AT_FIRST) * strained
    return AT_THRESHOLD + further + IN_STORY * in_story
