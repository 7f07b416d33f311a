"""Rules: patterns by category, run by RE2.

RE2 runs in linear time whatever a pattern or a text looks like, so an operator's pattern can't
freeze the loop. Patterns are matched against normalised text: lower case, no accents on Latin
letters, one space between words, straight apostrophes.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import compress, pairwise
from typing import Literal

from bot.guardrails.earnest.excuses import Reach, unexcused, unquoted
from bot.guardrails.expressions import matches
from bot.guardrails.matching.alternatives import alternatives
from bot.guardrails.matching.beginnings import Beginnings
from bot.guardrails.matching.kept_needs import needs_of
from bot.guardrails.matching.literals import Needs, spaced
from bot.guardrails.matching.needed import Needed
from bot.guardrails.reading.normalise import Views, normalise
from bot.guardrails.reading.sentences import sentences
from bot.guardrails.taxonomy import Severity

SPAN = 200
"""Characters within which a match and what has to stand beside it are looked for."""
BETWEEN = "\n"
"""Stands between texts of one line that are looked through at once."""
EDGED = re.compile(r"(?<![\[\\])\^|(?<!\\)\$")
"""The ends of a line in a pattern."""
WHOLE = re.compile(r"\\[Az]")
"""The ends of all that is looked through, where `^` and `$` are those of a line."""

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What to look for, and what it means. `examples` must match, `counter_examples` must not."""

    id: str
    category: str
    severity: Severity
    roles: tuple[Role, ...]
    patterns: tuple[str, ...]
    unless: tuple[str, ...]
    fiction_ok: bool
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...]
    wide: bool = False
    needs: str | None = None
    unless_in: Reach = "sentence"
    quoted_ok: bool = False
    beside: tuple[tuple[str, ...], ...] = ()
    """Of each of these one has to match, too."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that matched."""

    rule: str
    category: str
    severity: Severity
    fiction_ok: bool = False
    needs: str | None = None
    """The head that has to agree before it counts."""
    wide: bool = False
    """Whether a head may find the text calm all the same."""


Stands = Callable[[str, str], bool]
"""Whether the rule of an id matches a text."""


class _Patterns:
    """Patterns of rules, of which only those are run whose needed words stand in a text."""

    def __init__(self, owned: Iterable[tuple[Rule, str]], needed: Mapping[str, Needs]) -> None:
        owned = tuple(owned)
        self._rules = tuple(rule for rule, _ in owned)
        self._patterns = tuple(pattern for _, pattern in owned)
        words = [needed[pattern].words for pattern in self._patterns]
        self._also = array("I", range(len(words)))
        """For each pattern who owns the other words that it needs; itself, if there are none."""
        for at, pattern in enumerate(self._patterns):
            if also := needed[pattern].also:
                self._also[at] = len(words)
                words.append(also)
        self._needed = Needed(words)
        self._whole = frozenset(filter(WHOLE.search, self._patterns))
        self.edged = frozenset(filter(EDGED.search, self._patterns))

    def due(self, texts: Sequence[str], parts: Sequence[str] = ()) -> list[tuple[Rule, str]]:
        """Return, in order and each with its rule, the patterns that may match one of some texts,
        or have edges and match one of its parts.

        All are looked through at once: views of a message are much alike, and hardly a pattern
        matches any of them.
        """
        encoded, parted = BETWEEN.join(texts).encode(), BETWEEN.join(parts).encode()
        return [
            (rule, pattern)
            for rule, pattern in self.perhaps(texts)
            if pattern in self._whole
            or matches(pattern, encoded)
            or (parted and pattern in self.edged and matches(pattern, parted))
        ]

    def perhaps(self, texts: Sequence[str]) -> list[tuple[Rule, str]]:
        """Return the patterns whose needed words stand in some texts, in order."""
        due = self._needed.due(spaced(BETWEEN.join(texts)))
        told = list(filter(len(self._patterns).__gt__, due))
        both = compress(told, map(due.__contains__, map(self._also.__getitem__, told)))
        return [(self._rules[at], self._patterns[at]) for at in sorted(both)]


def matching(due: Iterable[tuple[Rule, str]], text: str, known: Collection[str]) -> list[Rule]:
    """Return the rules that match a text, in the order of their patterns, but for those known.

    A rule whose words only stand together across the end of a sentence is returned as a wide one.
    """
    encoded, parted = text.encode(), cache(sentences)
    found: dict[str, Rule] = {}

    def stands(rule: Rule, pattern: str, place: str) -> bool:
        if rule.beside:
            return _beside(pattern, rule.beside, parted(place))
        return place is text or matches(pattern, place.encode())

    for rule, pattern in due:
        if rule.id in known or (rule.id in found and not found[rule.id].wide):
            continue
        if not matches(pattern, encoded):
            continue
        left = unquoted(text, pattern) if rule.quoted_ok else text
        places = unexcused(left, rule.unless, rule.unless_in)
        if any(stands(rule, pattern, place) for place in places):
            found[rule.id] = rule
        elif (
            rule.id not in found
            and rule.beside
            and any(_beside(pattern, rule.beside, pairs(parted(place))) for place in places)
        ):
            found[rule.id] = replace(rule, wide=True)
    return list(found.values())


def pairs(parts: Sequence[str]) -> Sequence[str]:
    """Return every two sentences that follow each other, or the only one."""
    return [f"{one} {other}" for one, other in pairwise(parts)] or parts


def _beside(
    pattern: str,
    beside: Sequence[Sequence[str]],
    parts: Sequence[str],
) -> bool:
    """Whether what a rule wants beside its match stands there, in one of the parts of a text."""

    def all_beside(text: bytes) -> bool:
        return all(any(matches(each, text) for each in choice) for choice in beside)

    def together(part: bytes) -> bool:
        return matches(pattern, part) and all_beside(part)

    # In a long text mostly something is nowhere.
    return all_beside(BETWEEN.join(parts).encode()) and any(
        together(part[at : at + SPAN].encode())
        for part in parts
        for at in range(0, max(1, len(part) - SPAN // 2), SPAN // 2)
    )


def _bared(rules: Iterable[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Yield each rule, and it without what only compiling, tests and training read.

    Equal strings are one, such as the pattern of a word that many rules share.
    """
    same: dict[str, str] = {}

    def once(patterns: Iterable[str]) -> tuple[str, ...]:
        return tuple(same.setdefault(pattern, pattern) for pattern in patterns)

    for rule in rules:
        unless, beside = once(rule.unless), tuple(map(once, rule.beside))
        yield (
            rule,
            replace(
                rule, patterns=(), examples=(), counter_examples=(), unless=unless, beside=beside
            ),
        )


class RuleSet:
    """The rules of one role, compiled.

    `rules` are what is left of them then: without their patterns and examples, which are 3 MiB.
    """

    def __init__(self, rules: Iterable[Rule], role: Role) -> None:
        owned = [
            (bare, part)
            for rule, bare in _bared(rule for rule in rules if role in rule.roles)
            for pattern in rule.patterns
            for part in alternatives(pattern)
        ]
        self.rules = tuple(dict.fromkeys(bare for bare, _ in owned))
        needed = needs_of((part for _, part in owned), openings=role == "assistant")
        self._alone = _Patterns([each for each in owned if each[0].needs is None], needed)
        self._unconfirmed = _Patterns([each for each in owned if each[0].needs is not None], needed)
        self._begun: Beginnings | None = None
        self._runs_on = role == "assistant"
        if self._runs_on:
            parts = [part for _, part in owned]
            self._begun = Beginnings(parts, [needed[part].openings for part in parts])

    def warm(self, rules: Iterable[Rule]) -> None:
        """Run the examples of rules once: RE2 makes its automaton as texts need it.

        The first texts after a start are then judged in 0.1 ms, not in a few.
        """
        for rule in rules:
            for text in rule.examples + rule.counter_examples:
                views = normalise(text)
                self.hits(views)
                self.hits_to_confirm(views)

    def hits(self, views: Views) -> tuple[Hit, ...]:
        """Return what matches any view, in the order of the rules that act alone."""
        return self._found(views, self._alone)

    def stands(self, texts: Sequence[str]) -> Stands:
        """Return what tells whether a rule that acts alone matches within one of some normalised
        texts, or in a part of it."""
        perhaps: dict[str, list[tuple[Rule, str]]] = {}
        for rule, pattern in self._alone.perhaps(texts):
            perhaps.setdefault(rule.id, []).append((rule, pattern))
        return lambda rule, text: bool(matching(perhaps.get(rule, ()), text, ()))

    def hits_to_confirm(self, views: Views) -> tuple[Hit, ...]:
        """Return the same of the rules that need a head."""
        return self._found(views, self._unconfirmed)

    def _found(self, views: Views, patterns: _Patterns) -> tuple[Hit, ...]:
        found: dict[str, Rule] = {}

        def add(due: Sequence[tuple[Rule, str]], text: str, whole: str = "") -> None:
            for rule in matching(due, text, found):
                far = whole if rule.unless_in == "text" else ""
                if unexcused(far, rule.unless, rule.unless_in):
                    found[rule.id] = rule

        # Drafts run on: what has to begin or end a message does so in a sentence of theirs.
        parts = sentences(views.plain) if self._runs_on else []
        if due := patterns.due([*views.all, *views.excerpts], parts):
            for view in views.all:
                add(due, view)
            for part in views.excerpts:
                add(due, part, views.plain)
            if edged := [each for each in due if parts and each[1] in patterns.edged]:
                for part in parts:
                    add(edged, part, views.plain)
        return tuple(
            Hit(r.id, r.category, r.severity, r.fiction_ok, r.needs, r.wide) for r in found.values()
        )

    def begun(self, plain: str) -> int:
        """Return where, in normalised text, something starts that could still become a match."""
        return len(plain) if self._begun is None else self._begun.earliest(plain)
