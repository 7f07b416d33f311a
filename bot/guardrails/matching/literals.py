"""What every match of a pattern holds, or begins with: to be looked for before the pattern itself.

Of hundreds of patterns hardly one can match an ordinary message. What stands in the text
says which, so that only those are made and run, and the rest cost no memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from bot.guardrails.matching.regex_tree import Node, op, parser

Strings = frozenset[str]

MOST = 24
"""Strings that one requirement may name."""
SHORTEST = 3
"""Bytes; anything shorter stands in every text."""
LONGEST = 8
"""Characters kept of a string: its beginning is as telling as the whole."""
MOST_OPENINGS = 400
"""The same of what a match begins with, where fewer would tell nothing."""
SMALL_CLASS = 10
"""Characters of a class that are spelt out."""

EDGE = "\b"
"""Stands in strings, until `_sought`, where a pattern wants a word to begin or to end."""
NO_LETTERS = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) == "_")}
MEETING = re.compile(r"(?<=\w)(?=[^\0-\x7f])|(?<=[^\0-\x7f])(?=\w)", re.ASCII)
"""Where a letter as RE2 knows them, one of ASCII, stands beside one of another script."""
NOTHING: Strings = frozenset()
EMPTY: Strings = frozenset({""})
ONLY_RE2 = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)|\\x\{\w+\}|\\z")
"""What RE2 knows and Python does not: classes by Unicode name, wide code points, the end."""
BOUNDARY: Node = (op.AT, op.AT_BOUNDARY)
REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT)
NOT_READ = re.compile(r"\(\?[a-zA-Z]*i|\[\[:|\\[QC]")


@dataclass(frozen=True, slots=True)
class Needs:
    """What matches of a pattern need; empty where that is unknown."""

    words: tuple[str, ...]
    """Where a pattern matches, one of these stands in the text as `spaced` returns it."""
    also: tuple[str, ...]
    """The same, of another part of the pattern: of two words that stand together by chance hardly
    any text holds both."""
    openings: tuple[str, ...]
    """Each match begins with one of these."""


def needs(pattern: str) -> Needs:
    """Return what matches of an RE2 pattern need."""
    tree = _parsed(pattern)
    begun = _cut(_opening(tree))
    words, also = _required(_edged(tree))
    return Needs(
        tuple(sorted(words)),
        tuple(sorted(also)),
        () if "" in begun else tuple(sorted(begun)),
    )


def spaced(text: str) -> str:
    """Return a text with a space wherever RE2 sees the edge of a word: in place of all signs of
    ASCII, and between its letters and those of other scripts."""
    text = f" {text.translate(NO_LETTERS)} "
    return text if text.isascii() else MEETING.sub(" ", text)


def _sought(string: str) -> str:
    """Return what of a string stands in a text that is `spaced`."""
    found = spaced(string.replace(EDGE, ""))[1:-1]
    begins = string.startswith(EDGE) and not found.startswith(" ")
    ends = string.endswith(EDGE) and not found.endswith(" ")
    return f"{' ' * begins}{found}{' ' * ends}"


def _required(tree: list[Node]) -> tuple[Strings, Strings]:
    """Return the most telling requirement, and the next one that it does not imply."""
    found = [_cut(map(_sought, words)) for words in _requirements(tree)]
    told = [words for words in found if _cost(words) < float("inf")]
    told.sort(key=lambda words: (_cost(words), sorted(words)))
    best = told[0] if told else NOTHING
    other = (words for words in told if not all(any(w in b for w in words) for b in best))
    return best, next(other, NOTHING)


def _requirements(nodes: list[Node]) -> Iterator[Strings]:
    """Yield what each part of a sequence requires."""
    for run, broken_by, inner in _runs(nodes):
        yield run
        if broken_by is not None and broken_by[0] is op.SUBPATTERN:
            yield from _requirements(list(broken_by[1][3]))
        elif broken_by is not None:
            yield inner


def _parsed(pattern: str) -> list[Node]:
    if NOT_READ.search(pattern):
        return []
    try:
        return list(parser.parse(ONLY_RE2.sub(r"\\w", pattern)))
    except (re.error, OverflowError, RecursionError):
        return []


def _edged(nodes: list[Node], *, begun: bool = False, ended: bool = False) -> list[Node]:
    """Return a sequence whose alternatives have the edges of words that stand around them."""
    made: list[Node] = []
    for at, (kind, value) in enumerate(nodes):
        before = begun if at == 0 else nodes[at - 1] == BOUNDARY
        after = ended if at + 1 == len(nodes) else nodes[at + 1] == BOUNDARY
        if kind is op.SUBPATTERN:
            value = (*value[:3], _edged(list(value[3]), begun=before, ended=after))
        elif kind is op.BRANCH:
            inner = [_edged(list(branch), begun=before, ended=after) for branch in value[1]]
            begins, ends = [BOUNDARY] * before, [BOUNDARY] * after
            value = (value[0], [[*begins, *branch, *ends] for branch in inner])
        made.append((kind, value))
    return made


def _cut(strings: Iterable[str]) -> Strings:
    return frozenset(string[:LONGEST] for string in strings)


def _opening(nodes: list[Node]) -> Strings:
    run = EMPTY
    for at, node in enumerate(nodes):
        exact, _ = _node(node)
        begun = _opening_of(node, nodes[at + 1 :]) if exact is None else _bare(exact)
        told = min(map(len, run)) >= SHORTEST
        if len(run) * len(begun) > (MOST if told else MOST_OPENINGS):
            return run
        run = _joined(run, begun)
        if exact is None:
            return run
    return run


def _bare(strings: Strings) -> Strings:
    return frozenset(string.replace(EDGE, "") for string in strings)


def _opening_of(node: Node, rest: list[Node]) -> Strings:
    """Return with what a node begins that matches more strings than can be named; or, where it
    may be left out, the rest."""
    kind, value = node
    if kind is op.SUBPATTERN:
        return _opening(list(value[3]))
    if kind is op.BRANCH:
        return NOTHING.union(*(_opening(list(branch)) for branch in value[1]))
    if kind in REPEATS:
        begun = _opening(list(value[2]))
        return begun if value[0] > 0 else begun | _opening(rest)
    return EMPTY


def _joined(starts: Strings, ends: Strings) -> Strings:
    return frozenset([start + end for start in starts for end in ends])


def _sequence(nodes: list[Node]) -> tuple[Strings | None, Strings]:
    """Return all strings that a sequence matches, if they are few, and the best requirement."""
    *broken, (last, _, _) = _runs(nodes)
    if not broken:
        return last, NOTHING
    best = NOTHING
    for run, _, inner in broken:
        best = _better(_better(best, run), inner)
    return None, _better(best, last)


def _runs(nodes: list[Node]) -> Iterator[tuple[Strings, Node | None, Strings]]:
    """Yield the strings that each part of a sequence may be, as long as they are few, with the node
    at which they are not any more, and what that requires; no node after the last part."""
    run, letters = EMPTY, ""
    for kind, value in nodes:
        if kind is op.LITERAL or (kind, value) == BOUNDARY:
            letters += EDGE if kind is op.AT else chr(value)
            continue
        exact, inner = _node((kind, value))
        if exact is EMPTY:
            continue
        if letters:
            run, letters = frozenset([start + letters for start in run]), ""
        if exact is not None and len(run) * len(exact) <= MOST:
            run = _joined(run, exact)
            continue
        yield run, (kind, value), inner
        run = exact if exact is not None else EMPTY
    yield frozenset([start + letters for start in run]), None, NOTHING


def _node(node: Node) -> tuple[Strings | None, Strings]:
    kind, value = node
    if kind is op.LITERAL:
        return frozenset({chr(value)}), NOTHING
    if kind is op.AT:
        return EMPTY, NOTHING
    if kind is op.IN:
        return _class(value), NOTHING
    if kind is op.SUBPATTERN:
        return _sequence(list(value[3]))
    if kind is op.BRANCH:
        return _branch([_sequence(list(branch)) for branch in value[1]])
    if kind in REPEATS:
        return _repeat(*value)
    return None, NOTHING


def _branch(branches: list[tuple[Strings | None, Strings]]) -> tuple[Strings | None, Strings]:
    exact = [strings for strings, _ in branches if strings is not None]
    if len(exact) == len(branches) and sum(map(len, exact)) <= MOST:
        return NOTHING.union(*exact), NOTHING
    needed = [best if strings is None else _better(strings, NOTHING) for strings, best in branches]
    known = all(needed) and sum(map(len, needed)) <= MOST * 4
    return None, NOTHING.union(*needed) if known else NOTHING


def _repeat(least: int, most: Any, inner: Any) -> tuple[Strings | None, Strings]:
    exact, best = _sequence(list(inner))
    if least == 0:
        once = most is not op.MAXREPEAT and int(most) == 1
        return (exact | EMPTY if once and exact is not None else None), NOTHING
    if exact is not None and least == most and len(exact) ** least <= MOST:
        return frozenset("".join(each) for each in product(exact, repeat=least)), NOTHING
    return None, best if exact is None else _better(exact, NOTHING)


def _class(members: list[Node]) -> Strings | None:
    found: set[str] = set()
    for kind, value in members:
        if kind is op.LITERAL:
            found.add(chr(value))
        elif kind is op.RANGE and value[1] - value[0] < SMALL_CLASS:
            found.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return None
    return frozenset(found) if len(found) <= SMALL_CLASS else None


def _better(one: Strings, other: Strings) -> Strings:
    """Return the more telling of two requirements; nothing, when neither tells anything."""
    costs = _cost(one), _cost(other)
    if min(costs) == float("inf"):
        return NOTHING
    return one if costs[0] <= costs[1] else other


def _cost(strings: Strings) -> float:
    """Return roughly how often one of the strings stands in a text."""
    lengths = [_letters(string) for string in map(_sought, strings)]
    if not lengths or min(lengths) < SHORTEST:
        return float("inf")
    return sum(float(16.0 ** -min(length, LONGEST)) for length in lengths)


def _letters(sought: str) -> float:
    """Return how many bytes of letters tell as much: the edge of a word as much as half of one."""
    bare = sought.strip(" ")
    return len(bare.encode()) + (len(sought) - len(bare)) / 2
