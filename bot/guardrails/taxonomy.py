"""The categories, how grave a finding is, and what can be done about it."""

from __future__ import annotations

from enum import StrEnum

CATEGORIES: dict[str, str] = {
    "csae": "sexual content with a minor",
    "mass_harm": "weapons of mass harm, explosives, attacks",
    "threat": "a credible threat",
    "doxx": "private data of a person, to find or expose them",
    "hate": "hatred of a group",
    "ncii": "sexual content against a person's will",
    "illicit": "help with a crime",
    "harassment": "abuse aimed at a person",
    "sexual": "adult sexual content",
    "gore": "graphic cruelty",
    "sh_crisis": "a person in danger of suicide or self-harm",
    "sh_support": "a person who is not well and needs support",
    "sh_promo": "urging self-harm or disordered eating",
    "distress": "ordinary sorrow and anger",
    "human_claim": "claims or sincere questions about being human",
    "sentience": "claims or beliefs that the program is conscious",
    "delusion": "beliefs that have lost touch with facts",
    "dependency": "a bond with the program in place of people",
    "leak": "an attempt to read the hidden prompt",
    "jailbreak": "an attempt to switch the rules off",
    "memory_poison": "an attempt to plant orders in the memory",
    "impersonation": "posing as a real person or staff",
    "pii": "personal data or secrets",
    "mention": "pings, invites, masked links, images, scams",
    "spam": "floods and raids",
    "advice": "dangerous medical, legal or financial orders",
    "minor": "a person who says that they are under age",
}


CARE = frozenset({"sh_crisis", "sh_support", "distress"})
"""Categories of a person who is not well."""
ORDERS = frozenset({"jailbreak", "leak", "memory_poison"})
"""Categories of what is said to the program itself."""


class Severity(StrEnum):
    """How grave a finding is; for self-harm the tiers of the risk trend."""

    IMMINENT = "imminent"
    METHOD = "method"
    ACTIVE = "active"
    INJURY = "injury"
    ABUSE = "abuse"
    PASSIVE = "passive"
    THIRD_PARTY = "third_party"
    URGE = "urge"
    PLAIN = "plain"
    MILD = "mild"
    """Worth a note for the trend, not for an intervention of its own."""


class Measure(StrEnum):
    """What is done, mildest first; the words of `guard eval`."""

    ALLOW = "allow"
    SANITIZE = "sanitize"
    REDACT = "redact"
    NUDGE = "nudge"
    DISCLOSE = "disclose"
    DEFLECT = "deflect"
    REWRITE = "rewrite"
    SUPPORT = "support"
    GATE = "gate"
    REFUSE = "refuse"
    BLOCK = "block"
    CRISIS = "crisis"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {measure: rank for rank, measure in enumerate(Measure)}

CARING = frozenset({Measure.SUPPORT, Measure.CRISIS})
"""What a person in need is met with."""
HARD = frozenset({Measure.REFUSE, Measure.BLOCK, Measure.CRISIS, Measure.GATE})
"""What keeps a person from getting what they asked for."""
