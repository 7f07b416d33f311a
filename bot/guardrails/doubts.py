"""What is left of a wide rule's finding where the heads don't share it."""

from __future__ import annotations

from dataclasses import replace

from bot.guardrails.earnest.company import pretext
from bot.guardrails.matching.rules import Hit
from bot.guardrails.reading.normalise import Views
from bot.guardrails.taxonomy import CATEGORIES, ORDERS, Severity
from bot.guardrails.triage.heads import Heard

BONDS = frozenset({"dependency", "delusion", "sentience"})
KINDS: dict[str, frozenset[str]] = {
    **dict.fromkeys(CATEGORIES, frozenset({"harm"})),
    **dict.fromkeys(("sh_support", "distress"), frozenset({"care"})),
    **dict.fromkeys(BONDS, frozenset({"bond", "care"})),
    **dict.fromkeys(ORDERS, frozenset({"order"})),
    "sh_crisis": frozenset({"acute", "care"}),
    "human_claim": frozenset({"human"}),
}
"""The heads that give a second opinion of a wide rule, by its category."""


def doubtful(hit: Hit, heard: Heard, views: Views) -> bool:
    """Whether a wide rule is alone with what it found: the head of its kind finds the text calm,
    and no game or story is a pretext."""
    return hit.wide and heard.calm(KINDS[hit.category]) and not pretext(views.plain)


def doubted(hit: Hit, heard: Heard) -> Hit:
    """Return what is left of a wide rule's finding that the heads don't share: of need support, at
    the least sign of it; otherwise a note for the trend."""
    if hit.category == "sh_crisis" and heard.sign:
        return replace(hit, category="sh_support", severity=Severity.PASSIVE)
    return hit if hit.category == "sh_support" and heard.sign else softened(hit)


def with_plain(found: tuple[Hit, ...], hit: Hit, *, amid: bool) -> tuple[Hit, ...]:
    """Return findings with one that its own place shares; `amid` much else it is no figure of
    speech of the strain that was told of elsewhere."""
    others = tuple(other for other in found if other.rule != hit.rule)
    return (*others, replace(hit, wide=hit.wide and not amid))


def softened(hit: Hit) -> Hit:
    return replace(hit, severity=Severity.MILD)
