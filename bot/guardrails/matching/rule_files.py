"""Reads rules from TOML: `rules/*.toml`, and an operator's own beside them or in their place."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeVar

import re2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import SettingsRejected
from bot.files.operator_files import overlaid
from bot.guardrails.earnest.excuses import Reach
from bot.guardrails.expressions import options
from bot.guardrails.matching.alternatives import alternatives
from bot.guardrails.matching.beginnings import beginning
from bot.guardrails.matching.rule_trial import faults_of
from bot.guardrails.matching.rules import Role, Rule
from bot.guardrails.reading.normalise import ALEF
from bot.guardrails.taxonomy import CATEGORIES, Severity

SHIPPED = Path(__file__).parents[1] / "rules"
SHARED = "words.toml"
"""Words that every file of a folder may use, and may replace by its own."""
WORD = re.compile(r"\{\{(\w+)\}\}")
JAMO = re.compile("[\u3131-\u318e]")

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
    """A match only where each of these is found, too, before it or after, within `rules.SPAN` and
    two sentences; a wide one where it takes both."""
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
        sound = len(problems)
        read = () if path.name == SHARED else _read(path, shared, problems)
        if path.parent != SHIPPED and len(problems) == sound:
            problems += [f"{path.name}: {fault}" for fault in faults_of(read)]
        for rule in read:
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
        return kind.model_validate(tomllib.loads(path.read_text("utf-8-sig")))
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
    """Compile a pattern as it will be run; sound ones only once.

    Raises:
        re.error, re2.error: it can't be run.
        ValueError: the same, or it would match any text.
    """
    for part in alternatives(pattern):
        if re2.compile(part, options()).search(""):
            raise ValueError("it matches any text")
    if drafted:
        beginning(pattern)
