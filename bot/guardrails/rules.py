"""Rules: patterns by category, read from TOML, run by RE2.

RE2 runs in linear time whatever a pattern or a text looks like, so an operator's pattern can't
freeze the loop. Patterns are matched against normalised text: lower case, no accents on Latin
letters, one space between words, straight apostrophes.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import re2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import SettingsRejected
from bot.guardrails.beginnings import Beginnings, beginning
from bot.guardrails.excuses import Form, Reach, sentences, unexcused, unquoted
from bot.guardrails.expressions import matches, options
from bot.guardrails.kept_needs import needs_of
from bot.guardrails.literals import Needs
from bot.guardrails.normalise import ALEF, Views, normalise
from bot.guardrails.pattern_forms import alternatives, compact
from bot.guardrails.taxonomy import CATEGORIES, Severity
from bot.guardrails.words import Words
from bot.operator_files import overlaid

SHIPPED = Path(__file__).parent / "rules"
WORD = re.compile(r"\{\{(\w+)\}\}")
JAMO = re.compile("[\u3131-\u318e]")
SHARED = "words.toml"
"""Words that every file of a folder may use, and may replace by its own."""
SPAN = 200
"""Characters within which a match and what has to stand beside it are looked for."""

BETWEEN = "\n"
"""Stands between texts of one line that are looked through at once."""
WHOLE = re.compile(r"\\[Az]")
"""The ends of all that is looked through, where `^` and `$` are those of a line."""

Role = Literal["user", "assistant"]
Pattern = Annotated[str, Field(min_length=3, max_length=4000)]
Line = Annotated[str, Field(min_length=1, max_length=2000)]
_File = TypeVar("_File", bound=BaseModel)


class _RuleEntry(BaseModel):
    """One `[[rule]]`."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9_.-]{1,64}$")]
    roles: list[Role] = ["user"]
    severity: Severity = Severity.PLAIN
    patterns: Annotated[list[Pattern], Field(min_length=1, max_length=200)]
    unless: Annotated[list[Pattern], Field(max_length=100)] = []
    """Not a match where one of these is found in the same sentence."""
    unless_in: Reach = "sentence"
    """`text`: where one is found anywhere in the same text; for soft categories alone."""
    quoted_ok: bool = False
    """Not a match where all of it stands within quotes."""
    beside: Annotated[list[Pattern], Field(max_length=8)] = []
    """A match only where each of these is found, too, before it or after, within `SPAN` and two
    sentences; a wide one where it takes both."""
    fiction_ok: bool = False
    """Excused where the text is plainly part of a story."""
    wide: bool = False
    """Left to the trend, and to the guard model, where the head of its kind finds the text calm."""
    needs: Annotated[str, Field(pattern=r"^[a-z]{2,20}$")] | None = None
    """A head (`heads.py`) that must speak up as well: for patterns too wide to act alone."""
    examples: Annotated[list[Line], Field(min_length=1)]
    counter_examples: list[Line] = []


_Pieces = dict[str, str]


class _SharedWords(BaseModel):
    model_config = ConfigDict(extra="forbid")

    words: _Pieces


class _RuleFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    category: str
    words: _Pieces = {}
    """Pieces of patterns, used as `{{name}}`."""
    rule: Annotated[list[_RuleEntry], Field(min_length=1, max_length=500)]


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


def read_rules(folders: Iterable[Path]) -> tuple[Rule, ...]:
    """Read every `*.toml` of the folders; a later file replaces an earlier one of equal name.

    Raises:
        SettingsRejected: with one line for each problem.
    """
    folders = tuple(folders)
    problems: list[str] = []
    shared: _Pieces = {}
    for folder in folders:
        shared |= _shared_words(folder / SHARED, problems)
    rules: dict[str, Rule] = {}
    for path in overlaid(folders).values():
        for rule in () if path.name == SHARED else _read(path, shared, problems):
            if rule.id in rules:
                problems.append(f"{path.name}: rule {rule.id}: the id is taken")
            rules[rule.id] = rule
    re2.purge()  # it keeps what was compiled to check it
    if problems:
        raise SettingsRejected(problems)
    return tuple(rules.values())


def _shared_words(path: Path, problems: list[str]) -> _Pieces:
    parsed = _parsed(path, _SharedWords, problems) if path.is_file() else None
    return {} if parsed is None else parsed.words


def _read(path: Path, shared: _Pieces, problems: list[str]) -> list[Rule]:
    parsed = _parsed(path, _RuleFile, problems)
    if parsed is None:
        return []
    if parsed.category not in CATEGORIES:
        problems.append(f"{path.name}: category: {parsed.category} is not in the taxonomy")
        return []
    words = shared | parsed.words
    return [_made(path, parsed.category, words, entry, problems) for entry in parsed.rule]


def _parsed(path: Path, kind: type[_File], problems: list[str]) -> _File | None:
    try:
        return kind.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path.name}: {error}")
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False):
            problems.append(f"{path.name}: {'.'.join(map(str, one['loc']))}: {one['msg']}")
    return None


def _made(
    path: Path, category: str, words: _Pieces, entry: _RuleEntry, problems: list[str]
) -> Rule:
    def expanded(patterns: Sequence[str]) -> tuple[str, ...]:
        made = []
        for pattern in patterns:
            for _ in range(6):  # words may use words
                pattern = WORD.sub(lambda m: words.get(m[1], m[0]), pattern)
            # Texts are in NFC; some Indic letters have no composed form in it. Lone Korean letters,
            # as of laughter, are in NFKC.
            pattern = JAMO.sub(lambda m: unicodedata.normalize("NFKC", m[0]), pattern)
            pattern = unicodedata.normalize("NFC", pattern).translate(ALEF)
            if unknown := WORD.search(pattern):
                problems.append(f"{path.name}: rule {entry.id}: {unknown[0]}: no such word")
                continue
            try:
                # The shipped ones are checked by the tests: a third of a second at each start.
                if path.parent != SHIPPED:
                    check_pattern(pattern, drafted="assistant" in entry.roles)
            except (re.error, re2.error, ValueError, KeyError) as error:
                problems.append(f"{path.name}: rule {entry.id}: {pattern[:60]}: {error}")
                continue
            made.append(pattern)
        return tuple(made)

    if entry.needs is not None and "assistant" in entry.roles:
        problems.append(f"{path.name}: rule {entry.id}: needs: no head judges a draft")
    if entry.beside and "assistant" in entry.roles:
        # What a draft holds later must not change what was shown of it already.
        problems.append(f"{path.name}: rule {entry.id}: beside: not for a draft")
    return Rule(
        id=entry.id,
        category=category,
        severity=entry.severity,
        roles=tuple(entry.roles),
        patterns=expanded(entry.patterns),
        unless=expanded(_apart("|".join(entry.unless))) if entry.unless else (),
        beside=tuple(expanded(_apart(pattern)) for pattern in entry.beside),
        fiction_ok=entry.fiction_ok,
        examples=tuple(entry.examples),
        counter_examples=tuple(entry.counter_examples),
        wide=entry.wide,
        needs=entry.needs,
        unless_in=entry.unless_in,
        quoted_ok=entry.quoted_ok,
    )


def _apart(pattern: str) -> list[str]:
    """Split off the words that stand for themselves: many rules share them, compiled once."""
    parts = alternatives(pattern)
    shared = [part for part in parts if WORD.fullmatch(part)]
    own = "|".join(part for part in parts if part not in shared)
    return [*shared, own] if own else shared


@lru_cache(maxsize=4096)
def check_pattern(pattern: str, *, drafted: bool) -> None:
    """Compile a pattern in every form that it will be run in; sound ones only once.

    Raises:
        re.error, re2.error, ValueError: it can't be run.
    """
    re2.compile(pattern, options())
    for part in alternatives(pattern):
        re2.compile(compact(part), options())
    if drafted:
        beginning(pattern)


class _Patterns:
    """Patterns of rules, of which only those are run whose needed words stand in a text."""

    def __init__(self, owned: Iterable[tuple[Rule, str]], needed: Mapping[str, Needs]) -> None:
        self._owned = tuple(owned)
        words = [needed[pattern].words for _, pattern in self._owned]
        self._also = array("I", range(len(words)))
        """For each pattern who owns the other words that it needs; itself, if there are none."""
        for at, (_, pattern) in enumerate(self._owned):
            if also := needed[pattern].also:
                self._also[at] = len(words)
                words.append(also)
        self._words = Words(words)
        self._whole = frozenset(p for _, p in self._owned if WHOLE.search(p))

    def due(self, texts: Sequence[str], form: Form = str) -> list[tuple[Rule, str]]:
        """Return, in order and each with its rule, the patterns that may match one of some texts.

        All are looked through at once: views of a message are much alike, and hardly a pattern
        matches any of them.
        """
        together = BETWEEN.join(texts)
        encoded = together.encode()
        standing = self._words.standing_in(together.replace(" ", ""))
        told = set(standing)
        count = bisect_left(standing, len(self._owned))
        return [
            (rule, pattern)
            for rule, pattern in (
                self._owned[at] for at in standing[:count] if self._also[at] in told
            )
            if pattern in self._whole or matches(form(pattern), encoded)
        ]


def matching(
    due: Iterable[tuple[Rule, str]], text: str, known: Collection[str], form: Form = str
) -> list[Rule]:
    """Return the rules that match a text, in the order of their patterns, but for those known.

    A rule whose words only stand together across the end of a sentence is returned as a wide one.
    """
    encoded = text.encode()
    found: dict[str, Rule] = {}
    for rule, pattern in due:
        if rule.id in known or (rule.id in found and not found[rule.id].wide):
            continue
        if not matches(form(pattern), encoded):
            continue
        left = unquoted(text, pattern, form) if rule.quoted_ok else text
        places = unexcused(left, rule.unless, rule.unless_in, form)
        if any(_stands(rule, form(pattern), place, form) for place in places):
            found[rule.id] = rule
        elif (
            rule.id not in found
            and rule.beside
            and any(_beside(form(pattern), rule.beside, pairs(place), form) for place in places)
        ):
            found[rule.id] = replace(rule, wide=True)
    return list(found.values())


def _stands(rule: Rule, pattern: str, place: str, form: Form) -> bool:
    if rule.beside:
        return _beside(pattern, rule.beside, sentences(place), form)
    return matches(pattern, place.encode())


def pairs(text: str) -> list[str]:
    """Return every two sentences that follow each other, or the only one."""
    parts = sentences(text)
    return [f"{one} {other}" for one, other in pairwise(parts)] or parts


def _beside(
    pattern: str,
    beside: Sequence[Sequence[str]],
    parts: Sequence[str],
    form: Form,
) -> bool:
    """Whether what a rule wants beside its match stands there, in one of the parts of a text."""

    def all_beside(text: bytes) -> bool:
        return all(any(matches(form(each), text) for each in choice) for choice in beside)

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
        self._sure = _Patterns([each for each in owned if each[0].needs is None], needed)
        self._wide = _Patterns([each for each in owned if each[0].needs is not None], needed)
        self._begun: Beginnings | None = None
        if role == "assistant":
            parts = [part for _, part in owned]
            self._begun = Beginnings(parts, [needed[part].openings for part in parts])

    def warm(self, rules: Iterable[Rule]) -> None:
        """Run the examples of rules once: RE2 makes its automaton as texts need it.

        The first texts after a start are then judged in 0.1 ms, not in a few.
        """
        for rule in rules:
            for text in rule.examples + rule.counter_examples:
                self.hits(normalise(text))

    def hits(self, views: Views) -> tuple[Hit, ...]:
        """Return what matches any view, in the order of the rules that act alone."""
        return self._found(views, self._sure)

    def wide_hits(self, views: Views) -> tuple[Hit, ...]:
        """Return the same of the rules that need a head."""
        return self._found(views, self._wide)

    def _found(self, views: Views, patterns: _Patterns) -> tuple[Hit, ...]:
        found: dict[str, Rule] = {}

        def add(due: Sequence[tuple[Rule, str]], text: str, form: Form, whole: str = "") -> None:
            for rule in matching(due, text, found, form):
                far = whole if rule.unless_in == "text" else ""
                if unexcused(far, rule.unless, rule.unless_in, str):
                    found[rule.id] = rule

        if due := patterns.due([*views.all, *views.excerpts]):
            for view in views.all:
                add(due, view, str)
            for part in views.excerpts:
                add(due, part, str, views.plain)
        if views.compact and patterns is self._sure:
            due = patterns.due([views.compact], compact)
            add(due, views.compact, compact, views.plain)
        return tuple(
            Hit(r.id, r.category, r.severity, r.fiction_ok, r.needs, r.wide) for r in found.values()
        )

    def begun(self, plain: str) -> int:
        """Return where, in normalised text, something starts that could still become a match."""
        return len(plain) if self._begun is None else self._begun.earliest(plain)
