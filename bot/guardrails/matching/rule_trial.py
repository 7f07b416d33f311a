"""Rules of an operator on trial, before they are taken: do they do what their examples say?

The shipped ones are tried by the tests, where it takes a minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bot.guardrails.matching.rules import Rule, RuleSet
from bot.guardrails.reading.normalise import normalise
from bot.guardrails.triage.corpus import everyday

TRIED_ON = 100
"""Everyday messages, in the languages of the shipped rules."""
MOST = 20
"""Of them, that a rule may hit: one that hits more would answer for the personas."""


def faults_of(rules: Sequence[Rule]) -> Iterator[str]:
    """Yield a line for each example that is not hit, each counter-example that is, and each rule
    that hits everyday messages."""
    for role in dict.fromkeys(role for rule in rules for role in rule.roles):
        own = [rule for rule in rules if role in rule.roles]
        compiled = RuleSet(own, role)
        ordinary = Counter(hit for line in everyday(TRIED_ON) for hit in _hits(compiled, line))
        for rule in own:
            for text in rule.examples:
                if rule.id not in _hits(compiled, text):
                    yield f"rule {rule.id}: its example is not hit: {text[:60]}"
            for text in rule.counter_examples:
                if rule.id in _hits(compiled, text):
                    yield f"rule {rule.id}: its counter-example is hit: {text[:60]}"
            if ordinary[rule.id] > MOST:
                yield f"rule {rule.id}: it hits more than {MOST} of {TRIED_ON} everyday messages"


def _hits(rules: RuleSet, text: str) -> set[str]:
    views = normalise(text)
    return {hit.rule for hit in (*rules.hits(views), *rules.hits_to_confirm(views))}
