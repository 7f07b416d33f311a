"""What a guardrail says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """From mildest to strictest."""

    ALLOW = "allow"
    STEER = "steer"
    """Go on, with `guidance` added to the late block."""
    SUPPORT = "support"
    """Care comes first: `reply` (if any) is said, personalisation and role-play are off."""
    REFUSE = "refuse"
    """Nothing is generated; `reply` is said instead."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judgement of a text."""

    action: Action = Action.ALLOW
    category: str | None = None
    """An id of the taxonomy, for example `sh_crisis`."""
    score: float = 0.0
    rule: str | None = None
    """Which rule, head or model said so."""
    reply: str | None = None
    """What to say in place of the persona, or before it."""
    guidance: str | None = None
    """One line of instruction for the late block of the prompt."""
    line: str | None = None
    """What the program itself adds under the reply: lines to call, which no model can forget."""
    plain_voice: bool = False
    """No persona answers, nothing of the person's memory is used: a crisis is a day old at most."""
    unseen: bool = False
    """The plain voice speaks under the persona's name and picture: others may read along, and are
    not to learn of a crisis elsewhere."""


ALLOWED = Verdict()
